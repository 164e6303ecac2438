import { extname } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { type Line, readLines } from './lines.ts'
import type { ReadOptions } from './reader.ts'

/**
 * Reads files whose lines correspond, such as `train.en` and `train.fr`. Each file is a column, named after its ending.
 * A pair with one empty line is reported as an error.
 */
export async function* readParallelText(
  files: readonly string[],
  mistakes: Mistakes,
  { encoding }: ReadOptions = {},
): AsyncGenerator<Row> {
  const columns = parallelColumns(files)
  const sides = files.map((file) => eachLine(file, mistakes, encoding))
  try {
    for (let number = 1; ; number++) {
      const lines: IteratorResult<Line, void>[] = []
      for (const side of sides) lines.push(await side.next())
      if (lines.every(({ done }) => done)) return
      const short = lines.findIndex(({ done }) => done)
      if (short >= 0) throw unequal(files, short, number)
      const sound = lines.every(({ value }) => (value as Line).sound)
      const texts = lines.map(({ value }) => (value as Line).text.trim())
      const empty = texts.indexOf('')
      if (empty >= 0 && texts.some((text) => text !== ''))
        mistakes.add(
          { file: files[empty], number },
          'the line must not be empty, because the corresponding line is not',
        )
      else if (sound && empty < 0) {
        const values = Object.fromEntries(columns.map((column, i) => [column, texts[i]]))
        yield { values, file: files[0], number }
      }
    }
  } finally {
    for (const side of sides) await side.return()
  }
}

export function parallelColumns(files: readonly string[]): string[] {
  return files.map((file) => extname(file.replace(/\.gz$/i, '')).slice(1))
}

async function* eachLine(
  file: string,
  mistakes: Mistakes,
  encoding: string | undefined,
): AsyncGenerator<Line, void> {
  for await (const lines of readLines(file, mistakes, { encoding })) yield* lines
}

function unequal(files: readonly string[], short: number, number: number): HeedError {
  const other = files[short === 0 ? 1 : 0]
  return new HeedError(
    'invalid-data',
    `${files[short]} must have as many lines as ${other}, got ${number - 1}`,
    { remedy: 'Each line must correspond to the line with the same number in the other file.' },
  )
}
