import { isJsonObject, type JsonValue, parseJson } from '../../io/files/json.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { type CutValue, JsonCutter } from './json-cutter.ts'
import { readLines } from './lines.ts'
import type { ReadOptions } from './reader.ts'
import { isArticle, questionRows } from './squad.ts'

/** One JSON object a line. */
export async function* readJsonLines(
  file: string,
  mistakes: Mistakes,
  { encoding }: ReadOptions,
): AsyncGenerator<Row> {
  for await (const lines of readLines(file, mistakes, { encoding }))
    for (const { text, number, sound } of lines) {
      if (!sound || text.trim() === '') continue
      const row = toRow(text, file, number, mistakes)
      if (row) yield row
    }
}

/**
 * A list of JSON objects, objects one after the other, or one object with the list under `data`, where each question
 * of SQuAD's articles becomes a row. Rows are numbered by their lines in the first two cases. Only one value is in
 * memory at a time.
 */
export async function* readJson(
  file: string,
  mistakes: Mistakes,
  { encoding }: ReadOptions,
): AsyncGenerator<Row> {
  const cutter = new JsonCutter(file)
  let first: CutValue | undefined // may be the only value, with the list in it
  let count = 0
  for await (const lines of readLines(file, mistakes, { encoding }))
    for (const line of lines)
      for (const value of cutter.feed(line)) {
        if (count++ === 0) first = value
        else yield* rowsOf(first ? [first, value] : [value], file, mistakes)
        if (count > 1) first = undefined
      }
  cutter.finish()
  if (first) yield* cutter.inList ? rowsOf([first], file, mistakes) : inData(first, file, mistakes)
}

function* rowsOf(values: CutValue[], file: string, mistakes: Mistakes) {
  for (const { text, number } of values) {
    const row = toRow(text, file, number, mistakes)
    if (row) yield row
  }
}

function* inData({ text, number }: CutValue, file: string, mistakes: Mistakes) {
  const value = mistakes.attempt({ file, number }, () => parseValue(text))
  if (!isJsonObject(value) || !Array.isArray(value.data)) {
    yield* rowsOf([{ text, number }], file, mistakes)
    return
  }
  let next = 1
  for (const values of value.data) {
    const place = { file, number: next }
    if (isArticle(values)) next = yield* questionRows(values, file, next, mistakes)
    else {
      next++
      if (isJsonObject(values)) yield { values, ...place }
      else mistakes.add(place, `the row must be an object ({ … }), got ${kindOf(values)}`)
    }
  }
}

function toRow(text: string, file: string, number: number, mistakes: Mistakes): Row | undefined {
  const values = mistakes.attempt({ file, number }, () => parseValue(text))
  if (isJsonObject(values)) return { values, file, number }
  if (values !== undefined)
    mistakes.add({ file, number }, `the row must be an object ({ … }), got ${kindOf(values)}`)
  return undefined
}

/** JSON.parse is fast; the other parser refuses `__proto__` keys, and reports mistakes with their position. */
function parseValue(text: string): JsonValue {
  if (!/__proto__|\\u005f/i.test(text)) {
    try {
      return JSON.parse(text)
    } catch {}
  }
  return parseJson(text, 'the row')
}

function kindOf(value: JsonValue): string {
  return Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 40)
}
