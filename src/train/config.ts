// Parsing of configurations (see config-schema.ts), with the defaults of the task and the optimizer.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { parseAdapterSpec } from '../adapt/index.ts'
import { givenTaskName } from '../models/task-names.ts'
import { type OptimizerDefinition, optimizerDefinition } from '../optim/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { divisorsNear } from '../util/divisors.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { schemaProblems } from '../util/schema-issues.ts'
import { configError } from './config-errors.ts'
import { type CommonConfig, commonSchema, type TrainConfig } from './config-schema.ts'
import { distillSchema } from './distill/options.ts'
import type { Options, TaskDefinition } from './task.ts'
import { taskDefinition, usualTask } from './tasks/index.ts'

const checkParse = argumentKinds('parseTrainConfig', { config: 'record', source: 'text?' })

/**
 * Checks a configuration and fills in the defaults of its task and optimizer.
 * @param source the file of the configuration, for error messages
 * @throws HeedError that lists each key that is unknown (with the nearest known key) or has a wrong value
 */
export function parseTrainConfig(raw: object, source?: string): TrainConfig {
  checkParse(raw, source)
  const given = raw as Partial<CommonConfig>
  const task =
    typeof given.task === 'string' ? givenTaskName(given.task) : usualTask(given.model ?? 'gpt2')
  const kind = taskDefinition(task)
  const optimizer = optimizerDefinition(
    typeof given.optimizer === 'string' ? given.optimizer : commonSchema.shape.optimizer.parse(undefined), // biome-ignore format: one line
  )
  const schema = schemaOf(kind, optimizer, raw)
  const result = schema.safeParse({
    ...defaultsOf(given, kind, optimizer),
    ...given,
    task: typeof given.task === 'string' ? task : (given.task ?? task),
  })
  const error = result.error ?? optimizer.options.safeParse(optionsOf(optimizer, result.data)).error
  if (error) throw configError(schemaProblems(error.issues, raw, Object.keys(schema.shape)), source)
  const config = result.data as TrainConfig
  checkSize(config)
  checkAdapter(config)
  return config
}

/** The values of the task's own keys. */
export const taskOptions = (config: TrainConfig): Options =>
  optionsOf(taskDefinition(config.task), config)

/** The values of the optimizer's own keys. */
export const optimizerOptions = (config: TrainConfig): Options =>
  optionsOf(optimizerDefinition(config.optimizer), config)

function optionsOf({ options }: { options: z.ZodObject }, config: object): Options {
  const entries = Object.entries(config).filter(([key]) => Object.hasOwn(options.shape, key))
  return Object.fromEntries(entries)
}

/** The keys of a run. A teacher adds those of distillation. */
function schemaOf(kind: TaskDefinition, optimizer: OptimizerDefinition, raw: object): z.ZodObject {
  const teaching = 'teacher' in raw ? distillSchema.shape : {}
  const taken = Object.keys({ ...commonSchema.shape, ...kind.options.shape, ...teaching })
  const doubled = taken.find((key) => key in optimizer.options.shape)
  if (doubled !== undefined)
    throw new HeedError(
      'already-exists',
      `The options of the optimizer '${optimizer.name}' must differ from the keys of every run, got \`${doubled}\``,
      { key: doubled, remedy: 'Rename the option where the optimizer is registered.' },
    )
  return commonSchema.extend(kind.options.shape).extend(teaching).extend(optimizer.options.shape)
}

/** The defaults of the task, of fine-tuning and of the optimizer. A given `steps` unsets `epochs`, and vice versa. */
function defaultsOf(
  given: Partial<CommonConfig>,
  kind: TaskDefinition,
  optimizer: OptimizerDefinition,
): Options {
  const { defaults, options } = kind
  const start = startDefaults(kind)
  const tuning = given.from === undefined ? {} : start.from
  const adapting = trainsAdapter(given) ? start.adapter : {}
  const length =
    given.steps != null ? { epochs: null } : given.epochs != null ? { steps: null } : {}
  const own = { ...optimizer.defaults, ...(given.from !== undefined && optimizer.tuningDefaults) }
  const all = { ...defaults, ...tuning, ...own, ...adapting, ...length }
  // Defaults such as `beta2` apply only to optimizers that have this option.
  const keys = { ...commonSchema.shape, ...options.shape, ...optimizer.options.shape }
  return Object.fromEntries(Object.entries(all).filter(([key]) => key in keys))
}

/** Defaults of a run that starts from a model (`from`), and of one that trains an adapter. */
export function startDefaults(
  kind?: Pick<TaskDefinition, 'tuningDefaults' | 'adapterDefaults'>,
): Record<'from' | 'adapter', Options> {
  const usual = { dropout: null, lr: 5e-5, beta2: 0.999, weightDecay: 0.01 }
  return {
    from: { ...usual, ...kind?.tuningDefaults },
    adapter: { lr: 2e-4, ...kind?.adapterDefaults },
  }
}

/** Whether a run trains an adapter: a new one, or that of the run from which it starts. */
const trainsAdapter = ({ adapter, from }: Partial<CommonConfig>): boolean =>
  adapter !== undefined ||
  (typeof from === 'string' && existsSync(join(from, 'adapter_config.json')))

/** Keys for the size of a new model; a fine-tuned model keeps its size. */
const sizeKeys = ['layers', 'heads', 'dim'] as const

function checkSize(config: CommonConfig): void {
  const { dim, heads, steps, epochs, from } = config
  if ((steps === null) === (epochs === null))
    throw new HeedError('invalid-option', 'Exactly one of `steps` and `epochs` is required', {
      key: 'steps',
      value: steps,
      remedy: 'Omit one of them.',
    })
  const resized = sizeKeys.filter((key) => config[key] !== commonSchema.shape[key].parse(undefined))
  if (from !== undefined && resized.length > 0)
    throw new HeedError(
      'invalid-option',
      `${listed(resized)} must not be set with \`from\`: a fine-tuned model keeps its size`,
      { key: resized[0], value: config[resized[0]], remedy: `Omit ${listed(resized)}.` },
    )
  if (from === undefined && config.base !== undefined)
    throw invalidOption({
      key: 'base',
      value: config.base,
      expected: 'omitted without `from`, the run of an adapter',
    })
  if (from === undefined && dim % heads !== 0)
    throw invalidOption({
      key: 'heads',
      value: heads,
      expected: `a divisor of \`dim\` (${dim})`,
      try: sizesThatFit(dim, heads),
    })
}

/** An adapter changes a given model, and decides itself what is trained. */
function checkAdapter({ adapter, from, train, quantize }: CommonConfig): void {
  if (adapter === undefined) {
    checkPlain(quantize)
    return
  }
  parseAdapterSpec(adapter)
  if (from === undefined)
    throw new HeedError('invalid-option', '`adapter` must have a model to adapt, got none', {
      key: 'adapter',
      value: adapter,
      remedy: 'Name the folder of a model, or a GGUF file, with `from`.',
    })
  if (train !== 'all')
    throw new HeedError(
      'invalid-option',
      `\`train\` must be omitted with \`adapter\`, got ${train}`,
      {
        key: 'train',
        value: train,
        remedy: 'To train modules of the model whole, name them in the adapter: lora:save=MODULE.',
      },
    )
}

/** Quantised weights have no gradient. An adapter that is trained further keeps the base that it has. */
function checkPlain(quantize: CommonConfig['quantize']): void {
  if (quantize === undefined) return
  throw new HeedError('invalid-option', '`quantize` must have a new adapter to train, got none', {
    key: 'quantize',
    value: quantize,
    remedy: 'Add `adapter`, for example lora. Omit `quantize` to train the weights, or to train an adapter further.',
  }) // biome-ignore format: one line
}

/** Values that work with every architecture; some architectures need an even head dimension. */
function sizesThatFit(dim: number, heads: number): { heads?: number[]; dim?: number[] } {
  if (dim % 2 === 0) return { heads: divisorsNear(dim / 2, heads) }
  const unit = 2 * heads
  const below = Math.floor(dim / unit) * unit
  return { dim: below > 0 ? [below, below + unit] : [unit] }
}

const listed = (keys: readonly string[]): string => keys.map((key) => `\`${key}\``).join(', ')
