import { describe, expect, it, vi } from 'vitest'
import { defaultDevice, stats } from '../../src/index.ts'
import { countModel, GPT2, preset, presetNames } from '../../src/models/index.ts'
import { heedError } from '../support/heed-error.ts'

// L layers, C width, V vocabulary, T tokens
const [L, C, V, T] = [3, 48, 101, 20]
const tiny = () =>
  new GPT2({ n_layer: L, n_embd: C, n_head: 4, vocab_size: V, n_positions: T + 4, n_inner: 100 })

describe('countModel', () => {
  it('agrees with counting by hand', () => {
    const { components, ...count } = countModel(tiny(), T)
    const projections = L * (3 * C * C + C * C + 2 * 100 * C) + V * C
    const pairs = (T + 1) / 2 // keys that a query sees, on average
    expect(count.forwardFlops).toBe(2 * projections + L * 4 * pairs * C)
    // Backward, each product twice again; attention: scores once more, and four products.
    expect(count.trainingFlops).toBe(6 * projections + L * (4 + 10) * pairs * C)
    expect(count.cacheBytes).toBe(T * L * 2 * C * 4)
    expect(count.parameters).toBe(
      tiny()
        .parameters()
        .reduce((n, { size }) => n + size, 0),
    )
    expect(components.find(({ name }) => name === 'transformer.h.*.mlp.c_fc')).toEqual({
      name: 'transformer.h.*.mlp.c_fc',
      copies: L,
      parameters: L * (C * 100 + 100),
      flops: L * 2 * C * 100,
    })
    const sum = components.reduce((n, { flops }) => n + flops, 0)
    expect(sum).toBeCloseTo(count.forwardFlops, 6)
    expect(components.at(-1)).toEqual({
      name: 'lm_head',
      copies: 1,
      parameters: 0,
      flops: 2 * V * C,
    })
  })

  it('counts the context that is asked for, up to what the model sees', () => {
    expect(countModel(tiny()).context).toBe(T + 4)
    expect(countModel(tiny(), 1).forwardFlops).toBeLessThan(countModel(tiny()).forwardFlops)
    for (const context of [0, 1.5, T + 5])
      expect(() => countModel(tiny(), context)).toThrow(
        heedError('invalid-option', {
          key: 'context',
          value: context,
          mentions: `from 1 to ${T + 4}`,
        }),
      )
  })

  it('counts an untied output by itself', () => {
    const untied = new GPT2({ ...tiny().config, tie_word_embeddings: false })
    const both = countModel(untied).parameters - countModel(tiny()).parameters
    expect(both).toBe(V * C)
  })
})

describe('published sizes', () => {
  /** Parameters in millions, as the papers have them. */
  const published: Record<string, number> = {
    gpt2: 124.44, // the released weights; the paper's 117 was a miscount
    'gpt2-medium': 354.82,
    'gpt2-large': 774.03,
    'gpt2-xl': 1557.61,
    'gpt3-175b': 174_600, // table D.1
    'llama-7b': 6_738, // the released weights; table 2 rounds to 6.7B, 13.0B, 32.5B, 65.2B
    'llama-13b': 13_016,
    'llama-33b': 32_529,
    'llama-65b': 65_286,
    'palm-8b': 8_630,
    'palm-62b': 62_500,
    'palm-540b': 540_350,
  }
  /** Parameters in millions of models whose papers round to two or three digits. */
  const rounded: Record<string, number> = {
    biogpt: 347,
    'biogpt-large': 1_500,
    biomedlm: 2_700,
    bloomberggpt: 50_600,
  }

  it.each(presetNames())('%s has the parameters of its paper, without allocating one', (name) => {
    const allocate = vi.spyOn(defaultDevice(), 'allocate')
    const { runs } = stats()
    const { parameters, forwardFlops, trainingFlops } = countModel(preset(name))
    if (name in rounded) expect(Math.abs(parameters / 1e6 / rounded[name] - 1)).toBeLessThan(0.05)
    else expect(parameters / 1e6 / published[name]).toBeCloseTo(1, 3)
    expect(forwardFlops / (2 * parameters)).toBeGreaterThan(1)
    expect(trainingFlops / forwardFlops).toBeCloseTo(3, 1)
    expect(allocate).not.toHaveBeenCalled()
    expect(stats().runs).toBe(runs)
    allocate.mockRestore()
  })

  it("gives GPT-3's training compute: 3.14e23 for 300 billion tokens, by 6 N", () => {
    const { parameters, trainingFlops } = countModel(preset('gpt3-175b'))
    expect((6 * parameters * 300e9) / 3.14e23).toBeCloseTo(1, 2)
    expect(trainingFlops / (6 * parameters)).toBeGreaterThan(1)
    expect(trainingFlops / (6 * parameters)).toBeLessThan(1.03) // attention is all that it adds
  })

  it('names those that it knows', () => {
    expect(() => preset('palm-54b')).toThrow(
      heedError('unknown-name', { key: 'preset', value: 'palm-54b', remedy: 'palm-540b?' }),
    )
    expect(() => preset('__proto__')).toThrow(
      heedError('unknown-name', { key: 'preset', value: '__proto__' }),
    )
  })
})
