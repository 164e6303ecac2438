/** The range of a match of a pattern. */
export interface Match {
  index: number
  end: number
}

/** Yields all matches from left to right. As in Oniguruma, there is no empty match at the end of another match. */
export function* matchesOf(text: string, pattern: RegExp): Generator<Match> {
  if (text === '') return
  let last = -1
  for (const { 0: match, index } of text.matchAll(pattern)) {
    const end = index + match.length
    if (end === index && end === last) continue
    last = end
    yield { index, end }
  }
}
