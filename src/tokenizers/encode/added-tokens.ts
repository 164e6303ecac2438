import type { AddedTokenJson } from '../formats/tokenizer-json.ts'

/** An added token found in a text, with the white space that it includes. */
export interface AddedMatch {
  id: number
  from: number
  to: number
}

/** Finds added tokens in a text: the leftmost, and the longest of those. */
export class AddedTokens {
  private readonly byStart = new Map<string, Map<string, AddedTokenJson>>()
  private readonly lengths = new Map<string, number[]>()

  /** @param tokens tokens with the text to search for */
  constructor(tokens: Iterable<readonly [text: string, token: AddedTokenJson]>) {
    for (const [text, token] of tokens) {
      if (text === '') continue
      const same = this.byStart.get(text[0]) ?? new Map<string, AddedTokenJson>()
      this.byStart.set(text[0], same.set(text, token))
    }
    for (const [start, same] of this.byStart) {
      const lengths = new Set([...same.keys()].map((text) => text.length))
      this.lengths.set(
        start,
        [...lengths].sort((a, b) => b - a),
      )
    }
  }

  find(text: string): AddedMatch[] {
    const matches: AddedMatch[] = []
    if (this.byStart.size === 0) return matches
    let taken = 0
    for (let at = 0; at < text.length; at++) {
      const match = this.longestAt(text, at)
      if (!match) continue
      const end = at + match.length
      const { token } = match
      if (!token.single_word || standsAlone(text, at, end)) {
        const from = token.lstrip ? Math.max(spaceBefore(text, at, taken), taken) : at
        const to = token.rstrip ? spaceAfter(text, end) : end
        matches.push({ id: token.id, from, to })
        taken = to
      }
      at = end - 1
    }
    return matches
  }

  private longestAt(
    text: string,
    at: number,
  ): { token: AddedTokenJson; length: number } | undefined {
    const same = this.byStart.get(text[at])
    if (!same) return undefined
    for (const length of this.lengths.get(text[at]) ?? []) {
      const token = same.get(text.slice(at, at + length))
      if (token) return { token, length }
    }
    return undefined
  }
}

const SPACE = /\p{White_Space}/u
const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]'
const ENDS_IN_WORD = new RegExp(`${WORD}$`, 'u')
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, 'u')

function standsAlone(text: string, from: number, to: number): boolean {
  const before = text.slice(Math.max(0, from - 2), from)
  return !ENDS_IN_WORD.test(before) && !STARTS_WITH_WORD.test(text.slice(to, to + 2))
}

function spaceBefore(text: string, at: number, least: number): number {
  let from = at
  while (from > least && SPACE.test(text[from - 1])) from--
  return from
}

function spaceAfter(text: string, at: number): number {
  let to = at
  while (to < text.length && SPACE.test(text[to])) to++
  return to
}
