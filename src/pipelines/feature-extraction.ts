import type { TextEncoder } from '../models/index.ts'
import { pool } from '../nn/index.ts'
import { F, type Tensor, tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { alternatives, HeedError, invalidOption } from '../util/errors.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { runExamples } from './run-examples.ts'
import {
  BATCHES,
  type BatchOptions,
  encoderInputs,
  encodeTexts,
  exampleOf,
  TRUNCATION,
  type TruncateOptions,
  textBatching,
} from './text-examples.ts'

export interface EmbedOptions extends BatchOptions, TruncateOptions {
  /**
   * 'mean' of the tokens, the first token ('cls' or 'first_token'), the last ('eos' or 'last_token'), or 'none': a vector
   * for each token. Default 'none'.
   */
  pooling?: 'none' | keyof typeof poolings
  /** Scale vectors to length 1, so that their products are cosines. */
  normalize?: boolean
  /** Cut texts that are longer than `maxLength`; otherwise they are an error. Default true. */
  truncate?: boolean
}

/** Names of transformers.js, and those of `pool`. */
const poolings = {
  mean: 'mean',
  cls: 'cls',
  first_token: 'cls',
  eos: 'lasttoken',
  last_token: 'lasttoken',
} as const
const poolingNames = ['none', ...Object.keys(poolings)]

const readOptions = optionReader<EmbedOptions>('feature-extraction', {
  ...BATCHES,
  ...TRUNCATION,
  pooling: 'text?',
  normalize: 'flag?',
})

/**
 * Vectors for texts: (B, C) with pooling; without it (B, T, C), where the rows after a shorter text are 0. Read them
 * with `await x.tolist()`.
 */
export type Embedder = (
  texts: string | readonly string[],
  options?: EmbedOptions,
) => Promise<Tensor>

export function featureExtraction({ model, tokenizer }: ModelWithTokenizer<TextEncoder>): Embedder {
  return async (input, given) => {
    const texts = typeof input === 'string' ? [input] : input
    checkArgument('feature-extraction', 'texts', texts, 'texts')
    const options = readOptions(given)
    const { pooling = 'none', normalize = false, truncate = true, maxLength, batchSize } = options
    if (texts.length === 0)
      throw new HeedError('invalid-option', 'The texts to embed must be at least one, got none')
    if (!poolingNames.includes(pooling))
      throw invalidOption({
        key: 'pooling',
        value: pooling,
        expected: alternatives(poolingNames),
        try: { pooling: poolingNames },
      })
    const C = model.hiddenSize
    const encodings = encodeTexts(texts, { model, tokenizer }, { truncate, maxLength })
    const examples = encodings.map((encoding) => exampleOf(encoding, tokenizer))
    const rows = await runExamples(examples, {
      batching: textBatching(tokenizer),
      model,
      batchSize: batchSize ?? 16,
      forward: (batch) => {
        const inputs = encoderInputs(batch)
        const states = model.forward(batch.input_ids, inputs) // (B, T, C)
        const mask = inputs.attentionMask as Tensor
        const vectors = pooling === 'none' ? states : pool(states, mask, poolings[pooling])
        return [normalize ? F.normalize(vectors, { axis: -1 }) : vectors]
      },
      read: ([values], row, { ids }, length) => {
        const start = row * (pooling === 'none' ? length : 1) * C
        return values.slice(start, start + (pooling === 'none' ? ids.length : 1) * C)
      },
    })
    const longest = rows.reduce((n, { length }) => Math.max(n, length), 0)
    const all = new Float32Array(rows.length * longest)
    rows.forEach((row, i) => {
      all.set(row as Float32Array, i * longest)
    })
    const shape = pooling === 'none' ? [rows.length, longest / C, C] : [rows.length, C]
    return tensor(all, { shape })
  }
}
