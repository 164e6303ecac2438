import { HeedError, shown } from '../../util/errors.ts'

/** The tokens of one word. */
export interface Pieces {
  ids: number[]
  /** Where each token starts and ends, in UTF-16 units of the word. */
  starts: number[]
  ends: number[]
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
export function unknownId(
  word: string,
  token: string | undefined,
  vocab: ReadonlyMap<string, number>,
): number {
  const id = token === undefined ? undefined : vocab.get(token)
  if (id !== undefined) return id
  throw new HeedError('invalid-data', `Every word must be in the vocabulary, got ${shown(word)}`, {
    key: 'text',
    value: word,
    remedy: 'This tokenizer has no unknown token (`unk_token`). Remove the word from the text.',
  })
}

/** The byte tokens of a text; undefined if the vocabulary lacks one of them. */
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
