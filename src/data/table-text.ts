import { argumentKinds } from '../util/argument-kinds.ts'

const checkTableText = argumentKinds('tableText', {
  records: 'objects',
  separator: {
    expected: 'one character other than a quote or a line break',
    fits: (value) => typeof value === 'string' && /^[^"\r\n]$/.test(value),
  },
})

/**
 * Formats records as a table with a header, like Python's csv.writer: cells with the separator, a quote or a line break
 * are quoted. Nested objects become columns (`scores.spam`), lists JSON, and missing values empty cells.
 */
export function tableText(
  records: readonly Readonly<Record<string, unknown>>[],
  separator = ',',
): string {
  checkTableText(records, separator)
  const rows = records.map((record) => new Map(cellsOf(record)))
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))]
  const line = (cells: readonly string[]): string =>
    cells.length === 1 && cells[0] === ''
      ? '""\n'
      : `${cells.map((cell) => quoted(cell, separator)).join(separator)}\n`
  return [columns, ...rows.map((row) => columns.map((column) => row.get(column) ?? ''))]
    .map(line)
    .join('')
}

function cellsOf(record: object, prefix = ''): [string, string][] {
  return Object.entries(record).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${key}`
    if (value === null || value === undefined) return [[name, '']]
    if (typeof value !== 'object') return [[name, String(value)]]
    if (Array.isArray(value) || ArrayBuffer.isView(value)) return [[name, JSON.stringify(value)]]
    return cellsOf(value, `${name}.`)
  })
}

const quoted = (cell: string, separator: string): string =>
  cell.includes(separator) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
