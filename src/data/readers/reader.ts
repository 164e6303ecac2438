import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'

/** What is said of the files that a reader opens. */
export interface ReadOptions {
  /** Names of the columns of a table whose first line is no header. */
  columns?: readonly string[]
  /** What a row of plain text is. Default 'line'. */
  unit?: 'line' | 'paragraph' | 'file'
}

/** Reads the rows of one file. What is wrong with a row is noted, and the row left out. */
export type Reader = (file: string, mistakes: Mistakes, options: ReadOptions) => AsyncIterable<Row>
