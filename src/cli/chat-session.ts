// The conversation at the terminal: lines, their history, and commands that begin with a slash.
import { createInterface, type Interface } from 'node:readline'
import pc from 'picocolors'
import type { Chat } from '../generate/index.ts'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'

const HELP = `  /system TEXT  what the assistant is to be; begins anew
  /reset        begin anew
  /save FILE    write the conversation as JSON
  /help         this
A line that ends in \\ goes on in the next; """ begins and ends a text of several lines.
Ctrl-C stops the answer, Ctrl-D ends.`

/** What answers a message; it may be stopped by Ctrl-C. */
type Answer = (message: string, signal: AbortSignal) => Promise<void>

/** Reads messages until the input ends. Mistakes are told and do not end the conversation. */
export async function converse(session: Chat, answer: Answer): Promise<void> {
  const lines = createInterface({
    input: process.stdin,
    output: process.stdin.isTTY ? process.stderr : undefined, // answers alone on standard output
    historySize: 1000,
    removeHistoryDuplicates: true,
  })
  const running: { answer: AbortController | null } = { answer: null }
  const interrupt = (): void => {
    if (running.answer) running.answer.abort()
    else if (lines.line)
      lines.write(null, { ctrl: true, name: 'u' }) // clears what is typed
    else note('Ctrl-D ends.')
    if (!running.answer) ask(lines, '> ')
  }
  lines.on('SIGINT', interrupt)
  if (process.stdin.isTTY) note('/help shows the commands.')
  for await (const message of messagesOf(lines)) {
    running.answer = new AbortController()
    try {
      if (message.startsWith('/')) await obey(session, message)
      else if (message.trim() !== '') await answer(message, running.answer.signal)
    } catch (error) {
      if (!(error instanceof HeedError)) throw error
      process.stderr.write(`${pc.red('heed:')} ${error.message}\n`)
    } finally {
      running.answer = null
    }
  }
}

/** Lines, joined where they go on. */
async function* messagesOf(lines: Interface): AsyncGenerator<string> {
  let parts: string[] = []
  let quoted = false
  ask(lines, '> ')
  for await (const line of lines) {
    const marks = line.trim() === '"""'
    if (marks) quoted = !quoted
    else parts.push(line.endsWith('\\') && !quoted ? line.slice(0, -1) : line)
    if (quoted || (!marks && line.endsWith('\\'))) ask(lines, '… ')
    else {
      yield parts.join('\n')
      parts = []
      ask(lines, '> ')
    }
  }
  if (parts.length > 0) yield parts.join('\n') // the input has ended within a message
}

async function obey(session: Chat, line: string): Promise<void> {
  const [name, rest] = [line.split(/\s/, 1)[0], line.slice(line.split(/\s/, 1)[0].length).trim()]
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name](session, rest)
  const near = nearestFirst(name, Object.keys(COMMANDS))[0]
  throw new HeedError('unknown-name', `There is no command ${name}`, {
    remedy: `Did you mean ${near}? See /help.`,
  })
}

const COMMANDS: Record<string, (session: Chat, rest: string) => void | Promise<void>> = {
  '/help': () => note(HELP),
  '/reset': (session) => {
    session.reset()
    note('Begun anew.')
  },
  '/system': (session, text) => {
    session.reset(text)
    note(text ? 'Begun anew with this.' : 'Begun anew without a system message.')
  },
  '/save': async (session, path) => {
    if (!path) throw new HeedError('invalid-option', '/save needs the name of a file')
    await writeFileAtomic(path, `${JSON.stringify(session.messages, null, 2)}\n`)
    note(`${session.messages.length} messages in ${path}`)
  },
}

function ask(lines: Interface, prompt: string): void {
  if (!process.stdin.isTTY) return
  lines.setPrompt(prompt)
  lines.prompt()
}

const note = (text: string): void => void process.stderr.write(`${pc.dim(text)}\n`)
