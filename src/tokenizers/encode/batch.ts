import { HeedError, invalidOption } from '../../util/errors.ts'
import type { Encoding } from './encoding.ts'

/** Texts of different lengths, padded to a rectangle: B texts, T tokens. */
export interface Batch {
  /** [B, T] */
  shape: [number, number]
  /** Token ids, row by row. */
  inputIds: Int32Array
  /** 1 for tokens, 0 for padding. */
  attentionMask: Int32Array
  tokenTypeIds: Int32Array
  /** The encoding of each text, without padding. */
  encodings: Encoding[]
}

export interface PaddingOptions {
  /** Side on which shorter texts are padded. Default: the tokenizer's setting, or `right`. */
  padding?: 'left' | 'right'
  /** Minimum of T. */
  padToLength?: number
  /** Divisor of T. */
  padToMultipleOf?: number
  /** Id of the padding. Default: the tokenizer's padding token, or its end of text. */
  padTokenId?: number
}

export function pad(
  encodings: Encoding[],
  { padding = 'right', padToLength = 0, padToMultipleOf = 1, padTokenId }: PaddingOptions,
): Batch {
  if (encodings.length === 0) {
    throw invalidOption({
      key: 'texts',
      value: encodings,
      expected: 'a list of at least one text',
      remedy: 'Give at least one text.',
    })
  }
  const longest = encodings.reduce((n, { ids }) => Math.max(n, ids.length), padToLength)
  const length = Math.ceil(longest / padToMultipleOf) * padToMultipleOf
  const size = encodings.length * length
  const batch: Batch = {
    shape: [encodings.length, length],
    inputIds: new Int32Array(size),
    attentionMask: new Int32Array(size),
    tokenTypeIds: new Int32Array(size),
    encodings,
  }
  encodings.forEach(({ ids, typeIds }, row) => {
    if (ids.length < length && padTokenId === undefined) throw noPadding()
    const start = row * length + (padding === 'left' ? length - ids.length : 0)
    batch.inputIds.fill(padTokenId ?? 0, row * length, (row + 1) * length)
    batch.inputIds.set(ids, start)
    batch.tokenTypeIds.set(typeIds, start)
    batch.attentionMask.fill(1, start, start + ids.length)
  })
  return batch
}

function noPadding(): HeedError {
  return new HeedError(
    'invalid-option',
    '`padTokenId` must be given for texts of different lengths: the tokenizer has no padding token',
    {
      key: 'padTokenId',
      try: { padTokenId: [0] },
      remedy: 'Any id will do where the attention mask is used, for example `padTokenId` 0.',
    },
  )
}
