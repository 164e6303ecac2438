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
      expect.objectContaining({
        code: 'unknown-name',
        remedy: 'Did you mean adamw? Known: adamw, adam, sgd, adafactor.',
        details: expect.objectContaining({ key: 'optimizer', value: 'adamm' }),
      }),
    )
  })

  it('refuses names that are taken or unsafe, and incomplete definitions', () => {
    const create = () => new SGD(params())
    const options = z.object({})
    const refused = (definition: object, code: string, text: string): void =>
      expect(() => registerOptimizer(definition as never)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(text) }),
      )
    refused({ name: 'sgd', about: '', options, create }, 'already-exists', '"sgd" twice')
    refused({ name: '__proto__', about: '', options, create }, 'invalid-option', '"__proto__"')
    refused({ name: '../x', about: '', options, create }, 'invalid-option', '"../x"')
    refused({ name: 'a', about: '', options }, 'invalid-option', '`create` must be a function')
    refused({ name: 'a', about: '', create }, 'invalid-option', '`options` must be a zod object')
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
    expect(() => createOptimizer('nothing', groups(), settings)).toThrow('must return an Optimizer')
  })
})

describe('options', () => {
  const refused = (work: () => unknown, error: object): void =>
    expect(work).toThrow(expect.objectContaining(error))

  it('have no unknown keys', () => {
    refused(() => new AdamW(params(), { learningRate: 1 } as never), {
      code: 'unknown-name',
      message: 'The options of AdamW must be among lr, betas, eps, weightDecay, scaleParameter, maxGradNorm, gradNorm, checkFinite, got `learningRate`', // biome-ignore format: one line
      remedy: 'Did you mean `lr`?',
    })
    refused(() => new SGD(params(), { momentun: 0.9 } as never), {
      remedy: 'Did you mean `momentum`?',
    })
    refused(() => new SGD(params(), { maxGradNrom: 1 } as never), {
      remedy: 'Did you mean `maxGradNorm`?',
    })
    refused(() => new Adam([{ params: params(), weightdecay: 0 } as never]), {
      message: expect.stringContaining('a group of Adam'),
      remedy: 'Did you mean `weightDecay`?',
    })
  })

  it('have values of the type of their defaults', () => {
    refused(() => new AdamW(params(), { lr: Number.NaN }), {
      code: 'invalid-option',
      message: '`lr` must be a finite number, got NaN',
    })
    refused(() => new SGD(params(), { momentum: '0.9' as never }), {
      message: '`momentum` must be a finite number, got "0.9"',
    })
    refused(() => new SGD(params(), { nesterov: 1 as never }), {
      message: '`nesterov` must be true or false, got 1',
    })
    refused(() => new AdamW(params(), { betas: null as never }), {
      message: '`betas` must be a list, got null',
    })
    refused(() => new AdamW(params(), { betas: [0.9, 1] }), {
      message: '`betas` must be two numbers in [0, 1), got [0.9,1]',
    })
    refused(() => new AdamW(params(), { maxGradNorm: 0 }), {
      message: '`maxGradNorm` must be a positive number or null, got 0',
    })
    refused(() => new Adafactor(params(), { eps: [0, 1e-3] }), {
      message: '`eps` must be two numbers > 0, got [0,0.001]',
    })
    refused(() => new Adafactor(params(), { decayRate: 0.8 }), {
      message: '`decayRate` must be a number < 0, got 0.8',
    })
    refused(() => new Adafactor(params(), { clipThreshold: 0 }), {
      message: '`clipThreshold` must be a number > 0, got 0',
    })
    refused(() => new Adafactor([{ params: params(), beta1: 1 }]), {
      message: '`beta1` must be a number in [0, 1), got 1',
    })
    refused(() => new Adafactor(params(), { warmupInit: true, relativeStep: false }), {
      message: '`warmupInit` must be used with `relativeStep`',
    })
    expect(new AdamW(params(), { lr: undefined }).groups[0].lr).toBe(1e-3)
  })
})
