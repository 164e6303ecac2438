import { HeedError } from '../util/errors.ts'
import { checkSeed, randomUniform } from '../util/random.ts'

export interface SamplingOptions {
  /** Above 1 flattens the probabilities, below 1 sharpens them; 0 takes the likeliest. Default 1. */
  temperature?: number
  /** Only the k likeliest tokens; 0 for all. Default 0. */
  topK?: number
  /** Only the likeliest tokens that together reach this probability (Holtzman et al., 2020). */
  topP?: number
  /** Only tokens at least this share as probable as the likeliest. */
  minP?: number
  /** Above 1 makes tokens that are in the text already less likely (Keskar et al., 2019). */
  repetitionPenalty?: number
  /** The same seed gives the same text; without one, each text is another. */
  seed?: number
}

/** Chooses one token after the other from logits. */
export interface Sampler {
  /** Counts a token of the prompt as part of the text. */
  see(token: number): void
  /** Chooses the next token and counts it too. The logits stay as they are. */
  choose(logits: ArrayLike<number>): number
}

/** @throws HeedError when an option is outside its range */
export function createSampler(options: SamplingOptions = {}): Sampler {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options
  check('temperature', temperature, temperature >= 0, 'is 0 or more')
  check('topK', topK, Number.isInteger(topK) && topK >= 0, 'is a whole number, 0 for no limit')
  check('topP', topP, topP > 0 && topP <= 1, 'is above 0 and at most 1')
  check('minP', minP, minP >= 0 && minP <= 1, 'is between 0 and 1')
  check('repetitionPenalty', repetitionPenalty, repetitionPenalty > 0, 'is above 0; 1 is none')
  const seed = checkSeed(options.seed ?? Math.floor(Math.random() * 2 ** 32))
  const seen = new Set<number>()
  let draws = 0
  return {
    see: (token) => void seen.add(token),
    choose(logits) {
      const scores = Float64Array.from(logits)
      if (repetitionPenalty !== 1) penalise(scores, seen, repetitionPenalty)
      const best = indexOfMax(scores)
      const token =
        temperature === 0
          ? best
          : draw(
              likeliest(scores, scores[best], { temperature, topK, topP, minP }),
              randomUniform(seed, draws++, 0),
            )
      seen.add(token)
      return token
    },
  }
}

function check(name: string, value: number, fits: boolean, rule: string): void {
  if (!fits || !Number.isFinite(value)) throw new HeedError(`${name} ${value}: it ${rule}`)
}

/** Divides positive logits and multiplies negative ones. */
function penalise(scores: Float64Array, seen: ReadonlySet<number>, penalty: number): void {
  for (const token of seen)
    if (token < scores.length) scores[token] *= scores[token] > 0 ? 1 / penalty : penalty
}

interface Candidates {
  tokens: number[]
  /** Not normalised. */
  weights: number[]
}

type Limits = Required<Pick<SamplingOptions, 'temperature' | 'topK' | 'topP' | 'minP'>>

/** The tokens that are left by all limits, in the order in which temperature, k, p are applied. */
function likeliest(scores: Float64Array, top: number, limits: Limits): Candidates {
  const { temperature, topK, topP, minP } = limits
  const least =
    topK > 0 && topK < scores.length ? kthLargest(scores, topK) : Number.NEGATIVE_INFINITY
  const tokens: number[] = []
  const weights: number[] = []
  for (let token = 0; token < scores.length; token++) {
    if (!(scores[token] >= least)) continue
    const weight = Math.exp((scores[token] - top) / temperature) // 1 for the likeliest
    if (weight < minP || weight === 0) continue
    tokens.push(token)
    weights.push(weight)
  }
  return topP < 1 ? nucleus({ tokens, weights }, topP) : { tokens, weights }
}

/** The fewest tokens that reach this share of the whole, with those that equal the last of them. */
function nucleus({ tokens, weights }: Candidates, share: number): Candidates {
  const total = weights.reduce((a, b) => a + b, 0)
  // Tokens below this hold together less than what may be left out: no need to sort them.
  const floor = ((1 - share) * total) / weights.length
  const sorted = Float64Array.from(weights.filter((weight) => weight >= floor)).sort()
  let last = sorted.length
  for (let sum = 0; last > 0 && sum < share * total; ) sum += sorted[--last]
  const least = sorted[last]
  const kept = [...weights.keys()].filter((i) => weights[i] >= least)
  return { tokens: kept.map((i) => tokens[i]), weights: kept.map((i) => weights[i]) }
}

/** @param at a number in [0, 1): where on the line of all weights the choice falls */
function draw({ tokens, weights }: Candidates, at: number): number {
  let left = at * weights.reduce((a, b) => a + b, 0)
  for (let i = 0; i < tokens.length; i++) {
    left -= weights[i]
    if (left < 0) return tokens[i]
  }
  return tokens[tokens.length - 1]
}

function indexOfMax(scores: Float64Array): number {
  let best = 0
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i]))
      throw new HeedError('The model gives NaN where probabilities are due', {
        remedy: 'Its weights are broken: take a checkpoint from before the loss became NaN.',
      })
    if (scores[i] > scores[best]) best = i
  }
  return best
}

/** Hoare's selection (1961), on a copy. */
function kthLargest(scores: Float64Array, k: number): number {
  const values = scores.slice()
  const wanted = k - 1
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const pivot = values[(low + high) >> 1]
    let i = low
    let j = high
    while (i <= j) {
      while (values[i] > pivot) i++
      while (values[j] < pivot) j--
      if (i > j) break
      const kept = values[i]
      values[i++] = values[j]
      values[j--] = kept
    }
    if (wanted <= j) high = j
    else if (wanted >= i) low = i
    else break
  }
  return values[wanted]
}
