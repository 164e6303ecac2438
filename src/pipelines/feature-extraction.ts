import type { TextEncoder } from '../models/index.ts'
import { F, noGrad, type Tensor, tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { type BatchOptions, encodeTexts, inBatches, type TextBatch } from './batches.ts'
import type { Parts } from './pipeline.ts'

export interface EmbedOptions extends BatchOptions {
  /** 'mean' of the tokens, the first token ('cls'), or 'none': a vector for each token. Default 'none'. */
  pooling?: 'none' | 'mean' | 'cls'
  /** Whether vectors are brought to length 1, so that their products are cosines. */
  normalize?: boolean
  /** Whether texts that are too long for the model are cut; otherwise they are an error. Default true. */
  truncate?: boolean
}

/**
 * Vectors for texts: (B, C) with pooling; without it (B, T, C), where what is behind a shorter text is
 * 0. Read them with `await x.tolist()`.
 */
export type Embedder = (
  texts: string | readonly string[],
  options?: EmbedOptions,
) => Promise<Tensor>

export function featureExtraction(parts: Parts<TextEncoder>): Embedder {
  return async (input, options = {}) => {
    const texts = typeof input === 'string' ? [input] : input
    const { pooling = 'none', normalize = false, truncate = true } = options
    if (texts.length === 0) throw new HeedError('unknown-name', 'There is no text to embed')
    if (!['none', 'mean', 'cls'].includes(pooling))
      throw new HeedError('unknown-name', `There is no pooling '${pooling}'`, {
        remedy: 'Known: none, mean, cls.',
      })
    const C = parts.model.hiddenSize
    const encodings = encodeTexts(texts, parts, truncate)
    const rows = await inBatches(
      encodings,
      parts,
      options,
      async (batch) => {
        const vectors = noGrad(() => {
          const pooled = pool(parts.model.forward(batch.ids, batch.options), batch, pooling)
          return normalize ? unit(pooled) : pooled
        })
        return (await vectors.data()) as Float32Array
      },
      (values, row, { ids }, { tokens }) => {
        const size = pooling === 'none' ? tokens * C : C
        const own = pooling === 'none' ? ids.length * C : C
        return values.slice(row * size, row * size + own)
      },
    )
    const longest = rows.reduce((n, { length }) => Math.max(n, length), 0)
    const all = new Float32Array(rows.length * longest)
    rows.forEach((row, i) => {
      all.set(row, i * longest)
    })
    const shape = pooling === 'none' ? [rows.length, longest / C, C] : [rows.length, C]
    return tensor(all, { shape })
  }
}

/** states (B, T, C) -> (B, C), unless each token keeps its own. */
function pool(states: Tensor, { options }: TextBatch, pooling: string): Tensor {
  if (pooling === 'none') return states
  if (pooling === 'cls') return states.slice(null, 0)
  const counts = (options.attentionMask as Tensor).to('f32').unsqueeze(-1) // (B, T, 1)
  return states.mul(counts).sum(1).div(counts.sum(1))
}

const unit = (x: Tensor): Tensor => F.normalize(x, { axis: -1 })
