// Strings indexed by code point like in Python, instead of UTF-16 units.

/** White space of `str.isspace`, `strip` and `\s` in Python, which differs from JavaScript. */
export const SPACE =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

const ASTRAL = /[\ud800-\udbff][\udc00-\udfff]/
const LEADING = new RegExp(`^[${SPACE}]+`)
const IS_SPACE = new RegExp(`[${SPACE}]`)

/** Whether each code point of a text is one UTF-16 unit. */
const isPlain = (text: string): boolean => !ASTRAL.test(text)

export function characterCount(text: string): number {
  if (isPlain(text)) return text.length
  let count = 0
  for (const _ of text) count++
  return count
}

/** Like `text.slice` with code points. The indices must be within the text. */
export function characterSlice(text: string, from: number, to: number): string {
  return isPlain(text) ? text.slice(from, to) : Array.from(text).slice(from, to).join('')
}

/** The code point at an index; negative indices count from the end. */
export const characterAt = (text: string, index: number): string | undefined =>
  isPlain(text) ? text.at(index) : Array.from(text).at(index)

/** The code points of a text. */
export const charactersOf = (text: string): string[] =>
  isPlain(text) ? text.split('') : Array.from(text)

export function stripLeft(text: string, characters?: string): string {
  if (characters === undefined) return text.replace(LEADING, '')
  const set = new Set(characters)
  let at = 0
  for (const character of text) {
    if (!set.has(character)) break
    at += character.length
  }
  return text.slice(at)
}

export function stripRight(text: string, characters?: string): string {
  let end = text.length
  if (characters === undefined) {
    while (end > 0 && IS_SPACE.test(text[end - 1])) end--
    return text.slice(0, end)
  }
  const set = new Set(characters)
  while (end > 0) {
    const pair = end > 1 && ASTRAL.test(text.slice(end - 2, end))
    const start = end - (pair ? 2 : 1)
    if (!set.has(text.slice(start, end))) break
    end = start
  }
  return text.slice(0, end)
}

/** Splits lines like `str.splitlines`. */
export function splitLines(text: string, keepEnds = false): string[] {
  const lines: string[] = []
  let at = 0
  for (const { 0: ending, index } of text.matchAll(LINE_END)) {
    lines.push(text.slice(at, keepEnds ? index + ending.length : index))
    at = index + ending.length
  }
  if (at < text.length) lines.push(text.slice(at))
  return lines
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: Python ends lines at these characters
const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g

/** The character with a code point; undefined outside of 0 … 0x10ffff. */
export function characterWith(code: bigint | boolean): string | undefined {
  const number = Number(code)
  return number >= 0 && number < 0x110000 ? String.fromCodePoint(number) : undefined
}
