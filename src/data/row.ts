import { having } from '../util/options.ts'
import type { Mistakes } from './mistakes.ts'
import type { FileFormat } from './readers/reader.ts'

/** What an argument with rows must be. */
export const ROW_SOURCE = having('the result of `openRows`', 'rows')

/** A row of data, with its file and number. */
export interface Row {
  /** By column. Cells of CSV are strings; JSON and Parquet keep their types. */
  readonly values: Readonly<Record<string, unknown>>
  readonly file: string
  /** Line or row in that file, from 1. */
  readonly number: number
}

/** Rows that are read when they are requested; every call of `rows` starts over. */
export interface RowSource {
  readonly columns: readonly string[]
  /** The files of the rows; undefined where rows refer to further files, as those of images do. */
  readonly files?: readonly string[]
  /**
   * Rows that cannot be read are added to `mistakes`, together with those that the caller adds. Without `mistakes`
   * they are thrown here.
   * @throws HeedError with the wrong rows, once there are twenty or all rows have been read
   */
  rows(mistakes?: Mistakes): AsyncIterable<Row>
  /** What was detected in the files, where their readers detect something, such as the separator of a table. */
  formats?(): Promise<{ file: string; format: FileFormat }[]>
}
