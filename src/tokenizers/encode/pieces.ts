import { HeedError, shown } from '../../util/errors.ts'
import { nextCharacter } from './aligned-text.ts'
import type { TokenIds } from './steps.ts'

/** Tokens of one word. */
export interface Pieces {
  /** Token ids. */
  ids: number[]
  /** Start and end of each token in the word, in UTF-16 units. */
  starts: number[]
  /** End of each token in the word, in UTF-16 units. */
  ends: number[]
  /** Text of each token if it differs from the vocabulary, such as the original text of an unknown word. */
  texts?: string[]
}

export function push({ ids, starts, ends }: Pieces, id: number, start: number, end: number): void {
  ids.push(id)
  starts.push(start)
  ends.push(end)
}

/**
 * Returns the id of the unknown token.
 * @throws HeedError if the model has no unknown token
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

/** Converts a text to byte tokens; undefined if one of them is not in the vocabulary. */
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

/** Computes the positions of tokens from their numbers of UTF-8 bytes. */
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
 * Converts positions in UTF-8 bytes to UTF-16 units. A token that is part of a character gets the range of the whole
 * character.
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
  const length = first.length - 1 // a prefix or suffix may have more bytes
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
