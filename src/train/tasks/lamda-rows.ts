// Responses with ratings, as LaMDA is fine-tuned on them.
import { Mistakes, type Row } from '../../data/index.ts'
import { type Attribute, attributes } from '../../generate/judge/attributes.ts'
import type { ChatMessage } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { flagIn } from '../align/rows.ts'
import type { DataSetup } from '../task.ts'
import { isGiven, messageList } from './chat-rows.ts'
import { textIn, valueIn } from './text.ts'

/** The columns of rated responses, for help and errors. */
export const LAMDA_COLUMNS =
  'rows with `context` (a text, or a list of turns or messages), `response`, and any of `sensible`, `specific`, `interesting`, `safe` (0 or 1)'

/** A rating of a response. */
export interface Rating {
  attribute: Attribute
  value: boolean
}

/** The messages before the response: a text, turns that the user begins and ends, or messages. */
export function contextOf(row: Row): ChatMessage[] {
  const value = listIn(row)
  if (value === null) return [{ role: 'user', content: textIn(row, 'context') }]
  const messages = value.every((turn) => typeof turn === 'string') ? turnsOf(value) : messageList(row, 'context') // biome-ignore format: one line
  const role = messages.at(-1)?.role
  if (role !== 'assistant') return messages
  throw new HeedError('invalid-data', "'context' must end before the response, got a message of the assistant at its end", {
    key: 'context',
    value: role,
    remedy: "Move the last message to 'response', or end with a message of the user.",
  }) // biome-ignore format: one line
}

/** The list in the column `context`, which tables hold as JSON; null for a text. */
function listIn(row: Row): unknown[] | null {
  const value = valueIn(row, 'context')
  if (typeof value !== 'string' || !/^\s*\[\s*["{]/.test(value))
    return Array.isArray(value) ? value : null
  try {
    const list: unknown = JSON.parse(value)
    return Array.isArray(list) ? list : null
  } catch {
    return null
  }
}

function turnsOf(texts: readonly string[]): ChatMessage[] {
  if (texts.length % 2 === 1 && texts.every((turn) => turn.trim() !== ''))
    return texts.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }))
  throw new HeedError('invalid-data', `'context' must be an odd number of turns, which the user begins and ends, got ${texts.length} turns: ${shown(texts)}`, {
    key: 'context',
    value: texts.length,
    remedy: 'Remove the first or an empty turn, or write messages with roles.',
  }) // biome-ignore format: one line
}

/** The ratings of a row, in the order of the attributes. */
export const ratingsOf = (row: Row): Rating[] =>
  attributes
    .filter((attribute) => isGiven(row, attribute))
    .map((attribute) => ({ attribute, value: flagIn(row, attribute, '0 or 1, or empty') }))

/** The attributes that occur with both ratings, and those with one. A model learns nothing from a single rating. */
export async function surveyRatings({
  data,
}: Pick<DataSetup, 'data'>): Promise<{ attributes: Attribute[]; constant: Attribute[] }> {
  const seen = new Map<Attribute, Set<boolean>>()
  const mistakes = new Mistakes()
  for await (const row of (await data.source()).rows(mistakes))
    for (const { attribute, value } of mistakes.attempt(row, () => ratingsOf(row)) ?? [])
      seen.set(attribute, (seen.get(attribute) ?? new Set()).add(value))
  mistakes.throwIfAny()
  const withRatings = (count: number): Attribute[] =>
    attributes.filter((attribute) => seen.get(attribute)?.size === count)
  return { attributes: withRatings(2), constant: withRatings(1) }
}
