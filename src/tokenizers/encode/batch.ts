import { HeedError, invalidOption } from '../../util/errors.ts'
import type { Encoding } from './encoding.ts'

/** Encodings of B texts, padded to T tokens. */
export interface Batch {
  /** Shape of the arrays: [B, T]. */
  shape: [number, number]
  /** Token ids, row-major. */
  inputIds: Int32Array
  /** 1 for tokens, 0 for padding. */
  attentionMask: Int32Array
  /** 0 for tokens of the first text, 1 for those of the second. */
  tokenTypeIds: Int32Array
  /** The encoding of each text, without padding. */
  encodings: Encoding[]
}

/** Options for padding a batch. */
export interface PaddingOptions {
  /** Side to pad. Default: the tokenizer's setting, or `right`. */
  padding?: 'left' | 'right'
  /** Minimum T. */
  padToLength?: number
  /** T is rounded up to a multiple of this number. */
  padToMultipleOf?: number
  /** Id of the padding token. Default: the tokenizer's padding token, or its end-of-text token. */
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
      remedy: 'Pass at least one text.',
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
    '`padTokenId` is required for texts of different lengths, because the tokenizer has no padding token',
    {
      key: 'padTokenId',
      try: { padTokenId: [0] },
      remedy: 'If the attention mask is used, any id works, for example `padTokenId` 0.',
    },
  )
}
