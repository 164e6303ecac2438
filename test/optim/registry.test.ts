import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Parameter, rand } from '../../src/index.ts'
import {
  Adafactor,
  Adam,
  AdamW,
  createOptimizer,
  optimizerDefinition,
  optimizerDefinitions,
  registerOptimizer,
  SGD,
} from '../../src/optim/index.ts'
import type { ErrorCode } from '../../src/util/error-codes.ts'
import { heedError } from '../support/heed-error.ts'

const params = () => [new Parameter(rand([2]))]
const groups = () => [{ params: params(), weightDecay: 0.2 }]
const settings = { lr: 0.5, weightDecay: 0.1, maxGradNorm: null }

describe('registerOptimizer', () => {
  it('knows the built-in ones, with their options and defaults', () => {
    expect(optimizerDefinitions().map(({ name }) => name)).toEqual([
      'adamw',
      'adam',
      'sgd',
      'adafactor',
    ])
    const adamw = createOptimizer('adamw', groups(), { ...settings, beta2: 0.9 })
    expect(adamw).toBeInstanceOf(AdamW)
    expect(adamw.groups[0]).toMatchObject({
      lr: 0.5, betas: [0.9, 0.9], eps: 1e-8, weightDecay: 0.2,
    }) // biome-ignore format: one line
    expect(createOptimizer('adam', groups(), settings)).toBeInstanceOf(Adam)
    const sgd = createOptimizer('sgd', groups(), { ...settings, momentum: 0.9, maxGradNorm: 2 })
    expect(sgd).toBeInstanceOf(SGD)
    expect(sgd.groups[0]).toMatchObject({ momentum: 0.9, nesterov: false })
    expect(sgd.maxGradNorm).toBe(2)
    const adafactor = createOptimizer('adafactor', groups(), { ...settings, eps2: 0.1, beta1: 0.9 })
    expect(adafactor).toBeInstanceOf(Adafactor)
    expect(adafactor.groups[0]).toMatchObject({ lr: 0.5, eps: [1e-30, 0.1], beta1: 0.9 })
    const scaled = createOptimizer('adamw', groups(), { ...settings, scaleParameter: true })
    expect(scaled.groups[0]).toMatchObject({ scaleParameter: true })
  })

  it('names the nearest one of an unknown name', () => {
    expect(() => optimizerDefinition('adamm')).toThrow(
      heedError('unknown-name', {
        key: 'optimizer',
        value: 'adamm',
        remedy: ['adamw?', 'adamw, adam, sgd, adafactor'],
      }),
    )
  })

  it('refuses names that are taken or unsafe, and incomplete definitions', () => {
    const create = () => new SGD(params())
    const options = z.object({})
    const refused = (definition: object, code: ErrorCode, mentions: string): void =>
      expect(() => registerOptimizer(definition as never)).toThrow(heedError(code, { mentions }))
    refused({ name: 'sgd', about: '', options, create }, 'already-exists', '"sgd" twice')
    refused({ name: '__proto__', about: '', options, create }, 'invalid-option', '"__proto__"')
    refused({ name: '../x', about: '', options, create }, 'invalid-option', '"../x"')
    refused({ name: 'a', about: '', options }, 'invalid-option', '`create`')
    refused({ name: 'a', about: '', create }, 'invalid-option', '`options`')
    const required = z.object({ decay: z.number() })
    refused({ name: 'a', about: '', options: required, create }, 'invalid-option', 'a default')
    expect(optimizerDefinitions()).toHaveLength(4)
  })

  it('refuses what a definition creates when it is no optimiser', () => {
    registerOptimizer({
      name: 'nothing',
      about: 'a mistake',
      options: z.object({}),
      create: () => ({}) as never,
    })
    expect(() => createOptimizer('nothing', groups(), settings)).toThrow(
      heedError('invalid-state', { key: 'create' }),
    )
  })
})

describe('options', () => {
  const refused = (work: () => unknown, ...error: Parameters<typeof heedError>): void =>
    expect(work).toThrow(heedError(...error))

  it('have no unknown keys', () => {
    refused(() => new AdamW(params(), { learningRate: 1 } as never), 'unknown-name', {
      key: 'learningRate',
      mentions: [
        'AdamW',
        'lr, betas, eps, weightDecay, scaleParameter, maxGradNorm, gradNorm, checkFinite',
      ],
      remedy: '`lr`',
    })
    refused(() => new SGD(params(), { momentun: 0.9 } as never), 'unknown-name', {
      remedy: '`momentum`',
    })
    refused(() => new SGD(params(), { maxGradNrom: 1 } as never), 'unknown-name', {
      remedy: '`maxGradNorm`',
    })
    refused(() => new Adam([{ params: params(), weightdecay: 0 } as never]), 'unknown-name', {
      mentions: 'a group of Adam',
      remedy: '`weightDecay`',
    })
  })

  it('have values of the type of their defaults', () => {
    refused(() => new AdamW(params(), { lr: Number.NaN }), 'invalid-option', {
      key: 'lr',
      value: Number.NaN,
    })
    refused(() => new SGD(params(), { momentum: '0.9' as never }), 'invalid-option', {
      key: 'momentum',
      value: '0.9',
    })
    refused(() => new SGD(params(), { nesterov: 1 as never }), 'invalid-option', {
      key: 'nesterov',
      value: 1,
    })
    refused(() => new AdamW(params(), { betas: null as never }), 'invalid-option', {
      key: 'betas',
      value: null,
    })
    refused(() => new AdamW(params(), { betas: [0.9, 1] }), 'invalid-option', {
      key: 'betas',
      value: [0.9, 1],
    })
    refused(() => new AdamW(params(), { maxGradNorm: 0 }), 'invalid-option', {
      key: 'maxGradNorm',
      value: 0,
    })
    refused(() => new Adafactor(params(), { eps: [0, 1e-3] }), 'invalid-option', {
      key: 'eps',
      value: [0, 1e-3],
    })
    refused(() => new Adafactor(params(), { decayRate: 0.8 }), 'invalid-option', {
      key: 'decayRate',
      value: 0.8,
    })
    refused(() => new Adafactor(params(), { clipThreshold: 0 }), 'invalid-option', {
      key: 'clipThreshold',
      value: 0,
    })
    refused(() => new Adafactor([{ params: params(), beta1: 1 }]), 'invalid-option', {
      key: 'beta1',
      value: 1,
    })
    refused(
      () => new Adafactor(params(), { warmupInit: true, relativeStep: false }),
      'invalid-option',
      { key: 'warmupInit', mentions: '`relativeStep`' },
    )
    expect(new AdamW(params(), { lr: undefined }).groups[0].lr).toBe(1e-3)
  })
})
