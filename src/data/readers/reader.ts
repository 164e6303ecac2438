import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'

/** Options of `openRows` that readers use. */
export interface ReadOptions {
  /** Names of the columns of a table without a header. */
  columns?: readonly string[]
  /** What a row of plain text is. Default 'line'. */
  unit?: 'line' | 'paragraph' | 'file'
}

/** Reads the rows of one kind of file. See `registerReader`. */
export interface Reader {
  /** The value of `RowOptions.format` that chooses it: `csv`. */
  readonly name: string
  /** Endings of its files, without the dot; `.gz` may follow. May be empty where `accepts` chooses the files. */
  readonly endings: readonly string[]
  /**
   * Claims files by their paths, before any ending is compared: `(path) => path.endsWith('-report.txt')`. A path
   * may also be the name of a file that is not downloaded yet.
   */
  accepts?(path: string): boolean
  /** The file is running text: a language model reads it as it is, not row by row. */
  readonly plainText?: boolean
  /**
   * Yields the rows in their order. A row that cannot be read is skipped and reported to `mistakes`; all mistakes
   * are shown together. `readLines` reads text files of any size, also those that end in .gz.
   */
  read(file: string, mistakes: Mistakes, options: ReadOptions): AsyncIterable<Row>
}
