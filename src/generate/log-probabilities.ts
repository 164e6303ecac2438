import { argumentKinds } from '../util/argument-kinds.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { checkWhole } from './processors/processor.ts'

/** A token with its log-probability. */
export interface TokenProbability {
  /** Id of the token. */
  token: number
  /** Natural logarithm of the probability. */
  logprob: number
}

const checkLogProbabilities = argumentKinds('logProbabilities', {
  logits: 'numbers',
  token: 'count',
  top: 'count?',
})

/**
 * Computes the log-probability of a token from logits (V), and the `top` most probable tokens with their
 * log-probabilities, in descending order.
 * @throws HeedError for a token that is not below V
 */
export function logProbabilities(
  logits: ArrayLike<number>,
  token: number,
  top = 0,
): TokenProbability & { top: TokenProbability[] } {
  checkLogProbabilities(logits, token, top)
  checkWhole('top', top, 0)
  if (token >= logits.length)
    throw wrongArgument('logProbabilities', 'token', token, `below ${logits.length}`)
  const norm = logSumExp(logits)
  const best = largest(logits, top).map((token) => ({ token, logprob: logits[token] - norm }))
  return { token, logprob: logits[token] - norm, top: best }
}

/** log Σ exp(x), without overflow. */
export function logSumExp(x: ArrayLike<number>): number {
  let top = Number.NEGATIVE_INFINITY
  for (let i = 0; i < x.length; i++) if (x[i] > top) top = x[i]
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i] - top)
  return top + Math.log(sum)
}

/** The indices of the `count` largest values, in descending order; for equal values, the lower index first. */
function largest(x: ArrayLike<number>, count: number): number[] {
  const places: number[] = []
  for (let i = 0; i < x.length; i++) {
    if (places.length === count && !(count > 0 && x[i] > x[places[count - 1]])) continue
    let at = places.length
    while (at > 0 && x[i] > x[places[at - 1]]) at--
    places.splice(at, 0, i)
    if (places.length > count) places.pop()
  }
  return places
}
