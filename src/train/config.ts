// What a training run is set by: the same keys on the command line (kebab-case), in a JSON file and
// in trainer_state.json. A task adds keys of its own.
import { z } from 'zod'
import { givenTaskName } from '../models/task-names.ts'
import { type OptimizerDefinition, optimizerDefinition, schedules } from '../optim/index.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import type { Options, TaskDefinition } from './task.ts'
import { taskDefinition, usualTask } from './tasks/index.ts'

const count = z.int().min(1)
const counted = z.int().min(0)
const scheduleNames = Object.keys(schedules) as [keyof typeof schedules]

/** The keys of every run with their defaults and what they mean, in the order in which help lists them. */
export const commonSchema = z.strictObject({
  model: z.string().default('gpt2').describe('the architecture'),
  task: z
    .string()
    .default('text-generation')
    .describe('what it learns; the default suits the model'),
  data: z.array(z.string()).min(1).describe('files, folders or globs'),
  valData: z.array(z.string()).min(1).optional().describe('data held out, instead of a share'),
  from: z.string().optional().describe('the folder of a model to go on from'),
  train: z
    .string()
    .regex(/^(all|head|top:[1-9]\d{0,3})$/, 'is all, head or top:N')
    .default('all')
    .describe('which weights: all, head, or top:N layers and the head'),
  tokenizer: z
    .string()
    .optional()
    .describe('char, bpe:SIZE, wordpiece:SIZE, unigram:SIZE or a file'),
  layers: count.default(4).describe('transformer blocks'),
  heads: count.default(4).describe('attention heads in each block'),
  dim: count.default(128).describe('width of the residual stream'),
  context: z.int().min(2).default(128).describe('tokens that the model sees at once'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .nullable()
    .default(0)
    .describe('share of activations dropped; with --from as that model has it'),
  set: z
    .record(z.string().max(80), z.unknown())
    .default({})
    .describe("further keys of the model's config.json"),
  batch: count.default(16).describe('rows in a micro-batch'),
  accumulate: count.default(1).describe('micro-batches in a step'),
  steps: count.nullable().default(1000).describe('updates of the weights'),
  epochs: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('passes over the data, for steps'),
  optimizer: z
    .string()
    .default('adamw')
    .describe('optimiser: adamw, adam, sgd or a registered name'),
  lr: z.number().positive().default(1e-3).describe('peak learning rate'),
  warmup: counted.default(50).describe('steps in which the learning rate rises'),
  schedule: z.enum(scheduleNames).default('cosine').describe('how it goes on afterwards'),
  minLr: z.number().min(0).max(1).default(0.1).describe('where it ends, as a share of the peak'),
  weightDecay: z.number().min(0).default(0.1).describe('weight decay of matrices'),
  clip: z.number().min(0).default(1).describe('largest gradient norm, 0 for no limit'),
  evalEvery: counted.default(100).describe('steps between looks at held-out data, 0: never'),
  evalBatches: count.default(8).describe('batches in such a look'),
  saveEvery: counted.default(200).describe('steps between checkpoints, 0: at the end only'),
  logEvery: count.default(10).describe('steps between lines of the log'),
  valFraction: z.number().min(0).max(0.5).default(0.1).describe('share of the data held out'),
  seed: z.int().min(0).max(0xffffffff).default(1337).describe('of all that is random'),
})

type Common = z.output<typeof commonSchema>
/** With the keys of the task and of the optimiser. */
export type TrainConfig = Common & Options

/** Keys that say how large a new model is; one that is fine-tuned has its size. */
const sizeKeys = ['layers', 'heads', 'dim'] as const

/** These may change when a run goes on; all others make it another run. */
const free: ReadonlySet<string> = new Set([
  'data',
  'valData',
  'evalEvery',
  'saveEvery',
  'logEvery',
] satisfies (keyof Common)[])

/**
 * The whole configuration, with the defaults of its task and its optimiser.
 * @throws HeedError that names every key which is unknown (with the nearest known one) or does not fit.
 */
export function parseTrainConfig(raw: object, source = 'the configuration'): TrainConfig {
  const given = raw as Partial<Common>
  const task =
    typeof given.task === 'string' ? givenTaskName(given.task) : usualTask(given.model ?? 'gpt2')
  const kind = taskDefinition(task)
  const optimizer = optimizerDefinition(
    typeof given.optimizer === 'string' ? given.optimizer : commonSchema.shape.optimizer.parse(undefined), // biome-ignore format: one line
  )
  const schema = schemaOf(kind, optimizer)
  const result = schema.safeParse({
    ...defaultsOf(given, kind, optimizer),
    ...given,
    task: typeof given.task === 'string' ? task : (given.task ?? task),
  })
  const error = result.error ?? optimizer.options.safeParse(optionsOf(optimizer, result.data)).error
  if (error)
    throw new HeedError(
      'invalid-option',
      `${source} has mistakes:\n${problems(error, Object.keys(schema.shape))}`,
    )
  const config = result.data as TrainConfig
  checkSize(config)
  return config
}

function schemaOf(kind: TaskDefinition, optimizer: OptimizerDefinition): z.ZodObject {
  const taken = Object.keys({ ...commonSchema.shape, ...kind.options.shape })
  const doubled = taken.find((key) => key in optimizer.options.shape)
  if (doubled !== undefined)
    throw new HeedError(
      'invalid-option',
      `The options of the optimiser '${optimizer.name}' must differ from the keys of every run, got \`${doubled}\``,
      { key: doubled, remedy: 'Rename the option where the optimiser is registered.' },
    )
  return commonSchema.extend(kind.options.shape).extend(optimizer.options.shape)
}

/** Of steps and epochs, the one that is given. */
function defaultsOf(
  given: Partial<Common>,
  { defaults, options }: TaskDefinition,
  optimizer: OptimizerDefinition,
): Options {
  const tuning =
    given.from === undefined ? {} : { dropout: null, lr: 5e-5, beta2: 0.999, weightDecay: 0.01 }
  const length =
    given.steps != null ? { epochs: null } : given.epochs != null ? { steps: null } : {}
  const all = { ...defaults, ...tuning, ...optimizer.defaults, ...length }
  // Defaults such as `beta2` are for the optimisers that have it.
  const keys = { ...commonSchema.shape, ...options.shape, ...optimizer.options.shape }
  return Object.fromEntries(Object.entries(all).filter(([key]) => key in keys))
}

function checkSize(config: Common): void {
  const { dim, heads, steps, epochs, from } = config
  if ((steps === null) === (epochs === null))
    throw new HeedError(
      'invalid-option',
      'Training lasts a number of steps or of epochs: give one of them',
    )
  const resized = sizeKeys.filter((key) => config[key] !== commonSchema.shape[key].parse(undefined))
  if (from !== undefined && resized.length > 0)
    throw new HeedError(
      'invalid-option',
      `--from with --${resized.join(', --')}: the model there has its own size`,
      {
        remedy: 'Leave these out.',
      },
    )
  if (from === undefined && dim % heads !== 0)
    throw new HeedError('invalid-option', `${heads} heads do not divide a width (dim) of ${dim}`, {
      remedy: `Try --dim ${heads * Math.ceil(dim / heads)}, or a number of heads that divides ${dim}.`,
    })
}

/** The keys of the task alone. */
export const taskOptions = (config: TrainConfig): Options =>
  optionsOf(taskDefinition(config.task), config)

/** The keys of the optimiser alone. */
export const optimizerOptions = (config: TrainConfig): Options =>
  optionsOf(optimizerDefinition(config.optimizer), config)

function optionsOf({ options }: { options: z.ZodObject }, config: object): Options {
  const entries = Object.entries(config).filter(([key]) => Object.hasOwn(options.shape, key))
  return Object.fromEntries(entries)
}

/** The keys of a run with changes: another task or optimiser brings its own options. */
export function withChanges(
  saved: TrainConfig,
  changes: Readonly<Record<string, unknown>>,
): Options {
  const replaced = replacedOptions(saved, { ...saved, ...changes })
  const kept = Object.entries(saved).filter(([key]) => !replaced.has(key))
  return { ...Object.fromEntries(kept), ...changes }
}

/** Options that `next` cannot have as `saved` has them, because they are those of another task or optimiser. */
function replacedOptions(saved: TrainConfig, next: Options): Set<string> {
  const task = next.task === saved.task ? {} : taskOptions(saved)
  const optimizer = next.optimizer === saved.optimizer ? {} : optimizerOptions(saved)
  return new Set(Object.keys({ ...task, ...optimizer }))
}

/** Refuses to go on with a run under another configuration. */
export function checkSameRun(saved: TrainConfig, wanted: TrainConfig, run: string): void {
  const replaced = new Set([...replacedOptions(saved, wanted), ...replacedOptions(wanted, saved)])
  const keys = new Set([...Object.keys(saved), ...Object.keys(wanted)])
  const changed = [...keys].filter(
    (key) =>
      !free.has(key) &&
      !replaced.has(key) &&
      JSON.stringify(saved[key]) !== JSON.stringify(wanted[key]),
  )
  if (changed.length === 0) return
  const list = changed.map((key) => `  ${key}: ${saved[key]} before, ${wanted[key]} now`)
  throw new HeedError(
    'invalid-option',
    `${run} was trained with another configuration:\n${list.join('\n')}`,
    {
      remedy: 'Leave these out to go on as before, or start a new run with another --out.',
    },
  )
}

function problems(error: z.ZodError, known: readonly string[]): string {
  return error.issues
    .flatMap((issue) => {
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map(
          (key) => `  ${key}: there is no such key; did you mean ${nearestFirst(key, known)[0]}?`,
        )
      return [`  ${issue.path.join('.')}: ${issue.message}`]
    })
    .join('\n')
}
