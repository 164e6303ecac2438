import { integerOf, textOf } from './arguments.ts'
import { SPACE } from './characters.ts'
import { fail } from './failure.ts'
import { allocateList, allocateText } from './limits.ts'
import type { Members } from './methods.ts'
import { isText, rawText, Tuple, typeName, type Value } from './objects.ts'
import { indexOfText, lastIndexOfText, placesOf } from './search.ts'
import { method, type Parameter } from './signature.ts'

const SPLIT: readonly Parameter[] = [
  ['sep', null],
  ['maxsplit', -1n],
]

/** Methods of str that split a text. */
export const splitMethods: Members<string> = {
  split: (text) =>
    method('str.split', SPLIT, ([separator, most]) => split(text, separator, most), false),
  rsplit: (text) =>
    method(
      'str.rsplit',
      SPLIT,
      ([separator, most]) => splitFromRight(text, separator, most),
      false,
    ),
  partition: (text) =>
    method('str.partition', ['sep'], ([value]) => {
      const separator = separatorOf(value)
      const at = indexOfText(text, separator)
      return at < 0 ? new Tuple([text, '', '']) : cutAt(text, at, separator)
    }),
  rpartition: (text) =>
    method('str.rpartition', ['sep'], ([value]) => {
      const separator = separatorOf(value)
      const at = lastIndexOfText(text, separator)
      return at < 0 ? new Tuple(['', '', text]) : cutAt(text, at, separator)
    }),
}

const cutAt = (text: string, at: number, separator: string): Tuple =>
  new Tuple([text.slice(0, at), separator, text.slice(at + separator.length)])

function separatorOf(value: Value): string {
  const separator = textOf(value)
  return separator === '' ? fail('ValueError', 'empty separator') : separator
}

const limitOf = (most: Value): number => {
  const limit = integerOf(most)
  return limit < 0 ? Number.POSITIVE_INFINITY : limit
}

function split(text: string, separator: Value, most: Value): Value[] {
  const limit = limitOf(most)
  allocateText(text.length)
  if (separator === null) return words(text, limit)
  const pieces: string[] = []
  let at = 0
  const by = splitterOf(separator)
  for (const place of placesOf(text, by, limit)) {
    allocateList(1)
    pieces.push(text.slice(at, place))
    at = place + by.length
  }
  pieces.push(text.slice(at))
  return pieces
}

function splitterOf(value: Value): string {
  if (!isText(value)) fail('TypeError', `must be str or None, not ${typeName(value)}`)
  return separatorOf(rawText(value))
}

const WORD = new RegExp(`[^${SPACE}]+`, 'g')

/** Splits at white space. After `limit` splits, the last piece is the rest of the text. */
function words(text: string, limit: number): string[] {
  const pieces: string[] = []
  for (const { 0: word, index } of text.matchAll(WORD)) {
    if (pieces.length === limit) {
      pieces.push(text.slice(index))
      return pieces
    }
    allocateList(1)
    pieces.push(word)
  }
  return pieces
}

function splitFromRight(text: string, separator: Value, most: Value): Value[] {
  const limit = limitOf(most)
  if (limit === Number.POSITIVE_INFINITY) return split(text, separator, most)
  allocateText(text.length)
  return separator === null
    ? lastWords(text, limit)
    : lastPieces(text, splitterOf(separator), limit)
}

function lastPieces(text: string, separator: string, limit: number): string[] {
  const pieces: string[] = []
  let rest = text
  while (pieces.length < limit) {
    const at = lastIndexOfText(rest, separator)
    if (at < 0) break
    pieces.unshift(rest.slice(at + separator.length))
    rest = rest.slice(0, at)
  }
  return [rest, ...pieces]
}

function lastWords(text: string, limit: number): string[] {
  const all = Array.from(text.matchAll(WORD))
  const kept = limit === 0 ? [] : all.slice(-limit)
  const pieces = kept.map(([word]) => word)
  if (kept.length === all.length) return pieces
  const last = all[all.length - kept.length - 1]
  return [text.slice(0, last.index + last[0].length), ...pieces]
}
