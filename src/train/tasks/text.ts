// Reads the columns of rows.
import { isMissing, type Row } from '../../data/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError, shown } from '../../util/errors.ts'

const checkColumn = argumentKinds('A row', { values: 'object', column: 'text' })

/** Reads the text in a column; numbers and booleans are converted. @throws HeedError for an empty or missing text */
export function textIn(row: Row, column: string): string {
  const value = valueIn(row, column)
  if (typeof value === 'string' && value.trim() !== '') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const got = typeof value === 'string' ? 'empty text' : shown(value)
  throw new HeedError('invalid-data', `'${column}' must be text, got ${got}`, {
    key: column,
    value,
  })
}

/** Reads the value in a column; empty text is a value. @throws HeedError for a missing value or a missing column */
export function valueIn(row: Row, column: string): unknown {
  const { values }: Row = Object(row)
  checkColumn(values, column)
  const isColumn = Object.hasOwn(values, column)
  const value = isColumn ? values[column] : undefined
  if (value === '' || !isMissing(value)) return value
  if (isColumn)
    throw new HeedError('invalid-data', `'${column}' must have a value, got ${shown(value)}`, {
      key: column,
      value,
      remedy: 'Add the missing values, or remove their rows.',
    })
  const names = Object.keys(values)
    .map((name) => `'${name.slice(0, 40)}'`)
    .join(', ')
  throw new HeedError(
    'invalid-data',
    `the row must have a column '${column}', got ${names || 'no columns'}`,
    { key: column },
  )
}
