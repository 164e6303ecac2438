import { HeedError, invalidOption } from '../util/errors.ts'
import { checkSeed, randomUniform } from '../util/random.ts'

export interface SamplingOptions {
  /** Above 1 flattens the probabilities, below 1 sharpens them; 0 takes the most probable token. Default 1. */
  temperature?: number
  /** Sample from the k most probable tokens; 0 for all. Default 0. */
  topK?: number
  /** Sample from the fewest most probable tokens that together reach this probability (Holtzman et al., 2020). */
  topP?: number
  /** Sample from tokens with at least this fraction of the highest probability. */
  minP?: number
  /** The same seed gives the same text. By default random. */
  seed?: number
}

/** Candidates for the next token, in ascending order; weights are not normalised. */
export interface Candidates {
  tokens: Int32Array
  weights: Float64Array
}

/** Chooses tokens from logits, which it does not change. */
export interface Sampler {
  choose(logits: ArrayLike<number>): number
  /** The candidates of `choose`. The arrays are valid until the next call. */
  candidates(logits: ArrayLike<number>): Candidates
  /** The next random number in [0, 1). */
  random(): number
}

/**
 * @param stream samplers of one seed with different streams draw independently
 * @throws HeedError when an option is outside its range
 */
export function createSampler(options: SamplingOptions = {}, stream = 0): Sampler {
  const { temperature = 1, topK = 0, topP = 1, minP = 0 } = options
  check('temperature', temperature, temperature >= 0, '>= 0', [0, 1])
  check('topK', topK, Number.isInteger(topK) && topK >= 0, 'a whole number >= 0', [0, 50])
  check('topP', topP, topP > 0 && topP <= 1, 'above 0 and at most 1', [0.9, 1])
  check('minP', minP, minP >= 0 && minP <= 1, 'between 0 and 1', [0, 0.05])
  const seed = checkSeed(options.seed ?? Math.floor(Math.random() * 2 ** 32))
  let draws = 0
  const random = (): number => randomUniform(seed, draws++, stream)
  const room: Candidates = { tokens: new Int32Array(0), weights: new Float64Array(0) }
  const candidates = (scores: ArrayLike<number>): Candidates => {
    const best = indexOfMax(scores)
    if (temperature === 0) return { tokens: Int32Array.of(best), weights: Float64Array.of(1) }
    return likeliest(scores, scores[best], { temperature, topK, topP, minP }, room)
  }
  return {
    random,
    candidates,
    choose: (scores) =>
      temperature === 0 ? indexOfMax(scores) : drawFrom(candidates(scores), random()),
  }
}

function check(key: string, value: number, fits: boolean, expected: string, examples: number[]) {
  if (!fits || !Number.isFinite(value))
    throw invalidOption({ key, value, expected, try: { [key]: examples } })
}

type Limits = Required<Pick<SamplingOptions, 'temperature' | 'topK' | 'topP' | 'minP'>>

/** The tokens within all limits; temperature, k and p are applied in this order. */
function likeliest(
  scores: ArrayLike<number>,
  top: number,
  limits: Limits,
  room: Candidates,
): Candidates {
  const { temperature, topK, topP, minP } = limits
  if (room.tokens.length < scores.length) {
    room.tokens = new Int32Array(scores.length)
    room.weights = new Float64Array(scores.length)
  }
  const kth = topK > 0 && topK < scores.length ? kthLargest(scores, topK) : NOTHING
  // Below e^-40 of the likeliest, no vocabulary is large enough for a token ever to be drawn.
  const least = Math.max(kth, top - 40 * temperature, top + temperature * Math.log(minP) - SLACK)
  let count = 0
  for (let token = 0; token < scores.length; token++) {
    if (!(scores[token] >= least)) continue
    const weight = Math.exp((scores[token] - top) / temperature) // 1 for the likeliest
    if (weight < minP || weight === 0) continue
    room.tokens[count] = token
    room.weights[count++] = weight
  }
  const left = { tokens: room.tokens.subarray(0, count), weights: room.weights.subarray(0, count) }
  return topP < 1 ? nucleus(left, topP) : left
}

const NOTHING = Number.NEGATIVE_INFINITY
/** The rounding error of log and exp together; the weight itself decides. */
const SLACK = 1e-6

/** The fewest tokens that reach this share of the sum, with those equal to the last; in place. */
function nucleus({ tokens, weights }: Candidates, share: number): Candidates {
  const least = lastOfNucleus(weights, share * total({ weights }))
  let count = 0
  for (let i = 0; i < tokens.length; i++) {
    if (weights[i] < least) continue
    tokens[count] = tokens[i]
    weights[count++] = weights[i]
  }
  return { tokens: tokens.subarray(0, count), weights: weights.subarray(0, count) }
}

/** The weight at which the sum of the largest reaches a goal, by bisection as in quickselect. */
function lastOfNucleus(weights: Float64Array, goal: number): number {
  const values = weights.slice()
  let reached = 0 // by what lies before `low`
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const [end, next] = partition(values, low, high)
    const larger = total({ weights: values.subarray(low, end + 1) })
    const equal = total({ weights: values.subarray(end + 1, next) })
    if (reached + larger >= goal) high = end
    else if (reached + larger + equal >= goal) return values[end + 1]
    else {
      reached += larger + equal
      low = next
    }
  }
  return values[low]
}

/** @param at a number in [0, 1): the position in the cumulated weights */
export function drawFrom({ tokens, weights }: Candidates, at: number): number {
  let left = at * total({ weights })
  for (let i = 0; i < tokens.length; i++) {
    left -= weights[i]
    if (left < 0) return tokens[i]
  }
  return tokens[tokens.length - 1]
}

/** The sum of the weights. */
export function total({ weights }: Pick<Candidates, 'weights'>): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += weights[i]
  return sum
}

function indexOfMax(scores: ArrayLike<number>): number {
  let best = 0
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw notANumber()
    if (scores[i] > scores[best]) best = i
  }
  if (scores[best] === NOTHING)
    throw new HeedError(
      'invalid-state',
      'The logits processors must leave a token, got none: together they hide all',
      { remedy: 'Leave out a rule, or add the end-of-text token to `stopTokens`.' },
    )
  return best
}

export const notANumber = (): HeedError =>
  new HeedError('invalid-state', 'The scores of the model must be numbers, got NaN', {
    remedy: 'Load a checkpoint from before the loss became NaN.',
  })

/** Hoare's selection (1961), on a copy. */
function kthLargest(scores: ArrayLike<number>, k: number): number {
  const values = new Float64Array(scores)
  const rank = k - 1
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const [end, next] = partition(values, low, high)
    if (rank <= end) high = end
    else if (rank >= next) low = next
    else break
  }
  return values[rank]
}

/** Moves larger values of a range to its front: no value up to `end` is below one from `next` on. */
function partition(values: Float64Array, low: number, high: number): [end: number, next: number] {
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
  return [j, i]
}
