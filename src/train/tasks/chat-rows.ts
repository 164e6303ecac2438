// Conversations in rows of data, in the formats in which they are published.
import { isMissing, type Row } from '../../data/index.ts'
import type { ChatMessage } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { textIn, valueIn } from './text.ts'

/** A format of conversations. */
interface ChatFormat {
  /** Columns that rows of this format have. */
  columns: readonly string[]
  /** Further columns that complete a row for training. Rows for prediction lack them. */
  answers: readonly string[]
  messages(row: Row, has: (column: string) => boolean): ChatMessage[]
}

const formats: readonly ChatFormat[] = [
  // transformers and trl: [{ role, content }]
  { columns: ['messages'], answers: [], messages: (row) => messageList(row, 'messages') },
  // ShareGPT: [{ from, value }]
  { columns: ['conversations'], answers: [], messages: (row) => messageList(row, 'conversations') },
  // trl: two texts, or two lists of messages
  {
    columns: ['prompt'],
    answers: ['completion'],
    messages: (row, has) => [
      ...messagesIn(row, 'prompt', 'user'),
      ...(has('completion') ? messagesIn(row, 'completion', 'assistant') : []),
    ],
  },
  // Alpaca (Taori et al., 2023)
  {
    columns: ['instruction'],
    answers: ['output'],
    messages: (row, has) => [
      instructed(textIn(row, 'instruction'), has('input') ? textIn(row, 'input') : ''),
      ...(has('output') ? messagesIn(row, 'output', 'assistant') : []),
    ],
  },
]

/** The columns of conversations, for help and errors. */
export const CHAT_COLUMNS =
  'rows with `messages`, `prompt` and `completion`, `conversations` (ShareGPT), or `instruction`, `input` and `output` (Alpaca)'

/**
 * Reads the conversation of a row.
 * @param options.complete whether the columns of the answer must have values
 * @throws HeedError if the row has none of the formats, for an unknown role, and for an empty answer
 */
export function conversationOf(row: Row, { complete }: { complete: boolean }): ChatMessage[] {
  const has = (column: string): boolean => isGiven(row, column)
  const format = formats.find(({ columns }) => columns.every((column) => column in row.values))
  if (!format) throw withoutConversation(row)
  if (complete) for (const column of format.answers) valueIn(row, column)
  const messages = format.messages(row, has)
  messages.forEach(checkAnswer)
  return messages
}

/** The tools of a row, which its template describes. */
export const toolsOf = ({ values: { tools } }: Row): unknown[] | undefined =>
  Array.isArray(tools) && tools.length > 0 ? tools : undefined

/** Reads the messages in a column: a text of one role, or a list of messages. */
export function messagesIn(row: Row, column: string, role: string): ChatMessage[] {
  const value = parsedIn(row, column)
  return Array.isArray(value) ? messageList(row, column) : [{ role, content: textIn(row, column) }]
}

/** Whether a row has a value in a column; empty text is none. */
export const isGiven = ({ values }: Row, column: string): boolean =>
  Object.hasOwn(values, column) && !isMissing(values[column]) && values[column] !== ''

/** An instruction, with the keys that the template of Alpaca reads. */
const instructed = (instruction: string, input: string): ChatMessage =>
  input === ''
    ? { role: 'user', content: instruction }
    : { role: 'user', content: `${instruction}\n\n${input}`, instruction, input }

/** A list of messages; tables hold it as JSON. */
function parsedIn(row: Row, column: string): unknown {
  const value = valueIn(row, column)
  if (typeof value !== 'string' || !/^\s*\[\s*\{/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

export function messageList(row: Row, column: string): ChatMessage[] {
  const list = parsedIn(row, column)
  if (Array.isArray(list) && list.length > 0)
    return list.map((message, i) => messageOf(message, `${column}[${i}]`))
  throw new HeedError('invalid-data', `'${column}' must be a list of one or more messages, got ${shown(list)}`, {
    key: column,
    value: list,
    remedy: 'Write it as [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].',
  }) // biome-ignore format: one line
}

/** Roles by the names in the data. */
const roles: ReadonlyMap<unknown, string> = new Map([
  ...['system', 'user', 'assistant', 'tool', 'developer'].map((role) => [role, role] as const),
  ['human', 'user'],
  ['gpt', 'assistant'],
])

function messageOf(message: unknown, where: string): ChatMessage {
  const { from, value, role: given = from, content = value, ...rest } = Object(message)
  const role = roles.get(given)
  if (role !== undefined) return { role, content, ...rest }
  throw new HeedError('invalid-data', `The role of \`${where}\` must be one of ${[...roles.keys()].join(', ')}, got ${shown(given)}`, {
    key: where,
    value: given,
    remedy: 'Rename the roles, or remove these messages.',
  }) // biome-ignore format: one line
}

/** An answer must have text, or call a tool. */
function checkAnswer({ role, content, tool_calls: calls }: ChatMessage, i: number): void {
  if (role !== 'assistant' || (Array.isArray(calls) && calls.length > 0)) return
  const isEmpty = typeof content === 'string' ? content.trim() === '' : !Array.isArray(content)
  if (!isEmpty) return
  throw new HeedError('invalid-data', `An answer must have text, got ${shown(content)} in message ${i + 1}`, {
    key: 'messages',
    value: content,
    remedy: 'Fill in the answer, or remove the row.',
  }) // biome-ignore format: one line
}

function withoutConversation({ values }: Row): HeedError {
  const names = Object.keys(values).map((name) => `'${name.slice(0, 40)}'`)
  return new HeedError('invalid-data', `A row must be a conversation, got the columns ${names.join(', ') || 'of none'}`, {
    key: 'messages',
    value: names,
    remedy: `Use ${CHAT_COLUMNS}.`,
  }) // biome-ignore format: one line
}
