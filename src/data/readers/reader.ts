import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'

/** Options of `openRows` that readers use. */
export interface ReadOptions {
  /** Names of the columns of a table without a header. */
  columns?: readonly string[]
  /** What a row of plain text is. Default 'line'. */
  unit?: 'line' | 'paragraph' | 'file'
  /** The separator of a table: one character, or `tab`. Default: detected. */
  separator?: string
  /** The quote of a table: one character, or `none`. Default: detected. */
  quote?: string
  /** The encoding of text: `windows-1252`, `utf-16le` … Default: UTF-8, or UTF-16 with its byte order mark. */
  encoding?: string
}

/** How a file is written, by property: `separator`, `encoding` … */
export type FileFormat = Readonly<Record<string, string>>

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
  /** What was detected in a file, for `heed data`. */
  describe?(file: string, options: ReadOptions): Promise<FileFormat>
}

/** A reader whose rows come many at a time, because a step of an asynchronous loop costs more than a row. */
export interface BlockReader extends Omit<Reader, 'read'> {
  /** As `Reader.read`. A block is read once, before the next one is requested. */
  read(file: string, mistakes: Mistakes, options: ReadOptions): AsyncIterable<Iterable<Row>>
}

/** Blocks of one row. */
export async function* inBlocks(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  for await (const row of rows) yield [row]
}
