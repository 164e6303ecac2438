import { arange, F, Parameter, type Tensor, tensor } from '../tensor/index.ts'
import { checkArgument, checkArguments } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

// H heads, T queries, S keys, K buckets

/** Config of `RelativeBias`. */
export interface RelativeBiasConfig {
  /** Number of heads, H. */
  heads: number
  /** Number of buckets, K. */
  buckets: number
  /** All keys at this distance or farther share one bucket. */
  maxDistance: number
  /** Whether keys after the query have separate buckets (encoder) or share the one of distance 0 (decoder). */
  bidirectional: boolean
  /** Standard deviation of the initial values. */
  std?: number
}

/**
 * Learned biases of attention scores, one for each head and each bucket of distances between query and key (T5: Raffel
 * et al., 2020, section 2.1). Small distances have their own buckets; larger ones share buckets of increasing width.
 */
export class RelativeBias extends Module<RelativeBiasConfig> {
  /** @hidden */
  static readonly configRules = optionKinds<RelativeBiasConfig>({
    heads: 'size',
    buckets: 'size',
    maxDistance: 'number',
    bidirectional: 'flag',
    std: 'number?',
  })

  /** Bias of each bucket and head, (K, H). */
  weight = new Parameter(init.normal([this.config.buckets, this.config.heads], this.config.std))
  #table: Tensor | null = null // i32 (2·maxDistance + 1): bucket of -maxDistance … maxDistance

  /**
   * Computes the bias of the scores, f32 (1, H, T, S).
   * @param start i32 with one element: position of the first query among the keys. Default 0.
   */
  forward(queries: number, keys: number, start?: Tensor): Tensor {
    checkArguments('RelativeBias', { queries, keys }, 'size')
    const { maxDistance } = this.config
    // One row with all distances. Row i of the bias is the slice of it that starts at T-1-i.
    const distances = arange(1 - queries, keys).sub(start ?? 0) // (T+S-1): key - query
    const places = distances.clamp({ min: -maxDistance, max: maxDistance }).add(maxDistance)
    const row = F.embedding(this.table().take(places), this.weight).t() // (H, T+S-1)
    return row.unfold(1, keys, 1).flip(1).unsqueeze(0)
  }

  private table(): Tensor {
    const { buckets, maxDistance, bidirectional } = this.config
    this.#table ??= tensor(
      Int32Array.from({ length: 2 * maxDistance + 1 }, (_, i) =>
        relativeBucket(i - maxDistance, { buckets, maxDistance, bidirectional }),
      ),
    )
    return this.#table
  }
}

const BUCKETS = optionKinds<Omit<RelativeBiasConfig, 'heads'> & { heads?: number }>({
  heads: 'size?',
  buckets: 'size',
  maxDistance: 'number',
  bidirectional: 'flag',
  std: 'number?',
})

/**
 * Returns the bucket of `distance` = key position - query position. Half of the buckets of a direction are for exact
 * distances, the others for ranges that grow logarithmically. Computed in single precision like the published models,
 * so that distances at the border of two ranges get the same bucket.
 */
export function relativeBucket(
  distance: number,
  config: Omit<RelativeBiasConfig, 'heads'>,
): number {
  checkArgument('relativeBucket', 'distance', distance, 'integer')
  BUCKETS.check('relativeBucket', config)
  const { buckets, maxDistance, bidirectional } = config
  const count = bidirectional ? Math.floor(buckets / 2) : buckets
  const first = bidirectional && distance > 0 ? count : 0
  const away = bidirectional ? Math.abs(distance) : Math.max(0, -distance)
  const exact = Math.floor(count / 2)
  if (away < exact) return first + away
  const { fround } = Math
  const ranges = fround(Math.log(maxDistance / exact))
  const share = fround(fround(Math.log(fround(away / exact))) / ranges)
  const range = Math.trunc(fround(share * (count - exact)))
  return first + Math.min(count - 1, exact + range)
}
