import { invalidOption } from './errors.ts'
import { threefry2x32 } from './threefry.ts'

/**
 * Stateless random numbers: each draw is a function of (seed, step, index), computed with Threefry-2x32 with 20 rounds
 * (Salmon et al., 2011). A stopped run can resume with only its step number.
 */

/** A random number in [0, 1) with 53 bits. `step` and `index` are used modulo 2^32. */
export function randomUniform(seed: number, step: number, index: number): number {
  threefry2x32(seed >>> 0, highWord(seed), step, index, pair)
  return ((pair[0] >>> 5) * 2 ** 26 + (pair[1] >>> 6)) / 2 ** 53
}

/** A random integer in [0, limit). */
export function randomBelow(limit: number, seed: number, step: number, index: number): number {
  return Math.floor(randomUniform(seed, step, index) * limit)
}

/** Derives a separate seed for each purpose, so that purposes do not share draws. */
export function deriveSeed(seed: number, purpose: string): number {
  let hash = 0x811c9dc5 // FNV-1a
  for (let i = 0; i < purpose.length; i++) {
    hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193)
  }
  threefry2x32(seed >>> 0, highWord(seed), hash, purpose.length, pair)
  return (pair[0] & 0x1fffff) * 2 ** 32 + pair[1]
}

/** A permutation of 0 … count-1 (Fisher-Yates), determined by seed and round. */
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

/** @throws HeedError unless the seed is an integer from 0 to 2^53 - 1 */
export function checkSeed(seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed
  throw invalidOption({ key: 'seed', value: seed, expected: 'a whole number from 0 to 2^53 - 1' })
}

const pair = new Uint32Array(2)

function highWord(seed: number): number {
  return Math.floor(seed / 2 ** 32) >>> 0
}
