/**
 * The mean over queries of 1/rank of the first right answer (mean reciprocal rank): 1 where it always
 * comes first. `ranks` count from 1; Infinity for what was not found. NaN for no queries.
 */
export function meanReciprocalRank(ranks: readonly number[]): number {
  return ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length
}

/** The share of queries whose first right answer is among the first `k`. */
export function recallAt(k: number, ranks: readonly number[]): number {
  return ranks.filter((rank) => rank <= k).length / ranks.length
}

/** The rank of place `right` among scores, from 1: those that score higher come before it. */
export function rankOf(scores: ArrayLike<number>, right: number): number {
  let rank = 1
  for (let i = 0; i < scores.length; i++) if (scores[i] > scores[right]) rank++
  return rank
}
