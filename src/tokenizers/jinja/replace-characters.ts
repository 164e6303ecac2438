import { allocateText } from './limits.ts'

/** Characters that are replaced at a time: a call of `replace` holds a value for each match until it ends. */
const STRETCH = 1 << 14

/** Replaces the characters that match; the result counts as a new text while it is made. */
export function replaceCharacters(
  text: string,
  pattern: RegExp,
  replacement: (character: string) => string,
): string {
  let result = ''
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + STRETCH, text.length)
    if (isFirstHalf(text.charCodeAt(end - 1)) && end < text.length) end++
    const piece = text.slice(at, end).replace(pattern, replacement)
    allocateText(piece.length)
    result += piece
    at = end
  }
  return result
}

/** Of a character of two units. */
const isFirstHalf = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
