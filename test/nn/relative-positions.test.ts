import { describe, expect, it } from 'vitest'
import { arange, manualSeed, runtimeScalar } from '../../src/index.ts'
import { RelativeBias, relativeBucket, Sinusoidal } from '../../src/nn/index.ts'

describe('sinusoidal positions', () => {
  it.each([true, false])(
    'P(t+τ) is P(t) turned by angles of τ alone (interleaved: %s)',
    async (interleaved) => {
      const [size, count] = [10, 600]
      const module = new Sinusoidal({ size, interleaved })
      const p = (await module.forward(arange(count), count).tolist()) as number[][]
      const pair = (row: number[], i: number): [number, number] =>
        interleaved ? [row[2 * i], row[2 * i + 1]] : [row[i], row[size / 2 + i]]
      for (const [t, shift] of [[0, 5], [17, 1], [100, 400], [599 - 64, 64]]) // biome-ignore format: pairs
        for (let i = 0; i < size / 2; i++) {
          const angle = shift * 10000 ** ((-2 * i) / size)
          const [s, c] = pair(p[t], i)
          const [s2, c2] = pair(p[t + shift], i)
          expect(Math.abs(s2 - (s * Math.cos(angle) + c * Math.sin(angle)))).toBeLessThan(1e-6)
          expect(Math.abs(c2 - (c * Math.cos(angle) - s * Math.sin(angle)))).toBeLessThan(1e-6)
        }
    },
  )

  it('have room for odd widths, and grow', async () => {
    const module = new Sinusoidal({ size: 5, interleaved: false })
    const few = (await module.forward(arange(2), 2).tolist()) as number[][]
    const more = (await module.forward(arange(4), 4).tolist()) as number[][]
    expect(more.slice(0, 2)).toEqual(few)
    expect(few[0]).toEqual([0, 0, 0, 1, 1])
  })
})

describe('relative positions', () => {
  it('fall into the buckets that transformers has', () => {
    const distances = [-200, -127, -64, -17, -16, -8, -7, -1, 0, 1, 7, 8, 16, 23, 33, 91, 127, 500]
    const settings = { buckets: 32, maxDistance: 128 }
    const both = distances.map((d) => relativeBucket(d, { ...settings, bidirectional: true }))
    expect(both).toEqual([15, 15, 14, 10, 10, 8, 7, 1, 0, 17, 23, 24, 26, 27, 28, 31, 31, 31])
    const back = distances.map((d) => relativeBucket(d, { ...settings, bidirectional: false }))
    expect(back).toEqual([31, 31, 26, 16, 16, 8, 7, 1, ...Array(10).fill(0)])
  })

  it('add to each score what their bucket has, wherever the queries begin', async () => {
    manualSeed(6)
    const config = { heads: 3, buckets: 8, maxDistance: 10, bidirectional: true }
    const bias = new RelativeBias(config)
    const rows = (await bias.weight.tolist()) as number[][]
    const start = 4
    const [got] = (await bias
      .forward(
        2,
        30,
        runtimeScalar(() => start, 'i32'),
      )
      .tolist()) as number[][][][]
    for (let head = 0; head < 3; head++)
      for (let i = 0; i < 2; i++)
        for (let j = 0; j < 30; j++)
          expect(got[head][i][j]).toBe(rows[relativeBucket(j - i - start, config)][head])
  })
})
