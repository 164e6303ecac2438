/**
 * Joins pieces of a text and yields parts of about `size`, cut between a word and the white space after it. Text is
 * buffered until there is such a place.
 */
export function* cutBeforeSpaces(pieces: Iterable<string>, size: number): Generator<string> {
  let held = ''
  for (const piece of pieces) {
    let searched = held.length
    held += piece
    let start = 0
    for (;;) {
      const cut = findCut(held, Math.max(start + size, searched))
      if (cut < 0) break
      yield held.slice(start, cut)
      start = cut
      searched = cut
    }
    held = held.slice(start)
  }
  if (held.length > 0) yield held
}

function findCut(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code === SPACE || code === NEWLINE) && !WHITE.test(text[i - 1])) return i
  }
  return -1
}

const SPACE = 32
const NEWLINE = 10
const WHITE = /\p{White_Space}/u
