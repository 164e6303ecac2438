import { describe, expect, it } from 'vitest'
import { HeedError } from '../../src/util/errors.ts'
import { Registry } from '../../src/util/registry.ts'

function errorOf(work: () => unknown): HeedError {
  try {
    work()
  } catch (error) {
    if (error instanceof HeedError) return error
  }
  throw new Error('expected a HeedError')
}

describe('Registry', () => {
  it('keeps values by name, in order', () => {
    const tasks = new Registry<number>('task')
    tasks.register('text-generation', 1)
    tasks.register('fill-mask', 2)
    tasks.register('zero', 0)
    expect(tasks.get('fill-mask')).toBe(2)
    expect(tasks.get('zero')).toBe(0)
    expect(tasks.names()).toEqual(['text-generation', 'fill-mask', 'zero'])
    expect(tasks.values()).toEqual([1, 2, 0])
    expect([tasks.has('zero'), tasks.has('one')]).toEqual([true, false])
  })

  it('refuses a second registration and names both values', () => {
    const models = new Registry<new () => object>('model')
    models.register('gpt2', class GPT2 {})
    const error = errorOf(() => models.register('gpt2', class MyGPT2 {}))
    expect(error.code).toBe('already-exists')
    expect(error.message).toContain('got "gpt2" twice (GPT2 and MyGPT2)')
    expect(error.details).toMatchObject({ key: 'model', value: 'gpt2' })
    expect(models.get('gpt2').name).toBe('GPT2')
  })

  it.each([
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '..',
    '../x',
    'a/../b',
    'a..b',
    'a/b',
    'a\\b',
    '.hidden',
    '-flag',
    '',
    ' ',
    'a b',
    'naïve',
    'a\n',
    'a'.repeat(81),
  ])('refuses the name %j', (name) => {
    const registry = new Registry<number>('device')
    const error = errorOf(() => registry.register(name, 1))
    expect(error.code).toBe('invalid-option')
    expect(error.details).toMatchObject({ key: 'device', value: name })
    expect(registry.names()).toEqual([])
  })

  it('refuses a name that is not a string', () => {
    expect(errorOf(() => new Registry('task').register(7 as never, 1)).code).toBe('invalid-option')
  })

  it('accepts safe names', () => {
    const registry = new Registry<number>('reader')
    const names = ['csv', 'XLM-RoBERTa', 'openai-gpt', 'a.b', 'snake_case', '7z', 'a'.repeat(80)]
    for (const name of names) registry.register(name, 1)
    expect(registry.names()).toEqual(names)
  })

  it('suggests the most similar name', () => {
    const optimizers = new Registry<number>('optimiser')
    for (const name of ['sgd', 'adam', 'adamw']) optimizers.register(name, 1)
    const error = errorOf(() => optimizers.get('adamq'))
    expect(error.code).toBe('unknown-name')
    expect(error.message).toContain('got "adamq"')
    expect(error.remedy).toMatch(/\badam\?.*\badam, adamw, sgd\.$/)
    expect(error.details.try).toEqual({ optimiser: ['adam', 'adamw', 'sgd'] })
    expect(errorOf(() => optimizers.get('__proto__')).code).toBe('unknown-name')
    expect(errorOf(() => new Registry('task').get('x')).remedy).toMatch(/^[^?]*\btask\b[^?]*$/)
  })
})
