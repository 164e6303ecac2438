import { nextCharacter } from './aligned-text.ts'
import type { TextTokens } from './encoder.ts'

/**
 * Excludes white space at the ends of tokens from their offsets: byte-level tokens contain the space before their word,
 * and some added tokens contain the white space around them. `keepsFirst`: a single space at the start of the first
 * token was added by the tokenizer.
 */
export function trimOffsets(tokens: TextTokens, text: string, keepsFirst: boolean): TextTokens {
  const offsets = tokens.texts.map((token, i): [number, number] => {
    const [start, end] = tokens.offsets[i]
    const added = keepsFirst && (i === 0 || start === 0)
    const leading = SPACES_BEFORE.exec(token)?.[0].length ?? 0
    const from = leading === 1 && added ? start : forward(text, start, { by: leading, end })
    const trailing = SPACES_AFTER.exec(token)?.[0].length ?? 0
    return [from, backward(text, end, { by: trailing, start: from })]
  })
  return { ...tokens, offsets }
}

const SPACES_BEFORE = /^[Ġ\p{White_Space}]*/u
const SPACES_AFTER = /[Ġ\p{White_Space}]*$/u

/** Moves forward by `by` characters, at most to `end`. */
function forward(text: string, at: number, { by, end }: { by: number; end: number }): number {
  let to = at
  for (let n = 0; n < by && to < end; n++) to = nextCharacter(text, to)
  return Math.min(to, end)
}

/** Moves back by `by` characters, at most to `start`. Returns `at` if the text has fewer characters. */
function backward(text: string, at: number, { by, start }: { by: number; start: number }): number {
  let to = at
  for (let n = 0; n < by; n++) {
    if (to === 0) return at
    to -= to > 1 && text.charCodeAt(to - 1) >> 10 === 0x37 ? 2 : 1
  }
  return Math.max(to, start)
}
