import { describe, expect, it } from 'vitest'
import { checkSeed, deriveSeed, randomUniform, shuffledIndices } from '../../src/util/random.ts'
import { threefry2x32 } from '../../src/util/threefry.ts'
import { heedError } from '../support/heed-error.ts'

describe('counter-based random numbers', () => {
  // the vectors that the authors publish (Random123, kat_vectors, 20 rounds)
  it.each([
    [
      [0, 0, 0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [-1, -1, -1, -1],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])('Threefry %j', ([k0, k1, c0, c1], expected) => {
    const out = new Uint32Array(2)
    threefry2x32(k0, k1, c0, c1, out)
    expect([...out]).toEqual(expected)
  })

  it('differ by seed, step and index, and lie in [0, 1)', () => {
    const seen = new Set<number>()
    for (const seed of [0, 1, 2 ** 32, 2 ** 53 - 1]) {
      for (let step = 0; step < 20; step++) {
        for (let index = 0; index < 20; index++) seen.add(randomUniform(seed, step, index))
      }
    }
    expect(seen.size).toBe(1600)
    const values = [...seen]
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    expect(values.reduce((a, b) => a + b) / 1600).toBeCloseTo(0.5, 1)
  })

  it('shuffle every number to every place', () => {
    const counts = Array.from({ length: 5 }, () => new Array<number>(5).fill(0))
    for (let round = 0; round < 2000; round++) {
      shuffledIndices(5, 7, round).forEach((value, place) => {
        counts[place][value]++
      })
    }
    for (const count of counts.flat()) expect(Math.abs(count - 400)).toBeLessThan(100)
    expect([...shuffledIndices(5, 7, 3)].sort()).toEqual([0, 1, 2, 3, 4])
    expect(shuffledIndices(0, 7, 3)).toHaveLength(0)
  })

  it('give each purpose a seed of its own', () => {
    const seeds = ['split', 'windows', 'init', ''].flatMap((purpose) =>
      [0, 1, 42].map((seed) => deriveSeed(seed, purpose)),
    )
    expect(new Set(seeds).size).toBe(12)
    for (const seed of seeds) expect(checkSeed(seed)).toBe(seed)
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('%d is no seed', (seed) => {
    expect(() => checkSeed(seed)).toThrow(heedError('invalid-option', { key: 'seed', value: seed }))
  })
})
