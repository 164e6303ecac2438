// What a training run is set by: the same keys on the command line (kebab-case), in a JSON file and
// in trainer_state.json.
import { z } from 'zod'
import { schedules } from '../optim/index.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'

const count = z.int().min(1)
const counted = z.int().min(0)
const scheduleNames = Object.keys(schedules) as [keyof typeof schedules]

/** Every key with its default and what it means, in the order in which help lists them. */
export const trainSchema = z.strictObject({
  data: z.array(z.string()).min(1).describe('text files or folders'),
  tokenizer: z.string().default('char').describe('char, bpe:SIZE, or a tokenizer to load'),
  layers: count.default(4).describe('transformer blocks'),
  heads: count.default(4).describe('attention heads in each block'),
  dim: count.default(128).describe('width of the residual stream'),
  context: z.int().min(2).default(128).describe('tokens that the model sees at once'),
  batch: count.default(16).describe('sequences in a micro-batch'),
  accumulate: count.default(1).describe('micro-batches in a step'),
  steps: count.default(1000).describe('updates of the weights'),
  lr: z.number().positive().default(1e-3).describe('peak learning rate'),
  warmup: counted.default(50).describe('steps in which the learning rate rises'),
  schedule: z.enum(scheduleNames).default('cosine').describe('how it goes on afterwards'),
  minLr: z.number().min(0).max(1).default(0.1).describe('where it ends, as a share of the peak'),
  weightDecay: z.number().min(0).default(0.1).describe('of matrices, as in AdamW'),
  beta2: z.number().min(0).lt(1).default(0.99).describe("AdamW's second decay rate"),
  clip: z.number().min(0).default(1).describe('largest gradient norm, 0 for no limit'),
  dropout: z.number().min(0).lt(1).default(0).describe('share of activations dropped'),
  evalEvery: counted.default(100).describe('steps between looks at the validation text, 0: never'),
  evalBatches: count.default(8).describe('batches in such a look'),
  saveEvery: counted.default(200).describe('steps between checkpoints, 0: at the end only'),
  logEvery: count.default(10).describe('steps between lines of the log'),
  valFraction: z.number().min(0).max(0.5).default(0.1).describe('share of the text held out'),
  seed: z.int().min(0).max(0xffffffff).default(1337).describe('of all that is random'),
})

export type TrainConfig = z.output<typeof trainSchema>
export type TrainKey = keyof TrainConfig
export const trainKeys = Object.keys(trainSchema.shape) as TrainKey[]

/** These may change when a run goes on; all others make it another run. */
const free: ReadonlySet<string> = new Set([
  'data',
  'evalEvery',
  'saveEvery',
  'logEvery',
] satisfies TrainKey[])

/**
 * The whole configuration, with defaults.
 * @throws HeedError that names every key which is unknown (with the nearest known one) or does not fit.
 */
export function parseTrainConfig(raw: unknown, source = 'the configuration'): TrainConfig {
  const result = trainSchema.safeParse(raw)
  if (!result.success) throw new HeedError(`${source} has mistakes:\n${problems(result.error)}`)
  const { dim, heads, warmup, steps } = result.data
  if (dim % heads !== 0)
    throw new HeedError(`${heads} heads do not divide a width (dim) of ${dim}`, {
      remedy: `Try --dim ${heads * Math.ceil(dim / heads)}, or a number of heads that divides ${dim}.`,
    })
  return warmup < steps ? result.data : { ...result.data, warmup: Math.floor(steps / 10) }
}

/** Refuses to go on with a run under another configuration. */
export function checkSameRun(saved: TrainConfig, wanted: TrainConfig, run: string): void {
  const changed = trainKeys.filter(
    (key) => !free.has(key) && JSON.stringify(saved[key]) !== JSON.stringify(wanted[key]),
  )
  if (changed.length === 0) return
  const list = changed.map((key) => `  ${key}: ${saved[key]} before, ${wanted[key]} now`)
  throw new HeedError(`${run} was trained with another configuration:\n${list.join('\n')}`, {
    remedy: 'Leave these out to go on as before, or start a new run with another --out.',
  })
}

function problems(error: z.ZodError): string {
  return error.issues
    .flatMap((issue) => {
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map(
          (key) =>
            `  ${key}: there is no such key; did you mean ${nearestFirst(key, trainKeys)[0]}?`,
        )
      return [`  ${issue.path.join('.')}: ${issue.message}`]
    })
    .join('\n')
}
