import { HeedError } from '../../util/errors.ts'
import { LONGEST } from './lines.ts'

/** Separator, quote and line end of a table. */
export interface CsvSyntax {
  readonly separator: string
  /** Null if quotes are ordinary characters. */
  readonly quote: string | null
  /** The character that splits the text into lines. */
  readonly lineEnd: '\n' | '\r'
}

export interface CsvRecord {
  cells: string[]
  /** The line on which the record begins. */
  number: number
  /** The indices of quoted cells. */
  quoted: readonly number[]
  /** Whether text follows a closing quote. */
  isMalformed: boolean
}

/**
 * Parses lines into records, like Python's csv.reader: a quote counts only at the start of a cell, a doubled quote
 * is one quote, a quoted cell may contain line breaks, and text after the closing quote belongs to the cell. A
 * carriage return or line feed outside of quotes ends a record. Lines keep a carriage return before their line feed.
 */
export class CsvRecords {
  /** The line on which the current record begins; undefined between records. */
  number: number | undefined
  private readonly syntax: CsvSyntax
  private readonly file: string
  /** The other line-ending character, which also ends a record. */
  private readonly otherEnd: string
  private cells: string[] = []
  private cell = ''
  private inQuotes = false
  private quoted: number[] = []
  private isMalformed = false

  /** @param file name of the file for errors */
  constructor(syntax: CsvSyntax, file: string) {
    this.syntax = syntax
    this.file = file
    this.otherEnd = syntax.lineEnd === '\n' ? '\r' : '\n'
  }

  /** Fast path: the cells of a line that is one record without quotes. Undefined for other lines: use `feed`. */
  cellsOf(line: string): string[] | undefined {
    const { separator, quote } = this.syntax
    if (this.number !== undefined || (quote !== null && line.includes(quote))) return undefined
    const end = line.indexOf(this.otherEnd)
    if (end < 0) return line.split(separator)
    return end === line.length - 1 ? line.slice(0, end).split(separator) : undefined
  }

  /** Returns the records that end on this line. @throws HeedError for a cell larger than 64 MB */
  feed(line: string, number: number): CsvRecord[] {
    const cells = this.cellsOf(line)
    return cells ? [{ cells, number, quoted: NONE, isMalformed: false }] : this.scan(line, number)
  }

  private scan(line: string, number: number): CsvRecord[] {
    const { separator, quote } = this.syntax
    const records: CsvRecord[] = []
    let at = 0
    let end = this.endFrom(line, 0)
    for (;;) {
      this.number ??= number
      if (!this.inQuotes && line[at] === quote) {
        this.inQuotes = true
        this.quoted.push(this.cells.length)
        at++
      }
      const wasInQuotes = this.inQuotes
      if (wasInQuotes && quote !== null) {
        at = this.readQuoted(line, at, quote)
        if (this.inQuotes) return records
      }
      if (end < at) end = this.endFrom(line, at)
      let stop = end
      if (line[at] === separator) stop = at
      else if (at < end) {
        const next = line.indexOf(separator, at)
        if (next >= 0 && next < end) stop = next
      }
      if (wasInQuotes && stop > at) this.isMalformed = true
      this.cells.push(stop > at ? this.cell + line.slice(at, stop) : this.cell)
      this.cell = ''
      at = stop + 1
      if (stop < end) continue
      records.push(this.takeRecord())
      if (at >= line.length) return records
      end = this.endFrom(line, at)
    }
  }

  /** The end of the current record, ignoring quotes. */
  private endFrom(line: string, at: number): number {
    const end = line.indexOf(this.otherEnd, at)
    return end < 0 ? line.length : end
  }

  /** Reads to the closing quote or the end of the line. @returns the position after it */
  private readQuoted(line: string, from: number, quote: string): number {
    for (let at = from; ; ) {
      const end = line.indexOf(quote, at)
      if (end < 0) {
        this.cell += line.slice(at) + this.syntax.lineEnd
        if (this.cell.length > LONGEST) throw this.unclosed()
        return line.length
      }
      if (line[end + 1] !== quote) {
        this.cell += line.slice(at, end)
        this.inQuotes = false
        return end + 1
      }
      this.cell += line.slice(at, end + 1)
      at = end + 2
    }
  }

  /** Called at the end of the file. @throws HeedError if a quoted cell is not closed */
  finish(): void {
    if (this.number !== undefined) throw this.unclosed()
  }

  private unclosed(): HeedError {
    return new HeedError(
      'invalid-data',
      `${this.file}:${this.number}: a quoted cell must have a closing quote`,
      {
        remedy:
          'Close the quote. If quotes are ordinary characters in this file, set `quote` to none.',
      },
    )
  }

  private takeRecord(): CsvRecord {
    const { cells, number = 1, quoted, isMalformed } = this
    this.cells = []
    this.quoted = []
    this.number = undefined
    this.isMalformed = false
    return { cells, number, quoted, isMalformed }
  }
}

/** Whether a record is an empty line. */
export const isBlank = (cells: readonly string[], quoted: readonly number[] = NONE): boolean =>
  cells.length === 1 && cells[0] === '' && quoted.length === 0

const NONE: readonly number[] = []
