import { isJsonObject, type JsonValue, parseJson } from '../../io/files/json.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { type CutValue, JsonCutter } from './json-cutter.ts'
import { type Line, readLines } from './lines.ts'
import type { ReadOptions } from './reader.ts'
import { isArticle, questionRows } from './squad.ts'

/** Reads one JSON object per line. */
export async function* readJsonLines(
  file: string,
  mistakes: Mistakes,
  { encoding }: ReadOptions,
): AsyncGenerator<Iterable<Row>> {
  for await (const lines of readLines(file, mistakes, { encoding }))
    yield rowsOf(lines.filter(({ text, sound }) => sound && text.trim() !== ''), file, mistakes) // biome-ignore format: one line
}

/**
 * Reads a list of JSON objects, consecutive objects, or one object with the list under `data`. For SQuAD, each question
 * of an article becomes a row. The number of a row is its line in the first two cases. Only one value is in memory at
 * a time.
 */
export async function* readJson(
  file: string,
  mistakes: Mistakes,
  { encoding }: ReadOptions,
): AsyncGenerator<Iterable<Row>> {
  const cutter = new JsonCutter(file)
  let first: CutValue | undefined // may be the only value, which contains the list
  let count = 0
  function* valuesIn(lines: readonly Line[]): Generator<CutValue> {
    for (const line of lines)
      for (const value of cutter.feed(line)) {
        if (count++ === 0) first = value
        else {
          if (first) yield first
          first = undefined
          yield value
        }
      }
  }
  for await (const lines of readLines(file, mistakes, { encoding }))
    yield rowsOf(valuesIn(lines), file, mistakes)
  cutter.finish()
  if (first) yield cutter.inList ? rowsOf([first], file, mistakes) : inData(first, file, mistakes)
}

function* rowsOf(
  values: Iterable<Pick<CutValue, 'text' | 'number'>>,
  file: string,
  mistakes: Mistakes,
): Generator<Row> {
  for (const { text, number } of values) {
    const row = toRow(text, file, number, mistakes)
    if (row) yield row
  }
}

function* inData({ text, number }: CutValue, file: string, mistakes: Mistakes): Generator<Row> {
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

/** JSON.parse is fast; our parser rejects `__proto__` keys and reports the position of errors. */
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
