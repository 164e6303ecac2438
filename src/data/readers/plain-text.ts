import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { LONGEST, readLines } from './lines.ts'
import type { ReadOptions } from './reader.ts'

/** Rows with one column, `text`: lines, paragraphs (separated by empty lines) or the whole file. */
export async function* readPlainText(
  file: string,
  mistakes: Mistakes,
  { unit = 'line', encoding }: ReadOptions,
): AsyncGenerator<Row> {
  let linesOfRow: string[] = []
  let first = 1
  let length = 0
  for await (const lines of readLines(file, mistakes, { encoding, isPlain: true }))
    for (const { text, number, sound } of lines) {
      if (!sound) continue
      const empty = text.trim() === ''
      if (unit !== 'file' && empty && linesOfRow.length > 0) {
        yield toRow(linesOfRow, file, first)
        linesOfRow = []
      }
      if (empty && (unit !== 'file' || linesOfRow.length === 0)) continue
      if (linesOfRow.length === 0) {
        first = number
        length = 0
      }
      length += text.length + 1
      if (length > LONGEST)
        throw new HeedError(
          'invalid-data',
          `${file}:${first}: a ${unit} must be at most ${LONGEST >> 20} MB`,
          { remedy: 'Choose a smaller `unit`, or split the file.' },
        )
      linesOfRow.push(text)
      if (unit !== 'line') continue
      yield toRow(linesOfRow, file, first)
      linesOfRow = []
    }
  if (linesOfRow.length > 0) yield toRow(linesOfRow, file, first)
}

function toRow(lines: string[], file: string, number: number): Row {
  return { values: { text: lines.join('\n').trimEnd() }, file, number }
}
