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

/** Options of the pipeline 'feature-extraction'. */
export interface EmbedOptions extends BatchOptions, TruncateOptions {
  /**
   * The vector of a text: the 'mean' over its tokens, its first token ('cls' or 'first_token'), or its last token ('eos'
   * or 'last_token'). 'none' returns a vector for each token. Default 'none'.
   */
  pooling?: 'none' | keyof typeof poolings
  /** Scale vectors to length 1, so that their dot products are cosine similarities. Default false. */
  normalize?: boolean
  /** Truncate texts that are longer than `maxLength`; false: they are an error. Default true. */
  truncate?: boolean
}

/** Names of transformers.js, with the names of `pool`. */
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
 * Embeds texts. Returns (B, C) with pooling; without pooling (B, T, C), where positions after the end of a text are 0.
 * Read values with `await x.tolist()`.
 */
export type Embedder = (
  texts: string | readonly string[],
  options?: EmbedOptions,
) => Promise<Tensor>

/** Creates the pipeline 'feature-extraction'. */
export function featureExtraction({ model, tokenizer }: ModelWithTokenizer<TextEncoder>): Embedder {
  return async (input, given) => {
    const texts = typeof input === 'string' ? [input] : input
    checkArgument('feature-extraction', 'texts', texts, 'texts')
    const options = readOptions(given)
    const { pooling = 'none', normalize = false, truncate = true, maxLength, batchSize } = options
    if (texts.length === 0)
      throw new HeedError('invalid-option', 'At least one text to embed is required, got none')
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
