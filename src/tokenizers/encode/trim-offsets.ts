import type { TextTokens } from './encoder.ts'

/**
 * Byte-level tokens hold the space before their word, and some added tokens the white space beside
 * them; offsets then leave it out. `keepsFirst`: the first token's space was put there.
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
    const part = text.slice(start, end)
    const space = part.includes(tokenOf(id)) ? WHITE_SPACE : SPACES // an added token is as written
    const leading = Math.max(
      0,
      (space.before.exec(part) as RegExpExecArray)[0].length - (kept ? 1 : 0),
    )
    const from = Math.min(start + leading, end)
    const trailing = (space.after.exec(part) as RegExpExecArray)[0].length
    return [from, Math.max(end - trailing, from)]
  })
  return { ...tokens, offsets }
}

const SPACES = { before: /^ */, after: / *$/ }
const WHITE_SPACE = { before: /^\p{White_Space}*/u, after: /\p{White_Space}*$/u }
