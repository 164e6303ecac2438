import { checkWhole } from './processors/processor.ts'

export interface TokenProbability {
  token: number
  /** Natural logarithm. */
  logprob: number
}

/**
 * The log-probability that these logits (V) give a token, and the `top` likeliest tokens with theirs,
 * the likeliest first.
 */
export function logProbabilities(
  logits: ArrayLike<number>,
  token: number,
  top = 0,
): TokenProbability & { top: TokenProbability[] } {
  checkWhole('top', top, 0)
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

/** Where the `count` largest lie, the largest first; of equals, the first. */
function largest(x: ArrayLike<number>, count: number): number[] {
  const found: number[] = []
  for (let i = 0; i < x.length; i++) {
    if (found.length === count && !(count > 0 && x[i] > x[found[count - 1]])) continue
    let at = found.length
    while (at > 0 && x[i] > x[found[at - 1]]) at--
    found.splice(at, 0, i)
    if (found.length > count) found.pop()
  }
  return found
}
