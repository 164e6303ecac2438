import { HeedError } from './errors.ts'

/**
 * Random numbers without state: every draw is a function of (seed, step, index) through
 * Threefry-2x32 with 20 rounds (Salmon et al., 2011). A run that stops at a step goes on from
 * there with nothing saved but the step number.
 */

/** A number in [0, 1) with 53 random bits. `step` and `index` are counted modulo 2^32. */
export function randomUniform(seed: number, step: number, index: number): number {
  threefry2x32(seed >>> 0, highWord(seed), step, index, pair)
  return ((pair[0] >>> 5) * 2 ** 26 + (pair[1] >>> 6)) / 2 ** 53
}

/** A whole number in [0, limit). */
export function randomBelow(limit: number, seed: number, step: number, index: number): number {
  return Math.floor(randomUniform(seed, step, index) * limit)
}

/** A seed of its own for each purpose, so that no two purposes see the same draws. */
export function deriveSeed(seed: number, purpose: string): number {
  let hash = 0x811c9dc5 // FNV-1a
  for (let i = 0; i < purpose.length; i++) {
    hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193)
  }
  threefry2x32(seed >>> 0, highWord(seed), hash, purpose.length, pair)
  return (pair[0] & 0x1fffff) * 2 ** 32 + pair[1]
}

/** The numbers 0 … count-1 in random order (Fisher-Yates), the same for the same seed and round. */
export function shuffledIndices(count: number, seed: number, round: number): Uint32Array {
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  for (let i = count - 1; i > 0; i--) {
    const j = randomBelow(i + 1, seed, round, i)
    const kept = order[i]
    order[i] = order[j]
    order[j] = kept
  }
  return order
}

/** Refuses what cannot be a seed: fractions, negative numbers and what float64 does not hold. */
export function checkSeed(seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed
  throw new HeedError(`seed ${seed} is not a whole number from 0 to 2^53 - 1`)
}

/** The cipher itself: key (k0, k1), counter (c0, c1), two 32-bit words into `out`. */
export function threefry2x32(
  k0: number,
  k1: number,
  c0: number,
  c1: number,
  out: Uint32Array,
): void {
  const k2 = k0 ^ k1 ^ 0x1bd11bda
  let x0 = (c0 + k0) | 0
  let x1 = (c1 + k1) | 0
  for (let group = 0; group < 5; group++) {
    const first = (group & 1) * 4
    for (let round = first; round < first + 4; round++) {
      x0 = (x0 + x1) | 0
      x1 = ((x1 << ROTATIONS[round]) | (x1 >>> (32 - ROTATIONS[round]))) ^ x0
    }
    const next = (group + 1) % 3
    const after = (group + 2) % 3
    x0 = (x0 + (next === 0 ? k0 : next === 1 ? k1 : k2)) | 0
    x1 = (x1 + (after === 0 ? k0 : after === 1 ? k1 : k2) + group + 1) | 0
  }
  out[0] = x0
  out[1] = x1
}

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24]
const pair = new Uint32Array(2)

function highWord(seed: number): number {
  return Math.floor(seed / 2 ** 32) >>> 0
}
