import { HeedError } from '../../util/errors.ts'

/** The tokens of one word. */
export interface Pieces {
  ids: number[]
  /** Where each token starts and ends, in UTF-16 units of the word. */
  starts: number[]
  ends: number[]
}

/** Cuts a word into tokens of its vocabulary. */
export interface WordModel {
  encode(word: string): Pieces
}

export function push({ ids, starts, ends }: Pieces, id: number, start: number, end: number): void {
  ids.push(id)
  starts.push(start)
  ends.push(end)
}

/** The id of the unknown token, for a word that needs it. */
export function unknownId(token: unknown, vocab: ReadonlyMap<string, number>): number {
  const id = typeof token === 'string' ? vocab.get(token) : undefined
  if (id !== undefined) return id
  throw new HeedError('unknown-name', 'the text has a word that the tokenizer does not know', {
    remedy: 'The tokenizer names no unknown token (unk_token) to put in its place.',
  })
}

/** The byte tokens of a text, or nothing where the vocabulary lacks one. */
export function byteTokens(text: string, vocab: ReadonlyMap<string, number>): number[] | undefined {
  const ids: number[] = []
  for (const byte of encoder.encode(text)) {
    const id = vocab.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
    if (id === undefined) return undefined
    ids.push(id)
  }
  return ids
}

const encoder = new TextEncoder()
