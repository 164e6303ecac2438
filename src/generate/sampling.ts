import { HeedError, invalidOption } from '../util/errors.ts'
import { type OptionKinds, optionKinds } from '../util/options.ts'
import { checkSeed, randomUniform } from '../util/random.ts'
import { type Candidates, drawFrom, keep } from './candidates.ts'
import {
  atLeastFraction,
  atLeastProbability,
  eta,
  kthLargest,
  nucleus,
  topEntropy,
  typical,
} from './truncation.ts'

/** Options for choosing tokens from logits. All limits apply together. */
export interface SamplingOptions {
  /** Above 1 flattens the probabilities, below 1 sharpens them; 0 always takes the most probable token. Default 1. */
  temperature?: number
  /** Sample from the k most probable tokens (Fan et al., 2018); 0 for all. Default 0. */
  topK?: number
  /** Sample from the smallest set of most probable tokens that reaches this probability (Holtzman et al., 2020). Default 1. */
  topP?: number
  /** Sample from tokens with at least this fraction of the highest probability (Nguyen et al., 2024). Default 0. */
  minP?: number
  /** Sample from the most probable tokens that hold this share of the entropy (Potraghloo et al., 2025). Default 1. */
  topH?: number
  /** Sample from the tokens closest to the entropy that reach this probability (Meister et al., 2023). Default 1. */
  typicalP?: number
  /** Sample from tokens with at least this probability (Hewitt et al., 2022). Default 0. */
  epsilonCutoff?: number
  /** Like `epsilonCutoff`, with a threshold that decreases with the entropy (eta sampling). Default 0. */
  etaCutoff?: number
  /** The same seed gives the same text. Default: random. */
  seed?: number
}

export const SAMPLING: OptionKinds<SamplingOptions> = {
  temperature: 'number?',
  topK: 'number?',
  topP: 'number?',
  minP: 'number?',
  topH: 'number?',
  typicalP: 'number?',
  epsilonCutoff: 'number?',
  etaCutoff: 'number?',
  seed: 'number?',
}
const RULES = optionKinds<SamplingOptions>(SAMPLING)

/** Chooses tokens from logits. */
export interface Sampler {
  /** Chooses a token. The logits (V) are not changed. */
  choose(logits: ArrayLike<number>): number
  /** The candidates from which `choose` draws. The arrays are valid until the next call. */
  candidates(logits: ArrayLike<number>): Candidates
  /** The next random number in [0, 1). */
  random(): number
}

/**
 * Creates a sampler, which chooses a token from logits (V). See `SamplingOptions` for the methods and their papers.
 * @param stream samplers with the same seed and different streams draw independently
 * @throws HeedError for options out of range
 */
export function createSampler(options: SamplingOptions = {}, stream = 0): Sampler {
  RULES.check('createSampler', options)
  const limits: Limits = { ...NO_LIMITS, ...given(options) }
  const { temperature, topK, topP, minP, topH, typicalP, epsilonCutoff, etaCutoff } = limits
  check('temperature', temperature, temperature >= 0, '>= 0', [0, 1])
  check('topK', topK, Number.isInteger(topK) && topK >= 0, 'a whole number >= 0', [0, 50])
  check('topP', topP, topP > 0 && topP <= 1, 'above 0 and at most 1', [0.9, 1])
  check('minP', minP, minP >= 0 && minP <= 1, 'between 0 and 1', [0, 0.05])
  check('topH', topH, topH > 0 && topH <= 1, 'above 0 and at most 1', [0.5, 1])
  check('typicalP', typicalP, typicalP > 0 && typicalP <= 1, 'above 0 and at most 1', [0.9, 1])
  for (const [key, value] of Object.entries({ epsilonCutoff, etaCutoff }))
    check(key, value, value >= 0 && value < 1, 'from 0 to below 1', [0, 0.0005])
  const seed = checkSeed(options.seed ?? Math.floor(Math.random() * 2 ** 32))
  let draws = 0
  const random = (): number => randomUniform(seed, draws++, stream)
  const room: Candidates = { tokens: new Int32Array(0), weights: new Float64Array(0) }
  const candidates = (scores: ArrayLike<number>): Candidates => {
    const best = indexOfMax(scores)
    if (temperature === 0) return { tokens: Int32Array.of(best), weights: Float64Array.of(1) }
    return likeliest(scores, scores[best], limits, room)
  }
  return {
    random,
    candidates,
    choose: (scores) =>
      temperature === 0 ? indexOfMax(scores) : drawFrom(candidates(scores), random()),
  }
}

const NO_LIMITS: Limits = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  topH: 1,
  typicalP: 1,
  epsilonCutoff: 0,
  etaCutoff: 0,
}

/** Removes keys with the value undefined. */
const given = (options: SamplingOptions): SamplingOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

function check(key: string, value: number, fits: boolean, expected: string, examples: number[]) {
  if (!fits || !Number.isFinite(value))
    throw invalidOption({ key, value, expected, try: { [key]: examples } })
}

type Limits = Required<Omit<SamplingOptions, 'seed'>>

/** Applies all limits, in the order of transformers. */
function likeliest(
  scores: ArrayLike<number>,
  top: number,
  limits: Limits,
  room: Candidates,
): Candidates {
  const { topH, topK, topP, minP, typicalP, epsilonCutoff, etaCutoff } = limits
  let kept: Candidates
  if (topH < 1) {
    kept = topEntropy(weighted(scores, top, limits, room, TOP_H_CANDIDATES), topH)
    if (topK > 0 && topK < kept.tokens.length) {
      const kth = kthLargest(kept.weights, topK)
      kept = keep(kept, (weight) => weight >= kth)
    }
  } else kept = weighted(scores, top, limits, room, topK)
  if (topP < 1) kept = nucleus(kept, topP)
  if (minP > 0) kept = atLeastFraction(kept, minP)
  if (typicalP < 1) kept = typical(kept, typicalP)
  if (epsilonCutoff > 0) kept = atLeastProbability(kept, epsilonCutoff)
  if (etaCutoff > 0) kept = eta(kept, etaCutoff)
  return kept
}

/** Top-H considers only this number of most probable tokens. */
const TOP_H_CANDIDATES = 100

/** The k most probable tokens (0: all), with their weights at the temperature. */
function weighted(
  scores: ArrayLike<number>,
  top: number,
  { temperature, topH, topP, minP }: Limits,
  room: Candidates,
  k: number,
): Candidates {
  if (room.tokens.length < scores.length) {
    room.tokens = new Int32Array(scores.length)
    room.weights = new Float64Array(scores.length)
  }
  const kth = k > 0 && k < scores.length ? kthLargest(scores, k) : NOTHING
  // If no earlier limit needs the sum, minP can be applied here to save work; the exact test follows later.
  const byMinP = topP < 1 || topH < 1 ? NOTHING : top + temperature * Math.log(minP) - SLACK
  // A token below e^-40 of the most probable one is never drawn, whatever the size of the vocabulary.
  const least = Math.max(kth, byMinP, top - 40 * temperature)
  let count = 0
  for (let token = 0; token < scores.length; token++) {
    if (!(scores[token] >= least)) continue
    const weight = Math.exp((scores[token] - top) / temperature) // 1 for the most probable token
    if (weight === 0) continue
    room.tokens[count] = token
    room.weights[count++] = weight
  }
  return { tokens: room.tokens.subarray(0, count), weights: room.weights.subarray(0, count) }
}

const NOTHING = Number.NEGATIVE_INFINITY
/** Bound for the rounding error of log and exp. */
const SLACK = 1e-6

function indexOfMax(scores: ArrayLike<number>): number {
  let best = 0
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw notANumber()
    if (scores[i] > scores[best]) best = i
  }
  if (scores[best] === NOTHING)
    throw new HeedError(
      'invalid-state',
      'The logits processors must leave at least one token, but together they hide all tokens',
      {
        remedy:
          'Remove a processor (a pattern, a schema, suppressed tokens), or add the end-of-text token to `stopTokens`.',
      },
    )
  return best
}

export const notANumber = (): HeedError =>
  new HeedError('invalid-state', 'The scores of the model must be numbers, got NaN', {
    remedy: 'Use a checkpoint saved before the loss became NaN.',
  })
