// What configs, checkpoints and inputs of decoder-only families may get wrong, and what is said then.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manualSeed, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import {
  fromPretrained,
  Gemma,
  GPTNeo,
  Llama,
  type LlamaConfig,
  Phi3,
  Qwen2,
  savePretrained,
} from '../../src/models/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const tiny = {
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  max_position_embeddings: 8,
}
const ids = (...rows: number[][]) => tensor(rows, { dtype: 'i32' })

describe('a config', () => {
  const wrong: [string, object, unknown][] = [
    [
      'an unknown scaling',
      { rope_scaling: { type: 'su' } },
      heedError('invalid-config', { key: 'rope_scaling.type' }),
    ],
    [
      'a scaling that lacks a number',
      { rope_scaling: { type: 'linear' } },
      heedError('invalid-config', { key: 'rope_scaling.factor', mentions: "'linear'" }),
    ],
    ['an odd head', { head_dim: 3 }, heedError('invalid-option', { key: 'headDim', value: 3 })],
    [
      'heads that do not divide',
      { num_attention_heads: 3 },
      heedError('invalid-config', {
        key: 'num_attention_heads',
        value: 3,
        mentions: ['hidden_size', '(8)'],
      }),
    ],
    [
      'too many key heads',
      { num_key_value_heads: 3 },
      heedError('invalid-config', {
        key: 'num_key_value_heads',
        value: 3,
        mentions: ['num_attention_heads', '(2)'],
      }),
    ],
    [
      'an unknown activation',
      { hidden_act: 'swiglu' },
      heedError('invalid-config', { key: 'hidden_act' }),
    ],
    [
      'a width without end',
      { hidden_size: 1e12 },
      heedError('invalid-config', { key: 'hidden_size' }),
    ],
  ]
  it.each(wrong)('with %s is refused by name', (_, change, error) => {
    expect(() => new Llama({ ...tiny, ...change } as Partial<LlamaConfig>)).toThrow(error)
  })

  it('of a relative is refused by its own keys', () => {
    const windows = { ...tiny, use_sliding_window: true, sliding_window: 2 }
    expect(() =>
      new Qwen2({ ...windows, layer_types: ['full_attention'] }).forward(ids([1])),
    ).toThrow(
      heedError('invalid-config', {
        key: 'layer_types',
        mentions: ['num_hidden_layers', '(2)', 'got 1'],
      }),
    )
    expect(() => new Phi3({ ...tiny, partial_rotary_factor: 1.5 })).toThrow(
      heedError('invalid-config', { key: 'partial_rotary_factor' }),
    )
    expect(() => new Gemma({ ...tiny, use_bidirectional_attention: true as never })).toThrow(
      heedError('invalid-config', { key: 'use_bidirectional_attention' }),
    )
    expect(
      () => new GPTNeo({ num_layers: 3, attention_types: [[['global', 'local'], 1]] }),
    ).toThrow(
      heedError('invalid-config', {
        key: 'attention_types',
        value: [[['global', 'local'], 1]],
        mentions: ['num_layers', '(3)', 'got 2'],
      }),
    )
  })

  it('is written as it was told, without what was not', async () => {
    const dir = await temporaryFolder()
    const told = { rope_theta: 500, rope_scaling: { type: 'linear' as const, factor: 2 } }
    await savePretrained(new Llama({ ...tiny, ...told }), dir)
    const written = await readJsonObject(join(dir, 'config.json'))
    expect(written).toMatchObject(told)
    expect('head_dim' in written || 'rope_parameters' in written).toBe(false)
  })

  it('stretches the context by its scaling', () => {
    const context = (rope_parameters: object): number =>
      new Llama({ ...tiny, rope_parameters } as Partial<LlamaConfig>).contextLength
    expect(context({ rope_type: 'default' })).toBe(8)
    expect(context({ rope_type: 'dynamic', factor: 4 })).toBe(32)
    expect(context({ rope_type: 'yarn', factor: 4, original_max_position_embeddings: 4 })).toBe(16)
  })
})

describe('a text', () => {
  const model = new Llama(tiny).eval()

  it('longer than the model sees is refused, also behind a cache', () => {
    const nine = ids([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(() => model.forward(nine)).toThrow(heedError('shape', { mentions: '8 tokens' }))
    const cache = model.createCache()
    cache.advance(6)
    expect(() => model.forward(ids([1, 2, 3]), { cache })).toThrow(
      heedError('shape', { mentions: ['8 tokens', 'after 6'] }),
    )
  })

  it('has a mask of its own shape', () => {
    const attentionMask = tensor([[true, true]])
    expect(() => model.forward(ids([1, 2, 3]), { attentionMask })).toThrow(
      heedError('shape', { mentions: 'attentionMask' }),
    )
  })
})

it('a classifier opens above the layers of a language model, its head new', async () => {
  manualSeed(3)
  const dir = join(FIXTURES, 'llama', 'base')
  const fresh: string[] = []
  const onNew = (names: readonly string[]): void => void fresh.push(...names)
  const model = await fromPretrained(dir, 'sequence-classification', { onNew })
  expect(fresh).toEqual(['score.weight'])
  expect(model.forward(ids([1, 2, 3])).shape).toEqual([1, 2])
  const back = await temporaryFolder()
  await savePretrained(model, back)
  await expect(fromPretrained(back, 'causal-lm')).resolves.toBeDefined()
})
