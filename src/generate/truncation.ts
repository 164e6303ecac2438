// Removes unlikely candidates before sampling, with the same results as the logits warpers of transformers.
import { type Candidates, keep, total } from './candidates.ts'

/** Nucleus sampling: the smallest set of most probable candidates that reaches this share of the sum, including ties. */
export function nucleus(candidates: Candidates, share: number): Candidates {
  return atLeast(candidates, lastOfNucleus(candidates.weights, share * total(candidates)))
}

/** Keeps candidates with at least this fraction of the largest weight. */
export function atLeastFraction(candidates: Candidates, fraction: number): Candidates {
  return atLeast(candidates, fraction * largest(candidates))
}

/**
 * Keeps the candidates whose information content is closest to the entropy, up to this share of the probability (Meister
 * et al., 2023, "Locally typical sampling").
 */
export function typical(candidates: Candidates, share: number): Candidates {
  const sum = total(candidates)
  const entropy = entropyOf(candidates)
  const distances = candidates.weights.map((weight) => Math.abs(-Math.log(weight / sum) - entropy))
  const order = [...distances.keys()].sort((a, b) => distances[a] - distances[b])
  let reached = 0
  let last = 0
  while (last < order.length - 1) {
    reached += candidates.weights[order[last]] / sum
    if (!(reached < share)) break
    last++
  }
  const farthest = distances[order[last]]
  return keep(candidates, (_, i) => distances[i] <= farthest)
}

/** Keeps candidates with at least this probability (Hewitt et al., 2022, "Truncation sampling as desmoothing", section 4). */
export function atLeastProbability(candidates: Candidates, epsilon: number): Candidates {
  return atLeast(candidates, epsilon * total(candidates))
}

/** Eta sampling: like `atLeastProbability`, with a threshold that decreases with the entropy. */
export function eta(candidates: Candidates, epsilon: number): Candidates {
  const threshold = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropyOf(candidates)))
  return atLeastProbability(candidates, threshold)
}

/**
 * Keeps the most probable candidates whose terms of the entropy sum to this share of it (Potraghloo et al., 2025, "Top-H
 * decoding").
 */
export function topEntropy(candidates: Candidates, share: number): Candidates {
  const { weights } = candidates
  const sum = total(candidates)
  const limit = share * entropyOf(candidates)
  const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a])
  const kept = new Set([order[0]])
  let reached = 0
  for (const i of order) {
    const p = weights[i] / sum
    reached -= p * Math.log(p)
    if (reached > limit) break
    kept.add(i)
  }
  return keep(candidates, (_, i) => kept.has(i))
}

/** The entropy of the candidates in nats. */
function entropyOf(candidates: Candidates): number {
  const sum = total(candidates)
  let entropy = 0
  for (const weight of candidates.weights) {
    const p = weight / sum
    if (p > 0) entropy -= p * Math.log(p)
  }
  return entropy
}

/** Keeps the candidates of at least this weight, or the largest if all are below. */
function atLeast(candidates: Candidates, weight: number): Candidates {
  const least = Math.min(weight, largest(candidates))
  return keep(candidates, (each) => each >= least)
}

function largest({ weights }: Candidates): number {
  let most = 0
  for (const weight of weights) if (weight > most) most = weight
  return most
}

/** The weight at which the sum of the largest weights reaches a goal, by partitioning as in quickselect. */
function lastOfNucleus(weights: Float64Array, goal: number): number {
  const values = weights.slice()
  let reached = 0 // sum of the values before `low`
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

/** The k-th largest value, by quickselect (Hoare, 1961) on a copy. */
export function kthLargest(scores: ArrayLike<number>, k: number): number {
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

/** Moves larger values of a range to its front: values up to `end` are at least as large as values from `next`. */
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
