import { checkTensors } from '../tensor/arguments.ts'
import { arange, F, type Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { divisorsNear } from '../util/divisors.ts'
import { invalidOption, ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { offerAttention } from './capture.ts'
import { changedKeyValues } from './key-values.ts'
import type { LayerCache } from './kv-cache.ts'

/** Options of `attention`. */
export interface AttentionOptions {
  /** Number of heads of q. It must divide the width of q. */
  heads: number
  /** Number of heads of k and v, if it is less than that of q (grouped-query attention). Default `heads`. */
  kvHeads?: number
  /** Whether a token attends only to itself and earlier ones. Default false. */
  causal?: boolean
  /** Cache of earlier keys and values. The new ones are appended to it. */
  cache?: LayerCache
  /** Dropout probability for attention weights. Default 0. */
  dropout?: number
  /** bool, true where attention is allowed, or f32, added to the scores. Broadcasts to (B, H, T, S). */
  mask?: Tensor | null
  /** f32, added to the scores in addition to the mask. Broadcasts to (B, H, T, S). */
  bias?: Tensor | null
  /** Factor of the scores. Default 1/√D. */
  scale?: number
}

const COMMON = {
  causal: 'flag?',
  dropout: 'share?',
  mask: 'tensor|null?',
  bias: 'tensor|null?',
  scale: 'number?',
} as const
const ATTEND = optionKinds<Omit<AttentionOptions, 'heads' | 'kvHeads' | 'cache'>>(COMMON)
const ATTENTION = optionKinds<AttentionOptions>({ ...COMMON, heads: 'size', kvHeads: 'size?', cache: 'object?' }) // biome-ignore format: one line
const WEIGHTS = optionKinds<WeightOptions>({ causal: 'flag?', mask: 'tensor|null?', bias: 'tensor|null?', scale: 'number?', length: 'tensor|null?' }) // biome-ignore format: one line

/**
 * Computes multi-head attention of projected queries, keys and values (Vaswani et al., 2017, section 3.2.2). The heads
 * are adjacent blocks of the last axis. With fewer heads of keys and values, it is grouped-query attention (Ainslie et
 * al., 2023).
 * @param q (B, T, C)
 * @param k (B, S, C')
 * @param v (B, S, C')
 * @returns (B, T, C)
 * @throws HeedError if `heads` does not divide the width
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  checkTensors('attention', { q, k, v })
  ATTENTION.check('attention', options)
  const { heads, kvHeads = heads, cache, ...rest } = options
  const query = splitHeads(q, heads) // (B, H, T, D)
  const own = changedKeyValues({ k, v }, { heads, kvHeads })
  const fresh = { k: splitHeads(own.k, kvHeads), v: splitHeads(own.v, kvHeads) }
  return attend(query, cache ? cache.append(fresh.k, fresh.v) : fresh, rest)
}

/**
 * Computes attention of queries (B, H, T, D) to keys and values (B, Hk, S, D), where Hk divides H (Vaswani et al.,
 * 2017, section 3.2.1; Ainslie et al., 2023, for Hk < H). Returns (B, T, H·D).
 * @throws HeedError for shapes that do not fit
 */
export function attend(
  query: Tensor,
  { k, v, length }: { k: Tensor; v: Tensor; length?: Tensor },
  options: Omit<AttentionOptions, 'heads' | 'kvHeads' | 'cache'>,
): Tensor {
  checkTensors('attend', { query, k, v })
  ATTEND.check('attend', options)
  offerAttention(() => attentionWeights(query, k, weightOptions(options, length)))
  return joinHeads(F.scaledDotProductAttention(query, k, v, { ...options, length }))
}

/** Splits the last axis into heads: (B, T, H·D) -> (B, H, T, D). @throws HeedError if `heads` does not divide it */
export function splitHeads(x: Tensor, heads: number): Tensor {
  checkTensors('splitHeads', { x })
  checkArgument('splitHeads', 'heads', heads, 'size')
  if (x.rank !== 3)
    throw new ShapeError(`splitHeads: the input must be (B, T, C), got (${x.shape.join(', ')})`)
  const [batch, tokens, size] = x.shape
  if (size % heads !== 0)
    throw invalidOption({
      key: 'heads',
      value: heads,
      expected: `a divisor of the width (${size})`,
      try: { heads: divisorsNear(size, heads) },
    })
  return x.reshape(batch, tokens, heads, size / heads).permute(0, 2, 1, 3)
}

/** Joins the heads in the last axis: (B, H, T, D) -> (B, T, H·D). */
export function joinHeads(x: Tensor): Tensor {
  checkTensors('joinHeads', { x })
  if (x.rank !== 4)
    throw new ShapeError(`joinHeads: the input must be (B, H, T, D), got (${x.shape.join(', ')})`)
  const [batch, heads, tokens, size] = x.shape
  return x.permute(0, 2, 1, 3).reshape(batch, tokens, heads * size)
}

/** The options without dropout. */
const weightOptions = (
  { causal, mask, bias, scale }: WeightOptions,
  length: Tensor | undefined,
): WeightOptions => ({ causal, mask, bias, scale, length })

/** Options of `attentionWeights`: those of `attention`, and the number of keys in use. */
export type WeightOptions = Pick<AttentionOptions, 'causal' | 'mask' | 'bias' | 'scale'> & {
  /** i32 with one element: number of keys in use in a cache of fixed capacity. */
  length?: Tensor | null
}

/**
 * Computes the attention weights, before dropout. Use it for inspection: `F.scaledDotProductAttention` never stores
 * them.
 * @param q (B, H, T, D)
 * @param k (B, Hk, S, D)
 * @returns (B, H, T, S); each row sums to 1
 */
export function attentionWeights(q: Tensor, k: Tensor, options: WeightOptions = {}): Tensor {
  checkTensors('attentionWeights', { q, k })
  WEIGHTS.check('attentionWeights', options)
  const [, heads, tokens, size] = q.shape
  const [, kvHeads, keys] = k.shape
  const { causal = false, mask, bias, scale = 1 / Math.sqrt(size), length } = options
  let scores = q.matmul(k.repeatInterleave(heads / kvHeads, 1).transpose(-2, -1)).mul(scale)
  if (bias) scores = scores.add(bias)
  if (mask) scores = mask.dtype === 'bool' ? mask.where(scores, HIDDEN) : scores.add(mask)
  const column = arange(keys) // (S)
  const used = length ?? keys
  if (length) scores = column.lt(used).where(scores, HIDDEN)
  if (causal) {
    // Query i is token (used - T + i).
    const row = arange(tokens).unsqueeze(1).add(used).sub(tokens) // (T, 1)
    scores = column.le(row).where(scores, HIDDEN)
  }
  return scores.softmax(-1)
}

const HIDDEN = Number.NEGATIVE_INFINITY
