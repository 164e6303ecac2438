import type { RowSource } from '../data/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Options, TaskDefinition } from './task.ts'

/**
 * Checks, before any row is read, that the columns of a task exist.
 * @throws HeedError that lists the existing columns and names the options that select others
 */
export function checkColumns(
  source: RowSource,
  { columnKeys }: Pick<TaskDefinition, 'columnKeys'>,
  options: Options,
): RowSource {
  const { columns } = source
  const keys = columnKeys.filter((key) => isMissing(options[key], columns))
  if (keys.length === 0) return source
  const listed = columns.slice(0, MOST_LISTED).map((name) => `'${name.slice(0, 40)}'`)
  const more = columns.length > MOST_LISTED ? ` and ${columns.length - MOST_LISTED} more` : ''
  const [key] = keys
  throw new HeedError(
    'invalid-data',
    `The data must have ${keys.length > 1 ? 'the columns' : 'a column'} ${joined(keys.map((name) => `'${options[name]}'`))}, got ${listed.join(', ')}${more}`,
    {
      key,
      value: options[key],
      remedy: `Name the column${keys.length > 1 ? 's' : ''} with ${joined(keys.map((name) => `\`${name}\``))}.`,
    },
  )
}

const joined = (words: readonly string[]): string =>
  words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words[0]

/** A column of null is not used. */
const isMissing = (column: unknown, columns: readonly string[]): boolean =>
  typeof column === 'string' && !columns.includes(column)

const MOST_LISTED = 12
