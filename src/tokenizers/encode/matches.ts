/** Where a pattern matches a text. */
export interface Match {
  index: number
  end: number
}

/** All matches from left to right. As in Oniguruma, none is empty where another one ends. */
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
