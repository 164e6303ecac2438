import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { checkDefaults } from '../../src/models/definition.ts'
import {
  type CausalLM,
  defineModel,
  GPT2,
  headsOf,
  type ModelClass,
  type ModelDefinition,
  modelClass,
  modelDefinition,
  modelTypes,
  newModel,
  registerModel,
} from '../../src/models/index.ts'
import { schemaOf } from '../../src/models/shared/config.ts'
import { KVCache, Linear, Module } from '../../src/nn/index.ts'
import { arange, F, type Tensor } from '../../src/tensor/index.ts'
import { heedError } from '../support/heed-error.ts'

const SIZES = { layers: 2, heads: 2, dim: 16, context: 8, padTokenId: 1 }

describe.each(modelTypes())('the definition of %s', (modelType) => {
  const definition: ModelDefinition = modelDefinition(modelType)
  const buildable = definition.sizes !== null
  const vocabulary = { vocab_size: 20, pad_token_id: 1, bos_token_id: 1, eos_token_id: 2 }
  const ofData = {
    ...definition.tokenizer?.vocabulary(vocabulary),
    ...definition.image?.({ channels: 1, size: [8, 8], patchSize: 4 }),
  }

  it.runIf(buildable).each(headsOf(modelType))('builds a new model for %s', (head) => {
    const config = head === 'causal-lm' && modelType !== 'marian' ? { is_decoder: true } : {}
    const model = newModel({ modelType, head, sizes: SIZES, config: { ...ofData, ...config } })
    const { base = [], layerLists = [] } = model.constructor as unknown as ModelClass
    const names = Object.keys(model.stateDict())
    for (const path of [base].flat())
      expect(path === '' || names.some((name) => name.startsWith(`${path}.`)), path).toBe(true)
    expect(layerLists.length).toBeGreaterThan(0)
    for (const list of layerLists)
      expect(
        names.some((name) => name.startsWith(`${list}.0.`)),
        list,
      ).toBe(true)
  })

  it('accepts its own defaults', () => {
    expect(() => checkDefaults(definition)).not.toThrow()
  })

  it('has keys of dropout, aliases and presets that its config knows', () => {
    const parsed = schemaOf(definition.config).parse({}) as Record<string, unknown>
    const keys = [...definition.dropout, ...Object.values(definition.config.aliases)]
    for (const key of keys) expect(key in parsed, key).toBe(true)
    for (const preset of Object.values(definition.presets))
      for (const key of Object.keys(preset)) expect(key in parsed, key).toBe(true)
  })

  it('reads an alias, which takes precedence over its key', () => {
    const [alias, key] = Object.entries(definition.config.aliases)[0] ?? []
    if (!alias) return expect(definition.config.aliases).toEqual({})
    const Model = definition.heads[0] as unknown as new (config: object) => Module
    const value = (schemaOf(definition.config).parse({}) as Record<string, unknown>)[key]
    const model = new Model({ [alias]: value })
    expect((model.config as Record<string, unknown>)[key]).toBe(value)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const both = new Model({ [alias]: value, [key]: Number(value) * 2 })
    expect((both.config as Record<string, unknown>)[key]).toBe(value)
    expect(warn).toHaveBeenCalledWith(expect.stringContaining(`precedence over ${key}`))
    warn.mockRestore()
  })
})

const schema = z.object({ vocab_size: z.int().default(9), width: z.int().default(4) })
type Config = z.output<typeof schema>

class Tiny extends Module<Config> implements CausalLM {
  static readonly modelType = 'tiny'
  static readonly architectures = ['TinyForCausalLM']
  static readonly head = 'causal-lm'
  readonly contextLength = 8
  readonly vocabSize = 9
  lm_head = new Linear(9, 9)

  forward(ids: Tensor): Tensor {
    return this.lm_head.forward(ids.unsqueeze(-1).eq(arange(9)).to('f32'))
  }

  loss(ids: Tensor, targets: Tensor): Tensor {
    return F.crossEntropy(this.forward(ids), targets)
  }

  createCache(): KVCache {
    return new KVCache({ layers: 1, heads: 1, headDim: 1, capacity: 8 })
  }
}

const tiny: ModelDefinition<Config> = {
  modelType: 'tiny',
  title: 'Tiny',
  config: { schema, aliases: {} },
  otherNames: ['tinier'],
  heads: [Tiny],
  sizes: null,
  dropout: [],
  tokenizer: null,
  image: null,
  task: 'text-generation',
  maskedLanguageModeling: null,
  gguf: null,
  presets: {},
}

describe('a family from outside', () => {
  it('is known by all its names, once', () => {
    registerModel(defineModel(tiny))
    expect(modelClass('tiny')).toBe(Tiny)
    expect(modelDefinition('tinier').modelType).toBe('tiny')
    expect(() => registerModel(tiny)).toThrow(heedError('already-exists'))
    expect(() => registerModel(modelDefinition('gpt2'))).toThrow(heedError('already-exists'))
  })

  const wrong: [string, Partial<ModelDefinition<Config>>, object][] = [
    [
      'a prototype key as name',
      { modelType: '__proto__' },
      { key: 'model type', value: '__proto__' },
    ],
    ['a path as name', { modelType: '../x' }, { key: 'model type', value: '../x' }],
    [
      'an unsafe other name',
      { otherNames: ['constructor'] },
      { key: 'model type', value: 'constructor' },
    ],
    ['no heads', { heads: [] }, { key: 'heads' }],
    ['a class of another family', { heads: [GPT2] }, { key: 'heads', mentions: "'tiny'" }],
    [
      'a head that no class implements',
      { maskedLanguageModeling: 'masked-lm' },
      { key: 'maskedLanguageModeling', value: 'masked-lm', mentions: 'causal-lm' },
    ],
    [
      'a task without its head',
      { task: 'fill-mask' },
      { key: 'task', value: 'masked-lm', mentions: "'tiny'" },
    ],
  ]
  it.each(wrong)('with %s is refused', (_, change, expected) => {
    expect(() => defineModel({ ...tiny, ...change })).toThrow(heedError('invalid-option', expected))
  })

  it('with a schema that refuses its own defaults is not registered', () => {
    const config = { schema: schema.extend({ width: z.int() }), aliases: {} }
    const heads = [Object.assign(class extends Tiny {}, { modelType: 'narrow' as never })]
    const narrow = defineModel({ ...tiny, modelType: 'narrow', otherNames: [], config, heads })
    expect(() => registerModel(narrow)).toThrow(
      heedError('invalid-option', { key: 'config', mentions: "'narrow'" }),
    )
    expect(modelTypes()).not.toContain('narrow')
  })
})

it.each([
  ['modernbert', { layer_types: ['full_attention'], num_hidden_layers: 2 }, 'layer_types'],
  ['smollm3', { no_rope_layers: [1], num_hidden_layers: 2 }, 'no_rope_layers'],
])('%s refuses a list that is shorter than its layers', (modelType, config, key) => {
  const Model = modelDefinition(modelType).heads[0] as unknown as new (config: object) => Module
  expect(() => new Model(config)).toThrow(
    heedError('invalid-config', { key, mentions: ['2 layers', 'got 1'] }),
  )
})
