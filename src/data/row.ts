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
  /**
   * @throws HeedError with the rows that are wrong, up to twenty of them, once twenty are met or all
   * rows have been read
   */
  rows(): AsyncIterable<Row>
}
