// Renders the chat templates of a folder with Heed and with transformers and compares the texts or errors. Then measures
// the time for 1,000 messages with each template. A suitable folder is vendor/llama.cpp/models/templates in the source
// package of llama-cpp-python 0.3.36.
//
//   HEED_PYTHON=.venv/bin/python npm run check:templates -- FOLDER
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type ChatMessage, renderChat } from '../src/tokenizers/chat/chat-template.ts'
import { HeedError } from '../src/util/errors.ts'

interface Conversation {
  messages: ChatMessage[]
  tools?: unknown[]
  documents?: Record<string, unknown>[]
  add_generation_prompt?: boolean
  continue_final_message?: boolean
  variables?: Record<string, unknown>
}

interface Report {
  special: Record<string, string>
  conversations: Conversation[]
  templates: { name: string; source: string; results: Result[] }[]
}

interface Result {
  text?: string
  error?: string
}

const script = fileURLToPath(new URL('./fixtures/chat_templates.py', import.meta.url))
const python = process.env.HEED_PYTHON ?? 'python3'
const child = spawnSync(python, [script, process.argv[2] ?? '.'], {
  encoding: 'utf8',
  maxBuffer: 2 ** 30,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const report: Report = JSON.parse(child.stdout)
let equal = 0
let errors = 0
let different = 0
for (const { name, source, results } of report.templates) {
  for (const [i, expected] of results.entries()) {
    const actual = rendered(source, report.conversations[i])
    const same =
      expected.error === undefined ? actual.text === expected.text : actual.error === expected.error
    if (same) equal++
    else different++
    if (same && expected.error !== undefined) errors++
    if (!same) console.log(`${name}, conversation ${i}:\n${difference(actual, expected)}`)
  }
}
console.log(`${equal} equal (${errors} of them errors), ${different} different`)

const turns = Array.from({ length: 500 }, (_, i) => [
  { role: 'user', content: `Question ${i}: ${'some words of a usual length '.repeat(8)}?` },
  { role: 'assistant', content: `Answer ${i}. ${'Further words of a usual length. '.repeat(8)}` },
]).flat()
const times = report.templates.map(({ name, source }) => {
  const started = performance.now()
  const { error } = rendered(source, { messages: turns })
  const milliseconds = performance.now() - started
  return { name, milliseconds, length: source.length, error }
})
times.sort((a, b) => b.milliseconds - a.milliseconds)
const longest = times.reduce((a, b) => (b.length > a.length ? b : a))
console.log('1,000 messages, the slowest templates:')
for (const { name, milliseconds, length, error } of times.slice(0, 5))
  console.log(
    `  ${milliseconds.toFixed(0)} ms  ${name} (${length} characters)${error ? `: ${error}` : ''}`,
  )
console.log(
  `  ${longest.milliseconds.toFixed(0)} ms  ${longest.name}, the longest (${longest.length})`,
)
process.exitCode = different > 0 ? 1 : 0

function rendered(source: string, conversation: Conversation): Result {
  const { messages, tools, documents, variables } = conversation
  try {
    const options = {
      addGenerationPrompt: conversation.add_generation_prompt,
      continueFinalMessage: conversation.continue_final_message,
      tools,
      documents,
      variables,
    }
    return {
      text: renderChat({ chat_template: source }, report.special, messages, options).text,
    }
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
    return {
      error: error.message.replace(/^The chat template [a-z ]+: /, ''),
    }
  }
}

/** Both results, from the first difference on. */
function difference(actual: Result, expected: Result): string {
  const [here, python] = [actual, expected].map(({ text, error }) => text ?? `error: ${error}`)
  let at = 0
  while (at < here.length && here[at] === python[at]) at++
  const from = Math.max(0, at - 20)
  const part = (text: string) => JSON.stringify(text.slice(from, at + 120))
  return `  here   ${part(here)}\n  Python ${part(python)}`
}
