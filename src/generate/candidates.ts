/** Candidates for the next token, in ascending order of their ids. Weights are not normalised. */
export interface Candidates {
  /** Ids of the candidates. */
  tokens: Int32Array
  /** Weight of each candidate, proportional to its probability. */
  weights: Float64Array
}

/** The sum of the weights. */
export function total({ weights }: Pick<Candidates, 'weights'>): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += weights[i]
  return sum
}

/** Filters candidates in place. */
export function keep(
  { tokens, weights }: Candidates,
  passes: (weight: number, i: number) => boolean,
): Candidates {
  let count = 0
  for (let i = 0; i < tokens.length; i++) {
    if (!passes(weights[i], i)) continue
    tokens[count] = tokens[i]
    weights[count++] = weights[i]
  }
  return { tokens: tokens.subarray(0, count), weights: weights.subarray(0, count) }
}

/** Chooses a candidate. @param at the position in the cumulative weights, in [0, 1) */
export function drawFrom({ tokens, weights }: Candidates, at: number): number {
  let left = at * total({ weights })
  for (let i = 0; i < tokens.length; i++) {
    left -= weights[i]
    if (left < 0) return tokens[i]
  }
  return tokens[tokens.length - 1]
}
