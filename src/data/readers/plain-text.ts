import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { type Line, LONGEST, readLines } from './lines.ts'
import type { ReadOptions } from './reader.ts'

/** Reads lines, paragraphs (separated by empty lines) or the whole file as rows with one column, `text`. */
export async function* readPlainText(
  file: string,
  mistakes: Mistakes,
  { unit = 'line', encoding }: ReadOptions,
): AsyncGenerator<Iterable<Row>> {
  let linesOfRow: string[] = []
  let first = 1
  let length = 0
  function* rowsIn(lines: readonly Line[]): Generator<Row> {
    for (const { text, number, sound } of lines) {
      if (!sound) continue
      const empty = text.trim() === ''
      if (unit !== 'file' && empty && linesOfRow.length > 0) yield takeRow()
      if (empty && (unit !== 'file' || linesOfRow.length === 0)) continue
      if (linesOfRow.length === 0) {
        first = number
        length = 0
      }
      length += text.length + 1
      if (length > LONGEST) throw tooLong(file, first, unit)
      linesOfRow.push(text)
      if (unit === 'line') yield takeRow()
    }
  }
  const takeRow = (): Row => {
    const text = linesOfRow.join('\n').trimEnd()
    linesOfRow = []
    return { values: { text }, file, number: first }
  }
  for await (const lines of readLines(file, mistakes, { encoding, isPlain: true }))
    yield rowsIn(lines)
  if (linesOfRow.length > 0) yield [takeRow()]
}

const tooLong = (file: string, number: number, unit: string): HeedError =>
  new HeedError(
    'invalid-data',
    `${file}:${number}: a ${unit} must be at most ${LONGEST >> 20} MB`,
    {
      remedy: 'Choose a smaller `unit`, or split the file.',
    },
  )
