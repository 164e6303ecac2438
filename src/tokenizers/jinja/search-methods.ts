import { integerOf, textOf } from './arguments.ts'
import { characterCount, characterSlice } from './characters.ts'
import { fail } from './failure.ts'
import { allocateText } from './limits.ts'
import type { Members } from './methods.ts'
import { isText, rawText, Tuple, typeName, type Value } from './objects.ts'
import { indexOfText, lastIndexOfText, placesOf } from './search.ts'
import { method, type Parameter } from './signature.ts'

const WITHIN: readonly Parameter[] = [
  ['start', null],
  ['end', null],
]

/** A method that searches in a range of the text, from `start` to `end`. */
const searching =
  (
    name: string,
    search: (part: string, sub: Value, offset: number) => Value,
    outside: () => Value,
  ) =>
  (text: string) =>
    method(`str.${name}`, ['sub', ...WITHIN], ([sub, start, end]) => {
      if (start === null && end === null) return search(text, sub, 0)
      const length = characterCount(text)
      const bound = (value: Value, missing: number): number => {
        const at = value === null ? missing : integerOf(value)
        return Math.min(Math.max(at < 0 ? at + length : at, 0), length)
      }
      const from = bound(start, 0)
      const to = bound(end, length)
      const beyond = start !== null && integerOf(start) > length
      return from > to || beyond ? outside() : search(characterSlice(text, from, to), sub, from)
    })

const place = (part: string, at: number, offset: number): bigint =>
  at < 0 ? -1n : BigInt(offset + characterCount(part.slice(0, at)))

const first = (part: string, sub: Value, offset: number): bigint =>
  place(part, indexOfText(part, textOf(sub)), offset)
const last = (part: string, sub: Value, offset: number): bigint =>
  place(part, lastIndexOfText(part, textOf(sub)), offset)

function demanded(at: bigint): bigint {
  return at < 0n ? fail('ValueError', 'substring not found') : at
}

const matches = (name: string, test: (part: string, affix: string) => boolean) =>
  searching(
    name,
    (part, sub) => {
      const affixes = sub instanceof Tuple ? sub.items : [sub]
      return affixes.some((affix) => {
        if (!isText(affix))
          fail(
            'TypeError',
            `${name} first arg must be str or a tuple of str, not ${typeName(affix)}`,
          )
        return test(part, rawText(affix))
      })
    },
    () => false,
  )

/** Methods of str that search and replace. */
export const searchMethods: Members<string> = {
  find: searching('find', first, () => -1n),
  rfind: searching('rfind', last, () => -1n),
  index: searching(
    'index',
    (...args) => demanded(first(...args)),
    () => demanded(-1n),
  ),
  rindex: searching(
    'rindex',
    (...args) => demanded(last(...args)),
    () => demanded(-1n),
  ),
  count: searching(
    'count',
    (part, sub) => BigInt(occurrences(part, textOf(sub))),
    () => 0n,
  ),
  startswith: matches('startswith', (part, affix) => part.startsWith(affix)),
  endswith: matches('endswith', (part, affix) => part.endsWith(affix)),
  replace: (text) =>
    method('str.replace', ['old', 'new', ['count', -1n]], ([old, replacement, count]) =>
      replaced(text, textOf(old), textOf(replacement), integerOf(count)),
    ),
}

function occurrences(text: string, sub: string): number {
  if (sub === '') return characterCount(text) + 1
  let count = 0
  for (const _ of placesOf(text, sub)) count++
  return count
}

/** `text.replace(old, replacement, count)`; all occurrences if the count is negative. */
export function replaced(text: string, old: string, replacement: string, count: number): string {
  const limit = count < 0 ? Number.POSITIVE_INFINITY : count
  if (old === '') return interleaved(text, replacement, limit)
  const pieces: string[] = []
  let at = 0
  for (const place of placesOf(text, old, limit)) {
    allocateText(place - at + replacement.length)
    pieces.push(text.slice(at, place), replacement)
    at = place + old.length
  }
  if (at === 0) return text
  pieces.push(text.slice(at))
  return pieces.join('')
}

function interleaved(text: string, replacement: string, limit: number): string {
  const characters = Array.from(text)
  const count = Math.min(limit, characters.length + 1)
  allocateText(text.length + count * replacement.length)
  const pieces = characters.map((character, i) => (i < count ? replacement + character : character))
  return pieces.join('') + (count > characters.length ? replacement : '')
}
