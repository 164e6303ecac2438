/** Decodes ids one at a time. */
export interface DecodeStream {
  /** The text that is complete now: '' while a character is incomplete. */
  push(id: number): string
  /** The rest; an incomplete character becomes U+FFFD. */
  end(): string
}

/** For byte-level vocabularies: the bytes go through a UTF-8 decoder, which waits for complete characters. */
export function byteStream({
  skip,
  added,
  tokenOf,
  bytesOf,
}: {
  skip: (id: number) => boolean
  added: ReadonlySet<number>
  tokenOf: (id: number) => string
  bytesOf: (token: string) => Uint8Array
}): DecodeStream {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return {
    push(id) {
      if (skip(id)) return ''
      if (added.has(id)) return decoder.decode() + tokenOf(id)
      return decoder.decode(bytesOf(tokenOf(id)), { stream: true })
    },
    end: () => decoder.decode(),
  }
}

/**
 * For any vocabulary: decodes the last few ids with and without the newest ones, and returns what the newest
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
