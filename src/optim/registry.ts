// Optimisers by name, for the configuration of training runs.
import { z } from 'zod'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError, shown } from '../util/errors.ts'
import { having, optionKinds } from '../util/options.ts'
import { Registry } from '../util/registry.ts'
import { Adafactor } from './adafactor.ts'
import { Adam, AdamW } from './adamw.ts'
import type { DecayGroup } from './decay-groups.ts'
import { Optimizer } from './optimizer.ts'
import { SGD } from './sgd.ts'

/** Settings of a training run that apply to every optimiser. */
export interface OptimizerSettings {
  /** Peak learning rate. The schedule of the run changes `lr` of each group. */
  lr: number
  /** Weight decay of matrices and embeddings. Biases and norms have none. */
  weightDecay: number
  /** See `Optimizer.maxGradNorm`. */
  maxGradNorm: number | null
}

/** An optimiser that training runs and the command line can use by name. */
export interface OptimizerDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** Value of the key `optimizer` in a training configuration, such as `adamw`. */
  readonly name: string
  /** One-line description for help. */
  readonly about: string
  /** Its own options, in addition to `OptimizerSettings`. Each needs a default and a description for help. */
  readonly options: Schema
  /** Default settings of runs that use it, if they differ from those of AdamW. */
  readonly defaults?: Partial<Pick<OptimizerSettings, 'lr' | 'weightDecay'>>
  /** Default settings of fine-tuning runs, if they differ from `defaults`. */
  readonly tuningDefaults?: Partial<Pick<OptimizerSettings, 'lr' | 'weightDecay'>>
  /** Creates the optimiser. */
  create(groups: DecayGroup[], settings: OptimizerSettings & z.output<Schema>): Optimizer
}

const DEFINITION = optionKinds<OptimizerDefinition>({
  name: 'text',
  about: 'text',
  options: having('a zod object', 'safeParse', 'extend'),
  defaults: 'record?',
  tuningDefaults: 'record?',
  create: 'function',
})
const DEFAULTS = optionKinds<OptimizerDefinition['defaults'] & object>({
  lr: 'number?',
  weightDecay: 'number?',
})

const registry = new Registry<OptimizerDefinition>('optimiser', 'optimizer')

/**
 * Makes an optimiser available to training runs: `trainModel` and `heed train --optimizer NAME`.
 * @throws HeedError if the name is already in use or invalid, or if the definition is incomplete
 */
export function registerOptimizer<Schema extends z.ZodObject>(
  definition: OptimizerDefinition<Schema>,
): void {
  checkArgument('registerOptimizer', 'definition', definition, 'object')
  DEFINITION.check('registerOptimizer', definition)
  DEFAULTS.check('registerOptimizer', definition.defaults)
  DEFAULTS.check('registerOptimizer', definition.tuningDefaults)
  checkOptions(definition)
  registry.register(definition.name, definition)
}

/** Returns the definition of an optimiser. @throws HeedError for an unknown name, with the most similar ones */
export const optimizerDefinition = (name: string): OptimizerDefinition => registry.get(name)

/** Returns the definitions of all registered optimisers, in the order of registration. */
export const optimizerDefinitions = (): OptimizerDefinition[] => registry.values()

/**
 * Creates a registered optimiser. @throws HeedError if the options do not match its schema, or `create` does not return
 * an `Optimizer`
 */
export function createOptimizer(
  name: string,
  groups: DecayGroup[],
  settings: OptimizerSettings & Record<string, unknown>,
): Optimizer {
  checkArgument('createOptimizer', 'settings', settings, 'object')
  const { lr, weightDecay, maxGradNorm, ...options } = settings
  const definition = optimizerDefinition(name)
  const parsed = definition.options.parse(options)
  const optimizer = definition.create(groups, { ...parsed, lr, weightDecay, maxGradNorm })
  if (optimizer instanceof Optimizer) return optimizer
  throw new HeedError(
    'invalid-state',
    `\`create\` of the optimiser '${name}' must return an Optimizer, got ${shown(optimizer)}`,
    {
      key: 'create',
      value: optimizer,
      remedy: 'Derive its class from Optimizer, imported from the same copy of heed/optim.',
    },
  )
}

function checkOptions({ name, options: { shape } }: OptimizerDefinition): void {
  const required = Object.keys(shape).find((key) => !shape[key].safeParse(undefined).success)
  if (required === undefined) return
  throw new HeedError(
    'invalid-option',
    `Optimiser '${name}': each of \`options\` must have a default, got \`${required}\` without a default`,
    {
      key: 'options',
      value: required,
      remedy: `Add .default(…) to \`${required}\`.`,
    },
  )
}

const beta = (value: number, text: string) => z.number().min(0).lt(1).default(value).describe(text)

const flag = (value: boolean, on: string, { off }: { off: string }) =>
  z.boolean().default(value).describe(on).meta({ off })

const adamOptions = z.strictObject({
  beta1: beta(0.9, 'decay rate of the mean gradient'),
  beta2: beta(0.99, 'decay rate of the mean squared gradient'),
  eps: z.number().positive().default(1e-8).describe('term added to the denominator'),
  scaleParameter: flag(false, 'multiply the rate by the root mean square of each parameter', {
    off: 'use the same rate for all parameters',
  }),
})

registerOptimizer({
  name: 'adamw',
  about: 'Adam with decoupled weight decay (Loshchilov and Hutter, 2019)',
  options: adamOptions,
  create: (groups, { beta1, beta2, ...rest }) =>
    new AdamW(groups, { betas: [beta1, beta2], ...rest }),
})

registerOptimizer({
  name: 'adam',
  about: 'Adam; weight decay is added to the gradient (Kingma and Ba, 2015)',
  options: adamOptions,
  defaults: { weightDecay: 0 },
  create: (groups, { beta1, beta2, ...rest }) =>
    new Adam(groups, { betas: [beta1, beta2], ...rest }),
})

registerOptimizer({
  name: 'sgd',
  about: 'stochastic gradient descent, with momentum if given',
  options: z
    .strictObject({
      momentum: beta(0, 'fraction of the previous update that is kept'),
      dampening: beta(0, 'fraction of each gradient that is left out of the momentum'),
      nesterov: flag(false, 'use Nesterov momentum', { off: 'use plain momentum' }),
    })
    .refine(({ nesterov, momentum, dampening }) => !nesterov || (momentum > 0 && dampening === 0), {
      path: ['nesterov'],
      message: 'false unless `momentum` is above 0 and `dampening` is 0',
    }),
  defaults: { weightDecay: 0 },
  create: (groups, settings) => new SGD(groups, settings),
})

registerOptimizer({
  name: 'adafactor',
  about: 'factored squared gradients, rates relative to each matrix (Shazeer and Stern, 2018)',
  options: z
    .strictObject({
      beta1: beta(0, 'decay rate of the mean update; 0 for no mean'),
      decayRate: z
        .number()
        .negative()
        .default(-0.8)
        .describe('exponent of the decay rate of the squared gradients, 1 - step^decayRate'),
      clipThreshold: z
        .number()
        .positive()
        .default(1)
        .describe('maximum root mean square of an update'),
      eps1: z.number().positive().default(1e-30).describe('term added to the squared gradients'),
      eps2: z
        .number()
        .positive()
        .default(1e-3)
        .describe('minimum root mean square of a parameter for scaling the learning rate'),
      scaleParameter: flag(true, 'multiply the rate by the root mean square of each parameter', {
        off: 'use the same rate for all parameters',
      }),
      relativeStep: flag(true, 'limit the rate to 1/√step', { off: 'use the rate unchanged' }),
      warmupInit: flag(false, 'limit the rate to 1e-6·step', {
        off: 'leave warm-up to the schedule',
      }),
    })
    .refine(({ warmupInit, relativeStep }) => !warmupInit || relativeStep, {
      path: ['warmupInit'],
      message: 'false unless `relativeStep` is true',
    }),
  defaults: { lr: 1e-2, weightDecay: 0 },
  tuningDefaults: { lr: 1e-3 },
  create: (groups, { eps1, eps2, ...rest }) =>
    new Adafactor(groups, { eps: [eps1, eps2], ...rest }),
})
