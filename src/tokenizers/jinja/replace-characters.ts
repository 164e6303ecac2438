import { allocateText } from './limits.ts'

/** Characters to process at a time, because a call of `replace` keeps a value for each match until it returns. */
const STRETCH = 1 << 14

/** Replaces the characters that match. The result is charged as a new text while it is built. */
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

/** Whether a unit is a high surrogate. */
const isFirstHalf = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
