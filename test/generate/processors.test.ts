import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as generate from '../../src/generate/index.ts'
import {
  forceTokens,
  frequencyPenalty,
  type LogitsProcessor,
  logProbabilities,
  presencePenalty,
} from '../../src/generate/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'

interface Case {
  processor: string
  args: unknown[]
  tokens: number[]
  promptLength: number
  maxTokens: number
  scores: number[]
  expected: (number | null)[]
}
const { processors } = (await readJsonObject(join(FIXTURES, 'generation.json'))) as unknown as {
  processors: Case[]
}
const makers = generate as unknown as Record<string, (...args: unknown[]) => LogitsProcessor>

describe('logits processors', () => {
  it.each(processors)('$processor($args) does what transformers does', (one) => {
    const scores = Float32Array.from(one.scores)
    makers[one.processor](...one.args).process(scores, one)
    for (const [i, score] of scores.entries())
      expect(score).toBeCloseTo(one.expected[i] ?? Number.NEGATIVE_INFINITY, 4)
  })

  it('take off what was written, by how often or once; the prompt does not count', () => {
    const text = { tokens: [0, 1, 2, 2, 2, 3], promptLength: 2, maxTokens: 9 }
    const scores = (): Float32Array => new Float32Array(5)
    const frequency = scores()
    frequencyPenalty(0.5).process(frequency, text)
    expect([...frequency]).toEqual([0, 0, -1.5, -0.5, 0])
    const presence = scores()
    presencePenalty(0.5).process(presence, text)
    expect([...presence]).toEqual([0, 0, -0.5, -0.5, 0])
  })

  it('force the first tokens and then nothing', () => {
    const allowed = (tokens: number[]): number[] => {
      const scores = Float32Array.from([3, 2, 1, 0])
      forceTokens([3, 1]).process(scores, { tokens, promptLength: 1, maxTokens: 9 })
      return [...scores.keys()].filter((i) => scores[i] > Number.NEGATIVE_INFINITY)
    }
    expect(allowed([0])).toEqual([3])
    expect(allowed([0, 3])).toEqual([1])
    expect(allowed([0, 3, 1])).toEqual([0, 1, 2, 3])
  })

  it.each([
    ['repetitionPenalty', [0]],
    ['repetitionPenalty', [Number.NaN]],
    ['frequencyPenalty', [Number.POSITIVE_INFINITY]],
    ['noRepeatNgrams', [0]],
    ['noRepeatNgrams', [1.5]],
    ['minNewTokens', [-1, []]],
    ['minNewTokens', [1, [-2]]],
    ['forceEnd', [0, 1]],
    ['suppressTokens', [[0.5]]],
    ['badWords', [[[]]]],
  ])('%s refuses %j', (name, args) => {
    expect(() => makers[name](...args)).toThrow(heedError('invalid-option', { key: name }))
  })
})

describe('log-probabilities', () => {
  it('are those of the softmax, the likeliest first', () => {
    const logits = [1, 1000, 999, 2]
    const norm = 1000 + Math.log(1 + Math.exp(-1))
    const { token, logprob, top } = logProbabilities(logits, 0, 3)
    expect(token).toBe(0)
    expect(logprob).toBeCloseTo(1 - norm, 9)
    expect(top.map((one) => one.token)).toEqual([1, 2, 3])
    expect(top[1].logprob).toBeCloseTo(999 - norm, 9)
    expect(logProbabilities(logits, 1).top).toEqual([])
    expect(logProbabilities(logits, 1, 9).top).toHaveLength(4)
  })
})
