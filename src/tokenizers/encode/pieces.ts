import { HeedError, shown } from '../../util/errors.ts'
import { nextCharacter } from './aligned-text.ts'
import type { TokenIds } from './steps.ts'

/** The tokens of one word. */
export interface Pieces {
  ids: number[]
  /** Where each token starts and ends, in UTF-16 units of the word. */
  starts: number[]
  ends: number[]
  /** The text of each token, where it is not that of the vocabulary: an unknown word as it was written. */
  texts?: string[]
}

export function push({ ids, starts, ends }: Pieces, id: number, start: number, end: number): void {
  ids.push(id)
  starts.push(start)
  ends.push(end)
}

/**
 * The id of the unknown token.
 * @throws HeedError when the model has none for this word
 */
export function unknownId(word: string, token: string | undefined, vocab: TokenIds): number {
  const id = token === undefined ? undefined : vocab.get(token)
  if (id !== undefined) return id
  throw new HeedError('invalid-data', `Every word must be in the vocabulary, got ${shown(word)}`, {
    key: 'text',
    value: word,
    remedy: 'This tokenizer has no unknown token (`unk_token`). Remove the word from the text.',
  })
}

/** The byte tokens of a text; undefined if the vocabulary lacks one of them. */
export function byteTokens(text: string, vocab: TokenIds): number[] | undefined {
  const ids: number[] = []
  for (const byte of encoder.encode(text)) {
    const id = vocab.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
    if (id === undefined) return undefined
    ids.push(id)
  }
  return ids
}

const encoder = new TextEncoder()

/** The pieces of a word, given the number of UTF-8 bytes of each of its tokens in order. */
export function piecesOfBytes(
  word: string,
  { ids, sizes }: { ids: number[]; sizes: readonly number[] },
): Pieces {
  const starts: number[] = []
  const ends: number[] = []
  let at = 0
  for (const size of sizes) {
    starts.push(at)
    at += size
    ends.push(at)
  }
  return inUnits(word, { ids, starts, ends })
}

/**
 * Positions in UTF-8 bytes as positions in UTF-16 units. A token that is part of a character gets the position of the
 * whole character.
 */
export function inUnits(word: string, { ids, starts, ends, texts }: Pieces): Pieces {
  if (ASCII.test(word)) return { ids, starts, ends, texts }
  const first: number[] = []
  const last: number[] = []
  for (let at = 0; at < word.length; ) {
    const end = nextCharacter(word, at)
    for (let n = utf8Size(word.slice(at, end)); n > 0; n--) {
      first.push(at)
      last.push(end)
    }
    at = end
  }
  const length = first.length - 1 // a prefix or suffix may have further bytes
  return {
    ids,
    starts: starts.map((byte) => first[Math.min(byte, length)]),
    ends: ends.map((byte) => last[Math.min(byte - 1, length)]),
    texts,
  }
}

/** The number of UTF-8 bytes of a character. */
export function utf8Size(character: string): number {
  const code = character.codePointAt(0) ?? 0
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
}

const ASCII = /^\p{ASCII}*$/u
