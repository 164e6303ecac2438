import { Mistakes, type Row } from '../../data/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { TABLE, type TableOptions, taskData } from '../task-data.ts'
import { textIn } from '../tasks/text.ts'
import type { Shot } from './shots.ts'

/** Options of `readShots`. */
export interface ReadShotsOptions extends TableOptions {
  /**
   * How a row is written, with columns in braces: `Review: {text}\nOpinion: {label}`. It ends with the column of the
   * answer. Default: `{prompt} {completion}`, `{text}\n{label}` or `Q: {question}\nA: {answer}`, by the columns.
   */
  format?: string
  /** Maximum number of rows. Default: all. */
  limit?: number
}

/** The questions of files. */
export interface ReadShots {
  /** The questions, with their answers. */
  shots: Shot[]
  /** The labels, sorted, if the column of the answer is `label`; otherwise null. */
  labels: string[] | null
}

const checkReadShots = argumentKinds('readShots', {
  paths: 'paths',
  options: optionKinds<ReadShotsOptions>({ ...TABLE, format: 'text?', limit: 'size?' }),
})

/**
 * Reads questions with their answers for `fewShot`.
 * @param paths files, folders, glob patterns and data sets of the hub, as in `openRows` of heed/data
 * @throws HeedError for rows without these columns, which lists up to 20 of them
 */
export async function readShots(
  paths: string | readonly string[],
  options: ReadShotsOptions = {},
): Promise<ReadShots> {
  checkReadShots(paths, options)
  const { format, limit = Number.POSITIVE_INFINITY, ...table } = options
  const source = await taskData([paths].flat(), { columnKeys: [] }, {}, table).source()
  const columns = format === undefined ? usualFormat(source.columns) : partsOf(format)
  const mistakes = new Mistakes()
  const shots: Shot[] = []
  for await (const row of source.rows(mistakes)) {
    const shot = mistakes.attempt(row, () => shotOf(row, columns))
    if (shot) shots.push(shot)
    if (shots.length >= limit) break
  }
  mistakes.throwIfAny()
  const labels = columns.answer === 'label' ? labelsOf(shots) : null
  return { shots, labels }
}

/** A format, divided at its last column. */
interface Format {
  prompt: string
  answer: string
}

const FORMATS = ['{prompt} {completion}', '{text}\n{label}', 'Q: {question}\nA: {answer}']
const COLUMN = /\{([^{}]+)\}/g

function usualFormat(columns: readonly string[]): Format {
  const fits = (format: string): boolean =>
    [...format.matchAll(COLUMN)].every(([, column]) => columns.includes(column))
  const format = FORMATS.find(fits)
  if (format !== undefined) return partsOf(format)
  const names = columns.slice(0, 12).map((name) => `'${name.slice(0, 40)}'`)
  throw new HeedError(
    'invalid-data',
    `Rows must have the columns prompt and completion, text and label, or question and answer, got ${names.join(', ')}`,
    { key: 'format', remedy: 'Name the columns with `format`, such as "{country} -> {capital}".' },
  )
}

function partsOf(format: string): Format {
  const found = [...format.matchAll(COLUMN)]
  const last = found.at(-1)
  if (found.length > 1 && last && format.slice(last.index + last[0].length).trim() === '')
    return { prompt: format.slice(0, last.index), answer: last[1] }
  throw invalidOption({
    key: 'format',
    value: format,
    expected: 'a text with two or more columns in braces, which ends with the column of the answer',
    remedy: 'For example: "{country} -> {capital}".',
  })
}

const shotOf = (row: Row, { prompt, answer }: Format): Shot => ({
  prompt: prompt.replace(COLUMN, (_, column) => textIn(row, column).trim()),
  answer: textIn(row, answer).trim(),
})

function labelsOf(shots: readonly Shot[]): string[] {
  const labels = [...new Set(shots.map(({ answer }) => answer))].sort()
  if (labels.length > 1 || shots.length === 0) return labels
  throw new HeedError(
    'invalid-data',
    `Rows must have two or more different labels, got only '${labels[0]}'`,
    { key: 'label', value: labels[0], remedy: 'Add rows with other labels.' },
  )
}
