import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { hasMissing, isMissing } from './missing.ts'
import { Mistakes } from './mistakes.ts'
import { ROW_SOURCE, type Row, type RowSource } from './row.ts'

/** A summary of a column over all rows. */
export interface ColumnSurvey {
  /** Name of the column. */
  name: string
  /** Number of rows with a value of each type. `missing` counts null, NaN, blank strings and absent values. */
  types: Record<string, number>
  /** Number of characters of strings, or of items of lists. */
  lengths?: Spread
  /** Range of numbers. */
  range?: Spread
  /** Values with their counts, the most frequent first. Only for columns with few values. */
  values?: readonly (readonly [value: string, count: number])[]
}

/** Smallest, median and largest of some numbers. */
export interface Spread {
  /** The smallest number. */
  least: number
  /** The median. */
  median: number
  /** The largest number. */
  most: number
}

/** A summary of all rows. */
export interface RowSurvey {
  /** Number of rows. */
  rows: number
  /** A summary of each column, in the order of the source. */
  columns: ColumnSurvey[]
  /** The first three rows. */
  examples: Row[]
}

const checkSurveyRows = argumentKinds('surveyRows', { source: ROW_SOURCE })

/**
 * Reads all rows once and summarises their columns.
 * @throws HeedError that lists up to 20 invalid rows
 */
export async function surveyRows(source: RowSource): Promise<RowSurvey> {
  checkSurveyRows(source)
  checkArgument('surveyRows', 'columns', source.columns, 'texts')
  const columns = new Map<string, ColumnCounts>(
    source.columns.map((name) => [name, new ColumnCounts()]),
  )
  const mistakes = new Mistakes()
  const examples: Row[] = []
  let rows = 0
  for await (const row of source.rows(mistakes)) {
    if (examples.length < 3) examples.push(row)
    for (const [name, value] of Object.entries(row.values)) {
      const column = columns.get(name) ?? new ColumnCounts()
      columns.set(name, column)
      column.add(value)
    }
    rows++
  }
  mistakes.throwIfAny()
  return {
    rows,
    columns: [...columns].map(([name, counts]) => counts.survey(name, rows)),
    examples,
  }
}

const MOST_VALUES = 1000

class ColumnCounts {
  private readonly types: Record<string, number> = {}
  private readonly lengths: number[] = []
  private readonly numbers: number[] = []
  private values: Map<string, number> | undefined = new Map()
  private rows = 0

  add(value: unknown): void {
    const type = typeOf(value)
    this.types[type] = (this.types[type] ?? 0) + 1
    this.rows++
    if (type === 'missing') return
    if (typeof value === 'string' || Array.isArray(value)) this.lengths.push(value.length)
    if (typeof value === 'number') this.numbers.push(value)
    this.count(value)
  }

  private count(value: unknown): void {
    if (!this.values) return
    const simple = typeof value !== 'object' && String(value).length <= 80
    if (!simple || (this.values.size >= MOST_VALUES && !this.values.has(String(value))))
      this.values = undefined
    else this.values.set(String(value), (this.values.get(String(value)) ?? 0) + 1)
  }

  survey(name: string, rows: number): ColumnSurvey {
    const types = { ...this.types }
    if (rows > this.rows) types.missing = (types.missing ?? 0) + rows - this.rows
    const values = this.values && [...this.values].sort((a, b) => b[1] - a[1])
    // Few values that each occur several times are labels.
    const isFew = values && values.length > 0 && values.length <= Math.max(2, rows / 3)
    return {
      name,
      types,
      lengths: spreadOf(this.lengths),
      range: spreadOf(this.numbers),
      values: isFew ? values : undefined,
    }
  }
}

function typeOf(value: unknown): string {
  if (isMissing(value)) return 'missing'
  if (typeof value === 'string') return 'text'
  const gaps = hasMissing(value) ? ' with missing values' : ''
  if (Array.isArray(value)) return `list${gaps}`
  if (typeof value !== 'object' || value === null) return typeof value
  const image = 'file' in value || 'bytes' in value || ('width' in value && 'data' in value)
  return image ? 'image' : `object${gaps}`
}

function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const last = sorted.length - 1
  return { least: sorted[0], median: sorted[last >> 1], most: sorted[last] }
}
