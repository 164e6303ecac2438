import { argumentKinds } from '../util/argument-kinds.ts'
import { wrongArgument } from '../util/check-argument.ts'

const checkMeanReciprocalRank = argumentKinds('meanReciprocalRank', { ranks: 'numbers' })

/**
 * Mean reciprocal rank: the mean over queries of 1/rank of the first correct answer. Ranks start at 1; use Infinity for
 * an answer that was not found. NaN without queries.
 */
export function meanReciprocalRank(ranks: readonly number[]): number {
  checkMeanReciprocalRank(ranks)
  return ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length
}

const checkRecallAt = argumentKinds('recallAt', { k: 'size', ranks: 'numbers' })

/** Recall at k: the fraction of queries with a correct answer among the first `k`. NaN without queries. */
export function recallAt(k: number, ranks: readonly number[]): number {
  checkRecallAt(k, ranks)
  return ranks.filter((rank) => rank <= k).length / ranks.length
}

const checkRankOf = argumentKinds('rankOf', { scores: 'numbers', right: 'count' })

/** The rank, from 1, of the item with index `right` by descending score. @throws HeedError for an index out of range */
export function rankOf(scores: ArrayLike<number>, right: number): number {
  checkRankOf(scores, right)
  if (right >= scores.length)
    throw wrongArgument('rankOf', 'right', right, `the index of a score, below ${scores.length}`)
  let rank = 1
  for (let i = 0; i < scores.length; i++) if (scores[i] > scores[right]) rank++
  return rank
}
