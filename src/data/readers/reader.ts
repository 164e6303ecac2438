import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'

/** Options of `openRows` that are passed to readers. */
export interface ReadOptions {
  /** Names of the columns of a table without a header. */
  columns?: readonly string[]
  /** Unit of plain text that becomes a row. Default 'line'. */
  unit?: 'line' | 'paragraph' | 'file'
  /** The separator of a table: one character, or `tab`. Default: detected. */
  separator?: string
  /** The quote of a table: one character, or `none`. Default: detected. */
  quote?: string
  /** The encoding of text: `windows-1252`, `utf-16le` … Default: UTF-8, or UTF-16 with a byte order mark. */
  encoding?: string
}

/** Detected properties of a file, such as `separator` and `encoding`. */
export type FileFormat = Readonly<Record<string, string>>

/** Reads the rows of one kind of file. See `registerReader`. */
export interface Reader {
  /** Name of the format, used in `RowOptions.format`: `csv`. */
  readonly name: string
  /** File name endings, without the dot. `.gz` may follow. May be empty if there is `accepts`. */
  readonly endings: readonly string[]
  /**
   * Claims files by path, for example `(path) => path.endsWith('-report.txt')`. It is called before endings are
   * compared, possibly for a file that has not been downloaded yet.
   */
  accepts?(path: string): boolean
  /** Whether files are plain text, which language models read as a whole instead of row by row. */
  readonly plainText?: boolean
  /**
   * Yields the rows in order. It should skip an invalid row and report it with `mistakes.add`, so that all errors are
   * shown together. `readLines` reads text files of any size, including .gz files.
   */
  read(file: string, mistakes: Mistakes, options: ReadOptions): AsyncIterable<Row>
  /** Returns the detected properties of a file for `heed data`. */
  describe?(file: string, options: ReadOptions): Promise<FileFormat>
}

/** A reader that yields blocks of rows, because a step of an asynchronous loop costs more than a row. */
export interface BlockReader extends Omit<Reader, 'read'> {
  /** Like `Reader.read`. A block is iterated once, before the next one is requested. */
  read(file: string, mistakes: Mistakes, options: ReadOptions): AsyncIterable<Iterable<Row>>
}

/** Wraps each row in a block. */
export async function* inBlocks(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  for await (const row of rows) yield [row]
}
