// Rows with preferences: a prompt with a better and a worse answer, or an answer with a label.
import type { Row } from '../../data/index.ts'
import type { ChatMessage } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { messagesIn } from '../tasks/chat-rows.ts'
import { valueIn } from '../tasks/text.ts'

/** A prompt with two answers. */
export interface Preference {
  prompt: readonly ChatMessage[]
  chosen: readonly ChatMessage[]
  rejected: readonly ChatMessage[]
}

/** The columns of preferences, for help and errors. */
export const PREFERENCE_COLUMNS =
  'rows with `prompt`, `chosen` and `rejected`: texts or lists of messages; without `prompt`, what both answers have in common is the prompt'

/**
 * Reads a preference.
 * @throws HeedError if an answer is missing or empty, if both are the same, and if there is no prompt
 */
export function preferenceOf(row: Row): Preference {
  const chosen = messagesIn(row, 'chosen', 'assistant')
  const rejected = messagesIn(row, 'rejected', 'assistant')
  if (JSON.stringify(chosen) === JSON.stringify(rejected))
    throw new HeedError('invalid-data', "'chosen' and 'rejected' must differ, got the same answer twice", {
      key: 'chosen',
      value: row.values.chosen,
      remedy: 'Remove the row: it expresses no preference.',
    }) // biome-ignore format: one line
  const { prompt: given } = row.values
  if (given !== undefined && given !== null)
    return { prompt: messagesIn(row, 'prompt', 'user'), chosen, rejected }
  return withCommonPrompt(chosen, rejected)
}

/** The messages with which both begin are the prompt; of two texts, the words with which both begin. */
function withCommonPrompt(chosen: ChatMessage[], rejected: ChatMessage[]): Preference {
  const isSame = (i: number): boolean => JSON.stringify(chosen[i]) === JSON.stringify(rejected[i])
  let shared = 0
  while (shared < Math.min(chosen.length, rejected.length) && isSame(shared)) shared++
  const prompt = chosen.slice(0, shared)
  const answers = { chosen: chosen.slice(shared), rejected: rejected.slice(shared) }
  const isWhole = answers.chosen.length > 0 && answers.rejected.length > 0
  if (prompt.length > 0 && isWhole) return { prompt, ...answers }
  const [a, b] = [textOf(chosen), textOf(rejected)]
  const common = prompt.length === 0 ? commonWords(a, b) : ''
  if (common.trim() !== '' && a.length > common.length && b.length > common.length)
    return {
      prompt: [{ role: 'user', content: common.trim() }],
      chosen: [{ role: 'assistant', content: a.slice(common.length) }],
      rejected: [{ role: 'assistant', content: b.slice(common.length) }],
    }
  throw new HeedError('invalid-data', "'chosen' and 'rejected' must begin with the same prompt if there is no column 'prompt'", {
    key: 'prompt',
    value: shown(a.slice(0, 40)),
    remedy: "Add a column 'prompt', or begin both with the same messages.",
  }) // biome-ignore format: one line
}

const textOf = (messages: readonly ChatMessage[]): string =>
  messages.length === 1 ? String(messages[0].content) : ''

/** The words with which two texts begin, with the white space after them. */
function commonWords(a: string, b: string): string {
  let length = 0
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++
  const end = a.slice(0, length).search(/\S*$/)
  return a.slice(0, end)
}

/**
 * Reads the label of an answer: true, false, 1 or 0, also as text.
 * @throws HeedError for another value
 */
export const labelOf = (row: Row): boolean =>
  flagIn(row, 'label', 'true for a desirable answer and false for another')

/**
 * Reads a column with true or false, 1 or 0, also as text.
 * @param expected what the column must be, for the error
 * @throws HeedError for another value
 */
export function flagIn(row: Row, column: string, expected: string): boolean {
  const value = valueIn(row, column)
  const flag = FLAGS.get(typeof value === 'string' ? value.trim().toLowerCase() : value)
  if (flag !== undefined) return flag
  throw new HeedError('invalid-data', `'${column}' must be ${expected}, got ${shown(value)}`, {
    key: column,
    value,
    remedy: 'Write true or false, or 1 or 0.',
  })
}

const FLAGS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [1, true],
  ['1', true],
  ['true', true],
  [false, false],
  [0, false],
  ['0', false],
  ['false', false],
])
