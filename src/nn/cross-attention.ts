import { checkTensors } from '../tensor/arguments.ts'
import type { Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { type AttentionOptions, attend, splitHeads } from './attention.ts'
import type { CrossCache } from './cross-cache.ts'

/** Options of `crossAttention`. */
export interface CrossAttentionOptions
  extends Pick<AttentionOptions, 'heads' | 'mask' | 'scale' | 'dropout'> {
  /** Cache of the source's keys and values, for the following tokens. */
  cache?: CrossCache
}

const CROSS = optionKinds<CrossAttentionOptions>({
  heads: 'size',
  mask: 'tensor|null?',
  scale: 'number?',
  dropout: 'share?',
  cache: 'object?',
})

/**
 * Computes a decoder's attention to the encoder's output (Vaswani et al., 2017, section 3.2.3).
 * @param q (B, T, C)
 * @param source keys and values (B, S, C'); null reads them from the cache
 * @returns (B, T, C)
 * @throws HeedError if both `source` and the cache are missing
 */
export function crossAttention(
  q: Tensor,
  source: { k: Tensor; v: Tensor } | null,
  given: CrossAttentionOptions,
): Tensor {
  CROSS.check('crossAttention', given)
  const { heads, cache, ...options } = given
  checkTensors('crossAttention', { q })
  if (source !== null) checkTensors('crossAttention', { k: source?.k, v: source?.v })
  const query = splitHeads(q, heads)
  if (!source) return attend(query, { k: held(cache).keys, v: held(cache).values }, options)
  const seen = { k: splitHeads(source.k, heads), v: splitHeads(source.v, heads) }
  cache?.replace(seen.k, seen.v)
  return attend(query, seen, options)
}

function held(cache?: CrossCache): CrossCache {
  if (cache) return cache
  throw new HeedError(
    'invalid-state',
    '`encoded` must be given if there is no cache, got neither',
    {
      key: 'encoded',
      remedy: 'Pass the result of encode() as `encoded`, or a cache filled from it.',
    },
  )
}
