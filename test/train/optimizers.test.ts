// Training runs with another optimiser than AdamW.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { Optimizer, registerOptimizer, type UpdateRule, zeroState } from '../../src/optim/index.ts'
import { type Parameter, runtimeScalar } from '../../src/tensor/index.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, weightsOf } from './support.ts'

const at = scratch()
const text = at('text.txt')
writeFileSync(text, 'the cat sat on the mat. the dog sat on the log. '.repeat(40))
const keys = { data: [text], tokenizer: 'char', steps: 6, saveEvery: 3, evalEvery: 0, warmup: 1 }

/** Lion (Chen et al., 2023) with a soft sign. */
class Lion extends Optimizer<{ lr: number; weightDecay: number; decay: number }> {
  protected initialState(parameter: Parameter) {
    return { mean: zeroState(parameter) }
  }

  protected ruleFor(group: (typeof this.groups)[number]): UpdateRule {
    const [lr, decay] = [runtimeScalar(() => group.lr), runtimeScalar(() => group.decay)]
    return (parameter, grad) => {
      const { mean } = this.stateOf(parameter)
      const next = mean.mul(decay).add(grad)
      parameter.assign(parameter.sub(next.mul(100).tanh().mul(lr)))
      return [mean.assign(next)]
    }
  }
}

registerOptimizer({
  name: 'lion',
  about: 'sign of the momentum',
  options: z.object({ decay: z.number().min(0).max(1).default(0.9).describe('momentum') }),
  defaults: { lr: 1e-2 },
  create: (groups, { lr, weightDecay, maxGradNorm, decay }) =>
    new Lion(groups, { lr, weightDecay, decay }, { maxGradNorm }),
})

const configOf = (run: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(run, 'checkpoints/step-000006/trainer_state.json'), 'utf8')).config

async function stateKeys(run: string): Promise<Set<string>> {
  const file = await openSafetensors(join(run, 'checkpoints/step-000006/optimizer.safetensors'))
  const keys = new Set(file.names.map((name) => name.slice(name.lastIndexOf('.') + 1)))
  await file.close()
  return keys
}

it.each([
  ['adamw', { beta2: 0.95 }, ['exp_avg', 'exp_avg_sq']],
  ['adam', { beta1: 0.8, eps: 1e-6 }, ['exp_avg', 'exp_avg_sq']],
  ['sgd', { momentum: 0.9, nesterov: true, lr: 0.1 }, ['momentum_buffer']],
  ['sgd', { lr: 0.1 }, []],
  ['lion', { decay: 0.5 }, ['mean']],
  ['adafactor', {}, ['exp_avg_sq', 'exp_avg_sq_row', 'exp_avg_sq_col']],
  ['adafactor', { beta1: 0.5, relativeStep: false, lr: 0.05 }, ['exp_avg_sq', 'exp_avg_sq_row', 'exp_avg_sq_col', 'exp_avg']], // biome-ignore format: one line
  ['adamw', { scaleParameter: true, lr: 0.02 }, ['exp_avg', 'exp_avg_sq']],
])('%s with %j trains, and resumes bit for bit', async (optimizer, options, state) => {
  const scaled = 'scaleParameter' in options ? '-scaled' : ''
  const name = `${optimizer}-${state.join('')}${scaled}`
  const config = { ...keys, optimizer, ...options }
  const direct = await trainTiny(at(name), config)
  await trainTiny(at(`${name}-2`), config, { stopAt: 3 })
  await trainTiny(at(`${name}-2`), config, { resume: true })
  expect(await weightsOf(at(`${name}-2`))).toEqual(await weightsOf(at(name)))
  expect(linesOf(at(`${name}-2`))).toEqual(linesOf(at(name)))
  expect(direct.loss).toBeLessThan(linesOf(at(name))[0].loss)
  expect(configOf(at(name))).toMatchObject({ optimizer, ...options })
  expect(await stateKeys(at(name))).toEqual(new Set(state))
})

it('differ in what they learn', () => {
  const names = [
    'adamw-exp_avgexp_avg_sq',
    'adamw-exp_avgexp_avg_sq-scaled',
    'sgd-momentum_buffer',
    'sgd-',
    'lion-mean',
    'adafactor-exp_avg_sqexp_avg_sq_rowexp_avg_sq_col',
  ]
  const losses = names.map((name) => linesOf(at(name))[5].loss)
  expect(new Set(losses).size).toBe(names.length)
})

it('have options and defaults of their own', () => {
  const parse = (more: object) => parseTrainConfig({ data: ['x.txt'], ...more })
  expect(parse({})).toMatchObject({ optimizer: 'adamw', beta1: 0.9, beta2: 0.99, eps: 1e-8 })
  expect(parse({ from: 'x' })).toMatchObject({ beta2: 0.999, weightDecay: 0.01 })
  expect(parse({ task: 'translation', model: 't5' }).beta2).toBe(0.98)
  const sgd = parse({ optimizer: 'sgd', from: 'x' })
  expect(sgd).toMatchObject({ momentum: 0, nesterov: false, weightDecay: 0, lr: 5e-5 })
  expect(sgd).not.toHaveProperty('beta2')
  expect(parse({ optimizer: 'adafactor' })).toMatchObject({ lr: 1e-2, weightDecay: 0, eps1: 1e-30 })
  expect(parse({ optimizer: 'adafactor', from: 'x' })).toMatchObject({ lr: 1e-3, weightDecay: 0 })
  expect(parse({ optimizer: 'lion' })).toMatchObject({ decay: 0.9, lr: 1e-2 })
})

it('refuses unknown optimisers, and options that the optimiser does not have', () => {
  const parse = (more: object) => () => parseTrainConfig({ data: ['x.txt'], ...more })
  expect(parse({ optimizer: 'adamv' })).toThrow(
    heedError('unknown-name', { value: 'adamv', remedy: 'adamw?' }), // biome-ignore format: one line
  )
  expect(parse({ optimizer: 'sgd', beta2: 0.9 })).toThrow(
    heedError('unknown-name', { key: 'beta2', value: 0.9 }),
  )
  expect(parse({ momentum: 0.9 })).toThrow(
    heedError('unknown-name', { key: 'momentum', value: 0.9 }),
  )
  expect(parse({ optimizer: 'sgd', nesterov: true })).toThrow(
    heedError('invalid-option', { key: 'nesterov', value: true }),
  )
  expect(parse({ optimizer: 'adafactor', warmupInit: true, relativeStep: false })).toThrow(
    heedError('invalid-option', { key: 'warmupInit', value: true, mentions: 'relativeStep' }),
  )
  expect(parse({ optimizer: 'sgd', momentum: 2 })).toThrow(
    heedError('invalid-option', { key: 'momentum', value: 2 }),
  )
  expect(parse({ optimizer: 7 })).toThrow(
    heedError('invalid-option', { key: 'optimizer', value: 7 }),
  )
})

it('refuses to resume a run with another optimiser', async () => {
  const resume = trainTiny(at('lion-mean'), { ...keys, optimizer: 'adam' }, { resume: true })
  await expect(resume).rejects.toThrow(
    heedError('invalid-option', { key: 'optimizer', value: 'adam', mentions: '"lion"' }),
  )
  await expect(resume).rejects.not.toThrow(/decay: /)
})

it('refuses options that are named as those of every run', () => {
  registerOptimizer({
    name: 'greedy',
    about: 'takes the name of a common key',
    options: z.object({ steps: z.number().default(1) }),
    create: (groups, { lr, weightDecay }) => new Lion(groups, { lr, weightDecay, decay: 0 }),
  })
  expect(() => parseTrainConfig({ data: ['x.txt'], optimizer: 'greedy' })).toThrow(
    heedError('already-exists', { key: 'steps' }),
  )
})
