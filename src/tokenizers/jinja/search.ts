import { spendText } from './limits.ts'

// Searching in texts. The built-in search takes the product of both lengths for some texts; for long patterns, the
// algorithm of Knuth, Morris and Pratt (1977) never does.

const LONG_PATTERN = 256

/** `text.indexOf(pattern, from)`, in time proportional to the length. */
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

/** `text.lastIndexOf(pattern)`, by a search in the reversed texts. */
export function lastIndexOfText(text: string, pattern: string): number {
  spendText(text.length)
  if (pattern.length <= LONG_PATTERN || text.length < 4 * LONG_PATTERN)
    return text.lastIndexOf(pattern)
  const reversed = (value: string) => value.split('').reverse().join('')
  const at = indexOfText(reversed(text), reversed(pattern))
  return at < 0 ? -1 : text.length - at - pattern.length
}

/** The places of a pattern that do not overlap, from the left, at most `limit`. */
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

/** For each beginning of the pattern, the length of the longest proper one that also ends it. */
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
