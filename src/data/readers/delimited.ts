import { quote } from '../../io/files/file-error.ts'
import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { LONGEST, readLines } from './lines.ts'
import type { Reader, ReadOptions } from './reader.ts'

/**
 * Comma-separated values (RFC 4180); the first line names the columns. Line breaks within a cell are read as `\n`.
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

/** Assembles records from lines, as a cell in quotes may contain line breaks. */
class Records {
  /** The first line of the record that is being read. */
  number: number | undefined
  private readonly file: string
  private readonly delimiter: string
  private cells: string[] = []
  /** Lines of a cell in quotes that continues in the next line. */
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

  /** Reads the cells of a line; false when the last one continues in the next line. */
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
            `a cell in quotes must end at the separator, got ${quote(line.slice(at, at + 20))}`,
            { remedy: QUOTE_REMEDY },
          )
      } else {
        const end = line.indexOf(this.delimiter, at)
        const cell = line.slice(at, end < 0 ? undefined : end)
        if (cell.includes('"'))
          throw new HeedError(
            'invalid-data',
            `a cell that contains a quote must be in quotes, got ${quote(cell)}`,
            { remedy: QUOTE_REMEDY },
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
      `${this.file}:${this.number}: a cell that begins with a quote must end with one`,
      { remedy: QUOTE_REMEDY },
    )
  }
}

const QUOTE_REMEDY = 'Write a quote within a cell twice (""), and put the cell in quotes.'
const RAGGED_REMEDY = 'Put cells that contain the separator in quotes.'

function closingQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 2))
    if (line[at + 1] !== '"') return at
  return -1
}

function ragged(cells: string[], columns: readonly string[]): string {
  return `the row must have ${columns.length} cells, as the header has, got ${cells.length}`
}

function checkColumns(columns: readonly string[], file: string): readonly string[] {
  const twice = columns.find((name, i) => columns.indexOf(name) !== i)
  const problem =
    twice !== undefined
      ? `must differ, got ${quote(twice)} twice`
      : columns.includes('__proto__')
        ? 'must not be "__proto__"'
        : undefined
  if (problem === undefined) return columns
  throw new HeedError('invalid-data', `${file}: column names ${problem}`, {
    remedy: 'Rename the column in the first line.',
  })
}

function toValues(columns: readonly string[], cells: string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (let i = 0; i < columns.length; i++) values[columns[i]] = cells[i]
  return values
}
