import { cleanedUp } from './clean-up.ts'
import type { Decoder } from './steps.ts'

/** Decodes ids one at a time. */
export interface DecodeStream {
  /** The text that no later id can change: '' while a character is incomplete. */
  push(id: number): string
  /** The rest; an incomplete character becomes U+FFFD. */
  end(): string
}

/** The stream of a decoder. */
export function pieceStream({
  skip,
  tokenOf,
  stream,
  cleans,
}: {
  skip: (id: number) => boolean
  tokenOf: (id: number) => string
  stream: NonNullable<Decoder['stream']>
  /** Whether the text is cleaned up. */
  cleans: boolean
}): DecodeStream {
  let text = ''
  const last = { push: (piece: string) => void (text += piece), end() {} }
  const first = stream(cleans ? cleanedUp(last) : last)
  let isEmpty = true
  const take = (work: () => void): string => {
    text = ''
    work()
    return text
  }
  return {
    push(id) {
      if (skip(id)) return ''
      isEmpty = false
      return take(() => first.push(tokenOf(id), true))
    },
    end: () => (isEmpty ? '' : take(() => first.end())),
  }
}

/** A stream that continues a text: the ids of the text are read first, and the text itself is left out. */
export function continued(
  stream: DecodeStream,
  ids: Iterable<number>,
  textBefore: string,
): DecodeStream {
  let before = textBefore
  const fresh = (text: string): string => {
    let same = 0
    while (same < text.length && same < before.length && text[same] === before[same]) same++
    before = same === text.length ? before.slice(same) : ''
    return text.slice(same)
  }
  for (const id of ids) fresh(stream.push(id))
  return { push: (id) => fresh(stream.push(id)), end: () => fresh(stream.end()) }
}

/**
 * For decoders without a stream: decodes the last few ids with and without the newest ones, and returns what the newest
 * add, because the text of a token may depend on the one before it.
 */
export function windowStream(
  skip: (id: number) => boolean,
  decode: (ids: number[]) => string,
): DecodeStream {
  let ids: number[] = []
  let shownIds = 0
  let shown = ''
  let waited = 0 // ids since which the text has ended in an incomplete character

  function show(text: string): string {
    const fresh = text.slice(shown.length)
    ids = ids.slice(shownIds)
    shownIds = ids.length
    shown = decode(ids)
    waited = 0
    return fresh
  }

  return {
    push(id) {
      if (skip(id)) return ''
      ids.push(id)
      const text = decode(ids)
      waited = text.endsWith('\uFFFD') ? waited + 1 : 0
      if (waited > 0 && waited < LONGEST_WAIT) return ''
      return text.length <= shown.length ? '' : show(text)
    },
    end: () => show(decode(ids)),
  }
}

// A character has at most 4 bytes: after more, the text contains U+FFFD itself, or is noise.
const LONGEST_WAIT = 16
