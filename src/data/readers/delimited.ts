import { quote } from '../../io/files/file-error.ts'
import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { LONGEST, readLines } from './lines.ts'
import type { Reader, ReadOptions } from './reader.ts'

/**
 * Comma-separated values as RFC 4180 has them, first line the names of the columns. Line ends within
 * a cell are read as `\n`.
 */
export const readCsv: Reader['read'] = (file, mistakes, options) =>
  readTable(file, ',', mistakes, options)

/** The same with tabs. */
export const readTsv: Reader['read'] = (file, mistakes, options) =>
  readTable(file, '\t', mistakes, options)

async function* readTable(
  file: string,
  delimiter: string,
  mistakes: Mistakes,
  options: ReadOptions,
): AsyncGenerator<Row> {
  let columns = options.columns && checkColumns(options.columns, file)
  const records = new Records(file, delimiter)
  for await (const lines of readLines(file, mistakes))
    for (const { text, number, sound } of lines) {
      const record = mistakes.attempt({ file, number: records.number ?? number }, () =>
        records.feed(text, number),
      )
      if (record === undefined || !sound) continue
      const { cells } = record
      if (columns === undefined) columns = checkColumns(cells, file)
      else if (cells.length === 1 && cells[0] === '' && columns.length > 1)
        continue // an empty line
      else if (cells.length !== columns.length)
        mistakes.add({ file, number: record.number }, ragged(cells, columns), RAGGED_REMEDY)
      else yield { values: toValues(columns, cells), file, number: record.number }
    }
  records.finish()
}

/** Puts cells together from lines: a cell in quotes may hold line ends. */
class Records {
  /** The line in which the record at hand begins, while one is open. */
  number: number | undefined
  private readonly file: string
  private readonly delimiter: string
  private cells: string[] = []
  /** What has come of a cell in quotes that goes on in the next line. */
  private open: string[] = []
  private length = 0

  constructor(file: string, delimiter: string) {
    this.file = file
    this.delimiter = delimiter
  }

  /** The record that ends with this line, if one does. */
  feed(line: string, number: number): { cells: string[]; number: number } | undefined {
    if (this.number === undefined && !line.includes('"'))
      return { cells: line.split(this.delimiter), number }
    this.number ??= number
    try {
      if (!this.scan(line)) return undefined
      return { cells: this.cells, number: this.number }
    } finally {
      if (this.open.length === 0) this.reset()
    }
  }

  /** Called at the end of the file. */
  finish(): void {
    if (this.number !== undefined) throw this.unclosed()
  }

  /** Takes the cells of a line; false when the last goes on in the next line. */
  private scan(line: string): boolean {
    let at = 0
    for (;;) {
      if (this.open.length > 0 || line[at] === '"') {
        const begin = this.open.length > 0 ? at : at + 1
        const end = closingQuote(line, begin)
        this.open.push(line.slice(begin, end < 0 ? undefined : end))
        if (end < 0) {
          this.length += line.length
          if (this.length > LONGEST) throw this.unclosed()
          return false
        }
        this.cells.push(this.open.join('\n').replaceAll('""', '"'))
        this.open = []
        at = end + 1
        if (at < line.length && line[at] !== this.delimiter)
          throw new HeedError(
            'invalid-data',
            `${quote(line.slice(at, at + 20))} follows a cell in quotes`,
            {
              remedy: QUOTE_REMEDY,
            },
          )
      } else {
        const found = line.indexOf(this.delimiter, at)
        const cell = line.slice(at, found < 0 ? undefined : found)
        if (cell.includes('"'))
          throw new HeedError(
            'invalid-data',
            `the cell ${quote(cell)} has a quote in it but does not begin with one`,
            {
              remedy: QUOTE_REMEDY,
            },
          )
        this.cells.push(cell)
        at += cell.length
      }
      if (at >= line.length) return true
      at++ // the delimiter
    }
  }

  private reset(): void {
    this.number = undefined
    this.cells = []
    this.length = 0
  }

  private unclosed(): HeedError {
    return new HeedError(
      'invalid-data',
      `${this.file}:${this.number}: a cell begins with a quote that has no end`,
      {
        remedy: QUOTE_REMEDY,
      },
    )
  }
}

const QUOTE_REMEDY = 'A quote in a cell is written twice (""), and the whole cell put in quotes.'
const RAGGED_REMEDY = 'A cell that has the separator in it must be put in quotes.'

function closingQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 2))
    if (line[at + 1] !== '"') return at
  return -1
}

function ragged(cells: string[], columns: readonly string[]): string {
  return `it has ${cells.length} cells, the header has ${columns.length}`
}

function checkColumns(columns: readonly string[], file: string): readonly string[] {
  const twice = columns.find((name, i) => columns.indexOf(name) !== i)
  const problem =
    twice !== undefined
      ? `names the column ${quote(twice)} twice`
      : columns.includes('__proto__')
        ? 'names a column "__proto__", which is not allowed'
        : undefined
  if (problem === undefined) return columns
  throw new HeedError('invalid-data', `${file}: the header ${problem}`)
}

function toValues(columns: readonly string[], cells: string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (let i = 0; i < columns.length; i++) values[columns[i]] = cells[i]
  return values
}
