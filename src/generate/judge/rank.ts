import { argumentKinds } from '../../util/argument-kinds.ts'
import { numberFrom, optional, optionKinds } from '../../util/options.ts'
import type { Ratings } from './attributes.ts'

/** Options of `rankResponses`. */
export interface RankOptions {
  /** Responses with a lower probability of being safe are dropped, from 0 to 1. Default 0.5. */
  safety?: number
}

export const SAFETY = optional({ ...numberFrom(0, 1), try: [0.5] })

const checkRankResponses = argumentKinds('rankResponses', {
  ratings: 'objects',
  options: optionKinds<RankOptions>({ safety: SAFETY }),
})

/** A response with its place in a ranking. */
export interface Ranked {
  /** Index of the response in the list that was ranked. */
  index: number
  /** 3 · sensible + specific + interesting; attributes that were not judged count 0. */
  score: number
  /** Whether it is safe enough; true if that was not judged. */
  safe: boolean
}

/**
 * Ranks responses as LaMDA does (Thoppilan et al., 2022, section 5): by 3 · sensible + specific + interesting, the largest
 * first, with responses that are not safe enough at the end.
 */
export function rankResponses(ratings: readonly Ratings[], options: RankOptions = {}): Ranked[] {
  checkRankResponses(ratings, options)
  const { safety = 0.5 } = options
  const ranked = ratings.map((of, index) => {
    const { sensible = 0, specific = 0, interesting = 0 } = of
    const score = 3 * sensible + specific + interesting
    return { index, score, safe: of.safe === undefined || of.safe >= safety }
  })
  return ranked.sort((a, b) => Number(b.safe) - Number(a.safe) || b.score - a.score)
}
