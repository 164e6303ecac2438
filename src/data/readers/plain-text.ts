import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { LONGEST, readLines } from './lines.ts'
import type { ReadOptions } from './reader.ts'

/** Rows of one column, `text`: lines, paragraphs (set apart by empty lines) or the whole file. */
export async function* readPlainText(
  file: string,
  mistakes: Mistakes,
  { unit = 'line' }: ReadOptions,
): AsyncGenerator<Row> {
  let parts: string[] = []
  let first = 1
  let length = 0
  for await (const lines of readLines(file, mistakes))
    for (const { text, number, sound } of lines) {
      if (!sound) continue
      const empty = text.trim() === ''
      if (unit !== 'file' && empty && parts.length > 0) {
        yield toRow(parts, file, first)
        parts = []
      }
      if (empty && (unit !== 'file' || parts.length === 0)) continue
      if (parts.length === 0) {
        first = number
        length = 0
      }
      length += text.length + 1
      if (length > LONGEST)
        throw new HeedError(
          'invalid-data',
          `${file}:${first}: a ${unit} of more than ${LONGEST >> 20} MB`,
        )
      parts.push(text)
      if (unit !== 'line') continue
      yield toRow(parts, file, first)
      parts = []
    }
  if (parts.length > 0) yield toRow(parts, file, first)
}

function toRow(parts: string[], file: string, number: number): Row {
  return { values: { text: parts.join('\n').trimEnd() }, file, number }
}
