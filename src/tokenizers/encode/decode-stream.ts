import { cleanedUp } from './clean-up.ts'
import type { Decoder } from './steps.ts'

/** Decodes ids one at a time, for example while a model generates. */
export interface DecodeStream {
  /** Adds an id. Returns the new text that later ids cannot change; '' while a character is incomplete. */
  push(id: number): string
  /** Returns the rest of the text. An incomplete character becomes U+FFFD. */
  end(): string
}

/** Makes a stream from a decoder that supports it. */
export function pieceStream({
  skip,
  tokenOf,
  stream,
  cleans,
}: {
  skip: (id: number) => boolean
  tokenOf: (id: number) => string
  stream: NonNullable<Decoder['stream']>
  /** Whether to apply `cleanUp`. */
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

/** Makes a stream that continues after the given ids. Their text is not returned. */
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
 * Stream for decoders without one. It decodes the last few ids with and without the newest ids and returns the
 * difference, because the text of a token may depend on the previous token.
 */
export function windowStream(
  skip: (id: number) => boolean,
  decode: (ids: number[]) => string,
): DecodeStream {
  let ids: number[] = []
  let shownIds = 0
  let shown = ''
  let waited = 0 // number of ids since the text has ended in an incomplete character

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

// A character has at most 4 bytes. After more, the text contains U+FFFD itself or is noise.
const LONGEST_WAIT = 16
