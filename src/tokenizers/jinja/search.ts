import { spendText } from './limits.ts'

// String search in linear time. The built-in search can take time proportional to the product of both lengths, so long
// patterns use the algorithm of Knuth, Morris and Pratt (1977).

const LONG_PATTERN = 256

/** `text.indexOf(pattern, from)` in linear time. */
export function indexOfText(text: string, pattern: string, from = 0): number {
  spendText(text.length - from)
  if (pattern.length <= LONG_PATTERN || text.length < 4 * LONG_PATTERN)
    return text.indexOf(pattern, from)
  spendText((text.length - from) * 8)
  const borders = bordersOf(pattern)
  let matched = 0
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    while (matched > 0 && pattern.charCodeAt(matched) !== unit) matched = borders[matched - 1]
    if (pattern.charCodeAt(matched) === unit) matched++
    if (matched === pattern.length) return at - matched + 1
  }
  return -1
}

export const includesText = (text: string, pattern: string): boolean =>
  indexOfText(text, pattern) >= 0

/** `text.lastIndexOf(pattern)`, by searching the reversed text. */
export function lastIndexOfText(text: string, pattern: string): number {
  spendText(text.length)
  if (pattern.length <= LONG_PATTERN || text.length < 4 * LONG_PATTERN)
    return text.lastIndexOf(pattern)
  const reversed = (value: string) => value.split('').reverse().join('')
  const at = indexOfText(reversed(text), reversed(pattern))
  return at < 0 ? -1 : text.length - at - pattern.length
}

/** Positions of up to `limit` non-overlapping matches of a pattern, from the left. */
export function* placesOf(
  text: string,
  pattern: string,
  limit = Number.POSITIVE_INFINITY,
): Generator<number> {
  let at = 0
  for (let i = 0; i < limit; i++) {
    const place = indexOfText(text, pattern, at)
    if (place < 0) return
    yield place
    at = place + pattern.length
  }
}

/** For each prefix of the pattern, the length of its longest proper prefix that is also a suffix. */
function bordersOf(pattern: string): Int32Array {
  const borders = new Int32Array(pattern.length)
  for (let i = 1, matched = 0; i < pattern.length; i++) {
    const unit = pattern.charCodeAt(i)
    while (matched > 0 && pattern.charCodeAt(matched) !== unit) matched = borders[matched - 1]
    if (pattern.charCodeAt(matched) === unit) matched++
    borders[i] = matched
  }
  return borders
}
