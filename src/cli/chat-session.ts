// A conversation at the terminal: lines with a history, and commands that begin with a slash.
import { createInterface, type Interface } from 'node:readline'
import type { Chat } from '../generate/index.ts'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { HeedError } from '../util/errors.ts'
import { stderrColors } from './colors.ts'
import { printError, suggestion } from './print-error.ts'

const HELP = `  /system TEXT  set the system message and start over
  /reset        start over
  /save FILE    write the conversation as JSON
  /help         show this list
  /exit, /bye   exit (also: exit, Ctrl-D)
A line that ends in \\ continues on the next line; """ starts and ends a multi-line message.
Ctrl-C stops the answer.`

/** Answers a message; the signal stops it (Ctrl-C). */
type Answer = (message: string, signal: AbortSignal) => Promise<void>

/** Reads messages until the input ends. An error is printed and does not end the conversation. */
export async function converse(session: Chat, answer: Answer): Promise<void> {
  const lines = createInterface({
    input: process.stdin,
    output: process.stdin.isTTY ? process.stderr : undefined, // standard output is for answers
    crlfDelay: Number.POSITIVE_INFINITY,
    historySize: 1000,
    removeHistoryDuplicates: true,
  })
  lines.once('close', () => closed.add(lines))
  const running: { answer: AbortController | null } = { answer: null }
  const interrupt = (): void => {
    if (running.answer) running.answer.abort()
    else if (lines.line)
      lines.write(null, { ctrl: true, name: 'u' }) // clears the line
    else note('/exit or Ctrl-D exits.')
    if (!running.answer) ask(lines, '> ')
  }
  lines.on('SIGINT', interrupt)
  if (process.stdin.isTTY) note('/help shows the commands, /exit exits.')
  for await (const message of messagesOf(lines)) {
    if (EXITS.includes(message.trim())) break
    running.answer = new AbortController()
    try {
      if (message.startsWith('/')) await obey(session, message)
      else if (message.trim() !== '') await answer(message, running.answer.signal)
    } catch (error) {
      if (!(error instanceof HeedError)) throw error
      printError(error)
    } finally {
      running.answer = null
    }
  }
  lines.close()
}

const EXITS = ['/exit', '/bye', 'exit']

/** Yields messages; joins continued lines. */
async function* messagesOf(lines: Interface): AsyncGenerator<string> {
  let pending: string[] = []
  let quoted = false
  ask(lines, '> ')
  for await (const line of lines) {
    const marks = line.trim() === '"""'
    if (marks) quoted = !quoted
    else pending.push(line.endsWith('\\') && !quoted ? line.slice(0, -1) : line)
    if (quoted || (!marks && line.endsWith('\\'))) ask(lines, '… ')
    else {
      yield pending.join('\n')
      pending = []
      ask(lines, '> ')
    }
  }
  if (pending.length > 0) yield pending.join('\n') // the input ended within a message
}

async function obey(session: Chat, line: string): Promise<void> {
  const [name, rest] = [line.split(/\s/, 1)[0], line.slice(line.split(/\s/, 1)[0].length).trim()]
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name](session, rest)
  throw new HeedError('unknown-name', `There is no command ${name}`, {
    remedy: suggestion(name, [...Object.keys(COMMANDS), ...EXITS]),
  })
}

const COMMANDS: Record<string, (session: Chat, rest: string) => void | Promise<void>> = {
  '/help': () => note(HELP),
  '/reset': (session) => {
    session.reset()
    note('Started over.')
  },
  '/system': (session, text) => {
    session.reset(text)
    note(`Started over ${text ? 'with this' : 'without a'} system message.`)
  },
  '/save': async (session, path) => {
    if (!path)
      throw new HeedError('invalid-option', '/save needs a file name', {
        remedy: 'For example: /save conversation.json',
      })
    await writeFileAtomic(path, `${JSON.stringify(session.messages, null, 2)}\n`)
    note(`Wrote ${session.messages.length} messages to ${path}`)
  },
}

/** Ctrl-D closes the input, even during an answer. A later prompt would reopen it and keep the process alive. */
const closed = new WeakSet<Interface>()

function ask(lines: Interface, prompt: string): void {
  if (!process.stdin.isTTY || closed.has(lines)) return
  lines.setPrompt(prompt)
  lines.prompt()
}

const note = (text: string): void => void process.stderr.write(`${stderrColors.dim(text)}\n`)
