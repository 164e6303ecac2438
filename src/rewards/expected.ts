// Rewards for answers that are known.
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError, shown } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import type { Reward } from './reward.ts'

/** Options of `exactMatch`. */
export interface ExactMatchOptions {
  /** Column of the right answer. Default `answer`. */
  column?: string
  /** Whether upper and lower case differ. Default true. */
  caseSensitive?: boolean
}

const checkExact = argumentKinds('exactMatch', {
  options: optionKinds<ExactMatchOptions>({ column: 'text?', caseSensitive: 'flag?' }),
})

/** Returns a reward of 1 for the right answer and 0 for another one. White space at both ends does not count. */
export function exactMatch(options: ExactMatchOptions = {}): Reward {
  checkExact(options)
  const { column = 'answer', caseSensitive = true } = options
  const plain = (text: string): string => (caseSensitive ? text : text.toLowerCase()).trim()
  return (_prompt, answer, row) => Number(plain(answer) === plain(String(expectedIn(row, column))))
}

/** Options of `numberMatch`. */
export interface NumberMatchOptions {
  /** Column of the right number. Default `answer`. */
  column?: string
  /** Largest difference from the right number. Default 0. */
  tolerance?: number
}

const checkNumber = argumentKinds('numberMatch', {
  options: optionKinds<NumberMatchOptions>({ column: 'text?', tolerance: 'number?' }),
})

/**
 * Returns a reward of 1 if the last number in the answer is the right one, and 0 otherwise. The last number of the column
 * is the right one, so it may hold a whole solution. Commas between digits are thousands separators.
 */
export function numberMatch(options: NumberMatchOptions = {}): Reward {
  checkNumber(options)
  const { column = 'answer', tolerance = 0 } = options
  return (_prompt, answer, row) => {
    const value = expectedIn(row, column)
    const expected = typeof value === 'number' ? value : lastNumber(String(value))
    if (expected === undefined)
      throw new HeedError('invalid-data', `'${column}' must have a number, got ${shown(value)}`, {
        key: column,
        value,
        remedy: 'Write the right number, or use another reward.',
      })
    const got = lastNumber(answer)
    return Number(got !== undefined && Math.abs(got - expected) <= tolerance)
  }
}

function lastNumber(text: string): number | undefined {
  const found = text.match(/[-+]?(?:\d[\d,]*)?\.?\d+(?:e[-+]?\d+)?/gi)?.at(-1)
  return found === undefined ? undefined : Number(found.replaceAll(',', ''))
}

/** @throws HeedError if the row has no value in the column */
function expectedIn(row: Readonly<Record<string, unknown>>, column: string): unknown {
  const value = Object.hasOwn(row, column) ? row[column] : undefined
  if (value !== undefined && value !== null) return value
  throw new HeedError('invalid-data', `The row must have a value in '${column}', which the reward reads, got ${shown(value)}`, {
    key: column,
    value,
    remedy: `Columns: ${Object.keys(row).join(', ')}. Name the column of the right answer with \`column\`.`,
  }) // biome-ignore format: one line
}
