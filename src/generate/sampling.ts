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
  /** The same seed gives the same text; without one, each text is another. */
  seed?: number
}

/** The tokens that may come next, in ascending order; their weights are not normalised. */
export interface Candidates {
  tokens: Int32Array
  weights: Float64Array
}

/** Chooses one token after the other from logits, which stay as they are. */
export interface Sampler {
  choose(logits: ArrayLike<number>): number
  /** What `choose` would draw from. The arrays serve until the next call. */
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
  check('temperature', temperature, temperature >= 0, 'is 0 or more')
  check('topK', topK, Number.isInteger(topK) && topK >= 0, 'is a whole number, 0 for no limit')
  check('topP', topP, topP > 0 && topP <= 1, 'is above 0 and at most 1')
  check('minP', minP, minP >= 0 && minP <= 1, 'is between 0 and 1')
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

function check(name: string, value: number, fits: boolean, rule: string): void {
  if (!fits || !Number.isFinite(value))
    throw new HeedError('invalid-option', `${name} ${value}: it ${rule}`)
}

type Limits = Required<Pick<SamplingOptions, 'temperature' | 'topK' | 'topP' | 'minP'>>

/** The tokens that are left by all limits, in the order in which temperature, k, p are applied. */
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
/** What log and exp may be off together: the weight itself decides. */
const SLACK = 1e-6

/** The fewest tokens that reach this share of the whole, with those that equal the last; in place. */
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

/** The weight at which the sum of the largest reaches a goal: by halving, as one would find the k-th. */
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

/** @param at a number in [0, 1): where on the line of all weights the choice falls */
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
    if (Number.isNaN(scores[i]))
      throw new HeedError('invalid-option', 'The model gives NaN where probabilities are due', {
        remedy: 'Its weights are broken: take a checkpoint from before the loss became NaN.',
      })
    if (scores[i] > scores[best]) best = i
  }
  if (scores[best] === NOTHING)
    throw new HeedError(
      'invalid-option',
      'No token may come next: together the logits processors hide all of them',
      {
        remedy: 'Leave out a rule, or name the token that ends a text among stopTokens.',
      },
    )
  return best
}

/** Hoare's selection (1961), on a copy. */
function kthLargest(scores: ArrayLike<number>, k: number): number {
  const values = new Float64Array(scores)
  const wanted = k - 1
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const [end, next] = partition(values, low, high)
    if (wanted <= end) high = end
    else if (wanted >= next) low = next
    else break
  }
  return values[wanted]
}

/** Puts larger values of a stretch first: no value up to `end` is below one from `next` on. */
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
