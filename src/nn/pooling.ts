import { checkTensors } from '../tensor/arguments.ts'
import type { Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { alternatives } from '../util/errors.ts'

// B texts, T tokens, C width

/**
 * One vector for a text out of its tokens' states, by the names of sentence-transformers: the first
 * token, the last, the mean, the sum over the root of the length, the mean with growing weights, the
 * greatest of each feature (Reimers and Gurevych, 2019).
 */
export type Pooling = (typeof poolings)[number]

export const poolings = [
  'cls',
  'max',
  'mean',
  'mean_sqrt_len_tokens',
  'weightedmean',
  'lasttoken',
] as const

/**
 * states (B, T, C), mask bool (B, T), true where a token counts, on either side -> (B, C).
 * @param tokens bool (B, T): by which growing weights are counted, where `mask` leaves out a prompt. Default: the mask
 */
export function pool(states: Tensor, mask: Tensor, pooling: Pooling, tokens?: Tensor): Tensor {
  checkTensors('pool', { states, mask })
  if (!poolings.includes(pooling))
    throw wrongArgument('pool', 'pooling', pooling, alternatives(poolings))
  if (pooling === 'max') return mask.unsqueeze(-1).where(states, Number.NEGATIVE_INFINITY).amax(1)
  const counts = mask.to('f32') // (B, T)
  const isGrowing = tokens !== undefined && pooling === 'weightedmean'
  const places = isGrowing ? tokens.to('f32').cumsum(1) : counts.cumsum(1)
  const weights = weightings[pooling](counts, places, counts.sum(1, true))
  return states.mul(weights.unsqueeze(-1)).sum(1)
}

/** The weight of each token: `place` is its number among those that count, from 1; `total` the last. */
type Weighting = (counts: Tensor, place: Tensor, total: Tensor) => Tensor

const weightings: Record<Exclude<Pooling, 'max'>, Weighting> = {
  cls: (counts, place) => counts.mul(place.eq(1).to('f32')),
  lasttoken: (counts, place, total) => counts.mul(place.eq(total).to('f32')),
  mean: (counts, _, total) => counts.div(total),
  mean_sqrt_len_tokens: (counts, _, total) => counts.div(total.sqrt()),
  weightedmean: (counts, place) => {
    const weights = counts.mul(place)
    return weights.div(weights.sum(1, true))
  },
}
