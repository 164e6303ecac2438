import { describe, expect, it } from 'vitest'
import { createSampler, type SamplingOptions } from '../../src/generate/index.ts'
import { heedError } from '../support/heed-error.ts'

const logits = [1, 3, 2, 0, -1]

/** How often each token comes up, of 4,000 draws that do not see one another. */
function shares(options: SamplingOptions, scores = logits): number[] {
  const counts = new Array<number>(scores.length).fill(0)
  const sampler = createSampler({ seed: 1, ...options })
  for (let i = 0; i < 4000; i++) counts[sampler.choose(scores)]++
  return counts.map((n) => n / 4000)
}

const softmax = (scores: number[]): number[] => {
  const e = scores.map(Math.exp)
  return e.map((x) => x / e.reduce((a, b) => a + b))
}

function expectShares(found: number[], expected: number[]): void {
  for (const [i, share] of found.entries()) expect(Math.abs(share - expected[i])).toBeLessThan(0.03)
}

describe('sampling', () => {
  it('follows the softmax of the logits, at any temperature', () => {
    expectShares(shares({}), softmax(logits))
    expectShares(shares({ temperature: 2 }), softmax(logits.map((x) => x / 2)))
    expect(shares({ temperature: 0 })).toEqual([0, 1, 0, 0, 0])
  })

  it('keeps the k likeliest', () => {
    expectShares(shares({ topK: 2 }), softmax([-99, 3, 2, -99, -99]))
    expectShares(shares({ topK: 99 }), softmax(logits))
    expect(shares({ topK: 1 })).toEqual([0, 1, 0, 0, 0])
  })

  it('keeps the nucleus: the token that reaches the share is part of it', () => {
    // 0.636, 0.234, 0.086, …
    expectShares(shares({ topP: 0.63 }), [0, 1, 0, 0, 0])
    expectShares(shares({ topP: 0.64 }), softmax([-99, 3, 2, -99, -99]))
    expectShares(shares({ topP: 0.9 }), softmax([1, 3, 2, -99, -99]))
  })

  it('keeps what is at least a share of the likeliest', () => {
    expectShares(shares({ minP: 0.3 }), softmax([-99, 3, 2, -99, -99]))
    expectShares(shares({ minP: 1 }), [0, 1, 0, 0, 0])
  })

  it('finds the same nucleus in large vocabularies as sorting all would', () => {
    const scores = Array.from({ length: 1000 }, (_, i) => 4 * Math.sin(i * 12.9898))
    const p = softmax(scores)
    const order = [...p.keys()].sort((a, b) => p[b] - p[a])
    let sum = 0
    const nucleus = new Set<number>()
    for (const i of order) {
      if (sum >= 0.3) break
      nucleus.add(i)
      sum += p[i]
    }
    const drawn = shares({ topP: 0.3 }, scores)
    const found = [...drawn.keys()].filter((i) => drawn[i] > 0)
    expect(found.every((i) => nucleus.has(i))).toBe(true)
    expect(found.length).toBeGreaterThan(0.9 * nucleus.size)
  })

  it('draws independently in other streams of one seed', () => {
    const draw = (stream: number): number[] => {
      const sampler = createSampler({ seed: 3 }, stream)
      return Array.from({ length: 40 }, () => sampler.choose(logits))
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(0)).not.toEqual(draw(1))
  })

  it('repeats itself with a seed, and not without', () => {
    const draw = (seed?: number): number[] => {
      const sampler = createSampler({ seed })
      return Array.from({ length: 40 }, () => sampler.choose(logits))
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(draw()).not.toEqual(draw())
  })

  it('leaves the logits as they are', () => {
    const scores = Float32Array.from(logits)
    createSampler({ seed: 1, topK: 2, topP: 0.5 }).choose(scores)
    expect([...scores]).toEqual(logits)
  })

  it('refuses options that mean nothing, and NaN', () => {
    const bad: SamplingOptions[] = [
      { temperature: -1 },
      { temperature: Number.NaN },
      { topK: 1.5 },
      { topK: -1 },
      { topP: 0 },
      { topP: 1.1 },
      { minP: 2 },
      { seed: -1 },
    ]
    for (const options of bad) expect(() => createSampler(options)).toThrow(Object.keys(options)[0])
    expect(() => createSampler().choose([1, Number.NaN])).toThrow(
      heedError('invalid-state', { mentions: 'NaN' }),
    )
    const none = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
    expect(() => createSampler().choose(none)).toThrow(
      heedError('invalid-state', { mentions: 'processors' }),
    )
  })
})
