import { having } from '../util/options.ts'
import type { Mistakes } from './mistakes.ts'
import type { FileFormat } from './readers/reader.ts'

/** Check for arguments that take rows. */
export const ROW_SOURCE = having('the result of `openRows`', 'rows')

/** A row of data with its file and number. */
export interface Row {
  /** Values by column. Cells of CSV files are strings; JSON and Parquet keep their types. */
  readonly values: Readonly<Record<string, unknown>>
  /** Path of the file that contains the row. */
  readonly file: string
  /** Number of the line or row in that file, from 1. */
  readonly number: number
}

/** A source of rows, read on demand. Each call of `rows` starts from the first row. */
export interface RowSource {
  /** Names of the columns. */
  readonly columns: readonly string[]
  /** The files of the rows; undefined if rows refer to other files, such as images. */
  readonly files?: readonly string[]
  /**
   * Yields the rows. Invalid rows are added to `mistakes`, where the caller may add others. Without `mistakes`, this
   * method throws.
   * @throws HeedError that lists the invalid rows, when there are 20 or all rows have been read
   */
  rows(mistakes?: Mistakes): AsyncIterable<Row>
  /** Detected properties of the files, such as the separator of a table. */
  formats?(): Promise<{ file: string; format: FileFormat }[]>
}
