import type { Mistakes } from './mistakes.ts'

/** One example as it was read, and where from. */
export interface Row {
  /** By column. Cells of CSV are strings; JSON and Parquet keep their types. */
  readonly values: Readonly<Record<string, unknown>>
  readonly file: string
  /** Line or row in that file, from 1. */
  readonly number: number
}

/** Rows that are read as they are asked for; every call of `rows` begins anew. */
export interface RowSource {
  readonly columns: readonly string[]
  /** All that rows are read from, where that is files and nothing that they point to, as images. */
  readonly files?: readonly string[]
  /**
   * `mistakes` gets the rows that cannot be read, beside what the caller finds wrong with others; without
   * it they are thrown here.
   * @throws HeedError with the rows that are wrong, up to twenty of them, once twenty are met or all
   * rows have been read
   */
  rows(mistakes?: Mistakes): AsyncIterable<Row>
}
