import { HeedError } from '../../util/errors.ts'
import type { Encoding } from './encoding.ts'

/** Texts of different lengths as one rectangle; B texts, T tokens. */
export interface Batch {
  /** [B, T] */
  shape: [number, number]
  /** Token ids, row by row. */
  inputIds: Int32Array
  /** 1 for tokens, 0 for padding. */
  attentionMask: Int32Array
  tokenTypeIds: Int32Array
  /** Each text by itself, without padding. */
  encodings: Encoding[]
}

export interface PaddingOptions {
  /** The side on which shorter texts are filled up. Default: as the tokenizer says, else `right`. */
  padding?: 'left' | 'right'
  /** T is at least this. */
  padToLength?: number
  /** T is a multiple of this. */
  padToMultipleOf?: number
  /** The id to fill up with. Default: the tokenizer's padding token, else its end of text. */
  padTokenId?: number
}

export function pad(
  encodings: Encoding[],
  { padding = 'right', padToLength = 0, padToMultipleOf = 1, padTokenId }: PaddingOptions,
): Batch {
  if (encodings.length === 0) {
    throw new HeedError('corrupt-file', 'the batch is empty', { remedy: 'Give at least one text.' })
  }
  if (!(Number.isInteger(padToMultipleOf) && padToMultipleOf > 0)) {
    throw new HeedError(
      'corrupt-file',
      `padToMultipleOf is ${padToMultipleOf}, not a whole number above 0`,
    )
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
    'corrupt-file',
    'the texts have different lengths and the tokenizer no padding token',
    {
      remedy: 'Give padTokenId; what it is does not matter where the attention mask is used.',
    },
  )
}
