import { checkTensors } from '../tensor/arguments.ts'
import type { Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { alternatives } from '../util/errors.ts'

// B texts, T tokens, C width

/**
 * How the hidden states of a text's tokens are pooled into one vector (Reimers and Gurevych, 2019). The names are those
 * of sentence-transformers: first token, last token, mean, sum divided by the square root of the length,
 * position-weighted mean, maximum of each feature.
 */
export type Pooling = (typeof poolings)[number]

/** All pooling methods. */
export const poolings = [
  'cls',
  'max',
  'mean',
  'mean_sqrt_len_tokens',
  'weightedmean',
  'lasttoken',
] as const

/**
 * Pools hidden states to one vector per text.
 * @param states (B, T, C)
 * @param mask bool (B, T), true for tokens that count; padding may be on either side
 * @param tokens bool (B, T), tokens counted for the weights of `weightedmean` if `mask` excludes a prompt. Default
 * `mask`
 * @returns (B, C)
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

/** Weight of each token. `place` is its number among the tokens that count, from 1; `total` is the last number. */
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
