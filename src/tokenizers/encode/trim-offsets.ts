import type { TextTokens } from './encoder.ts'

/**
 * Removes white space from offsets: byte-level tokens contain the space before their word, and some added tokens
 * the white space around them. With `keepsFirst`, the space of the first token was added by the tokenizer.
 */
export function trimOffsets(
  tokens: TextTokens,
  text: string,
  tokenOf: (id: number) => string,
  keepsFirst: boolean,
): TextTokens {
  const offsets = tokens.ids.map((id, i): [number, number] => {
    const [start, end] = tokens.offsets[i]
    const kept = keepsFirst && (i === 0 || start === 0)
    if (/^Ġ+$/.test(tokenOf(id))) return kept ? [start, start] : [end, end]
    const covered = text.slice(start, end)
    const space = covered.includes(tokenOf(id)) ? WHITE_SPACE : SPACES // an added token
    const leading = Math.max(0, lengthOf(space.before, covered) - (kept ? 1 : 0))
    const from = Math.min(start + leading, end)
    const trailing = lengthOf(space.after, covered)
    return [from, Math.max(end - trailing, from)]
  })
  return { ...tokens, offsets }
}

function lengthOf(pattern: RegExp, text: string): number {
  return pattern.exec(text)?.[0].length ?? 0
}

const SPACES = { before: /^ */, after: / *$/ }
const WHITE_SPACE = { before: /^\p{White_Space}*/u, after: /\p{White_Space}*$/u }
