import { beforeAll, describe, expect, it } from 'vitest'
import {
  type Candidates,
  Drafter,
  DraftModel,
  generateTokens,
  generateTokensBatch,
  noRepeatNgrams,
  PromptLookup,
} from '../../src/generate/index.ts'
import { acceptOrDraw } from '../../src/generate/speculative/accept.ts'
import { manualSeed } from '../../src/index.ts'
import { GPT2 } from '../../src/models/index.ts'
import { randomUniform } from '../../src/util/random.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const size = { vocab_size: 12, n_positions: 64, n_embd: 8, n_head: 2, initializer_range: 0.6 }
let model: GPT2
let other: GPT2

async function collect(tokens: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = []
  for await (const token of tokens) all.push(token)
  return all
}

/** Guesses what it is told to. */
class Told extends Drafter {
  readonly guesses: number[]
  constructor(guesses: number[]) {
    super()
    this.guesses = guesses
  }
  async propose({ tokens, promptLength }: { tokens: readonly number[]; promptLength: number }) {
    const rest = this.guesses.slice(tokens.length - promptLength)
    return rest.slice(0, 4).map((token) => ({ token, from: null }))
  }
}

const uniform = (step: number): (() => number) => {
  let draws = 0
  return () => randomUniform(9, step, draws++)
}
const candidates = (weights: Record<number, number>): Candidates => ({
  tokens: Int32Array.from(Object.keys(weights), Number),
  weights: Float64Array.from(Object.values(weights)),
})

describe('a draft is taken or replaced', () => {
  // Not normalised, and with tokens that only one of them has.
  const p = candidates({ 0: 3, 1: 1, 2: 4, 5: 2 })
  const q = candidates({ 0: 1, 2: 1, 3: 2, 5: 6 })
  const expected: Record<number, number> = { 0: 0.3, 1: 0.1, 2: 0.4, 5: 0.2 }
  it.each([
    [
      'drawn from other probabilities',
      (at: number) => ({ token: [0, 2, 3, 3, 5, 5, 5, 5, 5, 5][Math.floor(at * 10)], from: q }),
    ],
    ['the same each time', () => ({ token: 2, from: null })],
    ['what could not be', () => ({ token: 3, from: null })],
    [
      'drawn from the same',
      (at: number) => ({ token: [0, 0, 0, 1, 2, 2, 2, 2, 5, 5][Math.floor(at * 10)], from: p }),
    ],
  ])('and the outcome is distributed as it is without: %s', (_, draft) => {
    const counts = new Map<number, number>()
    const draws = 20_000
    for (let i = 0; i < draws; i++) {
      const random = uniform(i)
      const { token } = acceptOrDraw(p, draft(random()), random)
      counts.set(token, (counts.get(token) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 2, 5])
    let chi = 0
    for (const [token, count] of counts)
      chi += (count - draws * expected[token]) ** 2 / (draws * expected[token])
    expect(chi).toBeLessThan(16.27) // three degrees of freedom, one chance in a thousand
  })
})

onEach(oneOfEach, () => {
  beforeAll(() => {
    manualSeed(11)
    model = new GPT2({ ...size, n_layer: 2 })
    other = new GPT2({ ...size, n_layer: 1 })
  })

  describe('speculative decoding', () => {
    const prompt = [1, 2, 3, 4, 1, 2, 3]
    const greedy = { temperature: 0, maxTokens: 40 }

    it('writes the same as without, whoever drafts', async () => {
      const plain = await collect(generateTokens(model, prompt, greedy))
      const wrong = plain.map((token, i) => (i % 3 === 2 ? (token + 1) % 12 : token))
      const drafters = [
        new PromptLookup(),
        new DraftModel(other),
        new DraftModel(model, { tokens: 5 }),
        new Told(plain),
        new Told(wrong),
      ]
      for (const drafter of drafters) {
        expect(await collect(generateTokens(model, prompt, { ...greedy, drafter }))).toEqual(plain)
        expect(drafter.proposed).toBeGreaterThan(0)
      }
      const [, , itself, told, wrongly] = drafters
      expect(itself.accepted).toBe(itself.proposed)
      expect(told.accepted).toBe(told.proposed)
      expect(wrongly.accepted / wrongly.proposed).toBeLessThan(0.8)
    })

    it('refuses guesses from another vocabulary', async () => {
      const drafter = new Told([99, 99, 99])
      await expect(collect(generateTokens(model, prompt, { ...greedy, drafter }))).rejects.toThrow(
        heedError('invalid-option', { value: 99, mentions: '(12)' }),
      )
      const small = new DraftModel(new GPT2({ ...model.config, vocab_size: 5 }))
      await expect(
        collect(generateTokens(model, [1, 9], { ...greedy, drafter: small })),
      ).rejects.toThrow(heedError('invalid-option', { value: 9, mentions: 'draft model (5)' }))
    })

    it('goes on when the context is full, ends at stop tokens, and obeys processors', async () => {
      for (const options of [
        { ...greedy, contextLength: 16 },
        { ...greedy, stopTokens: [(await collect(generateTokens(model, prompt, greedy)))[7]] },
        { ...greedy, processors: [noRepeatNgrams(2)] },
        { ...greedy, maxTokens: 1 },
        { ...greedy, maxTokens: 0 },
      ]) {
        const plain = await collect(generateTokens(model, prompt, options))
        for (const drafter of [new PromptLookup(), new DraftModel(other)])
          expect(await collect(generateTokens(model, prompt, { ...options, drafter }))).toEqual(
            plain,
          )
      }
    })
  })
})

describe('speculative sampling', () => {
  it('draws texts as often as without', async () => {
    manualSeed(11)
    model = new GPT2({ ...size, vocab_size: 4, n_layer: 2 })
    other = new GPT2({ ...size, vocab_size: 4, n_layer: 1 })
    const runs = 1500
    const options = { maxTokens: 3, temperature: 1.3 }
    const drafted = new Map<string, number>()
    const drafter = new DraftModel(other)
    for (let seed = 0; seed < runs; seed++) {
      const text = await collect(generateTokens(model, [1, 2], { ...options, seed, drafter }))
      drafted.set(text.join(), (drafted.get(text.join()) ?? 0) + 1)
    }
    const plain = new Map<string, number>()
    const many = Array.from({ length: runs }, () => [1, 2])
    for (const text of await generateTokensBatch(model, many, { ...options, seed: 1 }))
      plain.set(text.join(), (plain.get(text.join()) ?? 0) + 1)
    expect(drafter.accepted).toBeLessThan(0.95 * drafter.proposed)
    // Two samples of one distribution: Σ (a - b)² / (a + b) is chi-squared.
    let chi = 0
    const texts = new Set([...drafted.keys(), ...plain.keys()])
    for (const text of texts) {
      const [a, b] = [drafted.get(text) ?? 0, plain.get(text) ?? 0]
      chi += (a - b) ** 2 / (a + b)
    }
    const freedom = texts.size - 1
    expect(texts.size).toBeGreaterThan(20)
    expect(chi).toBeLessThan(freedom + 3.1 * Math.sqrt(2 * freedom))
  })
})
