// The columns of rows.
import type { Row } from '../../data/index.ts'
import { HeedError, shown } from '../../util/errors.ts'

/** The text in a column. @throws HeedError when there is none */
export function textIn(row: Row, column: string): string {
  const value = valueIn(row, column)
  if (typeof value === 'string' && value.trim() !== '') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const found = typeof value === 'string' ? 'an empty text' : shown(value)
  throw new HeedError('invalid-data', `'${column}' must be a text, got ${found}`, {
    key: column,
    value,
  })
}

/** The value in a column. @throws HeedError that lists the columns when it is missing */
export function valueIn({ values }: Row, column: string): unknown {
  if (Object.hasOwn(values, column) && values[column] != null) return values[column]
  const names = Object.keys(values)
    .map((name) => `'${name.slice(0, 40)}'`)
    .join(', ')
  throw new HeedError(
    'invalid-data',
    `the row must have a column '${column}', got ${names || 'no columns'}`,
    { key: column },
  )
}
