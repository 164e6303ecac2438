// The configuration of a training run. The same keys are used on the command line (in kebab-case), in
// JSON files and in trainer_state.json. The task and the optimizer add their own keys.
import { z } from 'zod'
import { schedules } from '../optim/index.ts'
import { quantizeFormats } from '../util/quantize-blocks.ts'
import type { Options } from './task.ts'

const count = z.int().min(1)
const counted = z.int().min(0)

/** No memory holds more rows; without this limit, building the lists of a batch would exhaust the heap first. */
const MOST_ROWS = 2 ** 20
const scheduleNames = Object.keys(schedules) as [keyof typeof schedules]

/** The keys of every run with defaults and descriptions, in the order of the help. */
export const commonSchema = z.strictObject({
  model: z.string().default('gpt2').describe('the architecture'),
  task: z
    .string()
    .default('text-generation')
    .describe('training task; the default depends on the model'),
  data: z.array(z.string()).min(1).describe('training data: files, folders or glob patterns'),
  valData: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('validation data (default: a part of the training data)'),
  separator: z
    .string()
    .optional()
    .describe('separator of tables: one character, or tab (default: detected)'),
  quote: z
    .string()
    .optional()
    .describe('quote character of tables: one character, or none (default: detected)'),
  encoding: z
    .string()
    .optional()
    .describe(
      'encoding of text files, such as windows-1252 (default: UTF-8, or UTF-16 with a byte-order mark)',
    ),
  from: z.string().optional().describe('folder of a model to fine-tune'),
  adapter: z
    .string()
    .optional()
    .describe(
      'train an adapter instead of the weights: METHOD:key=value,… such as lora:r=16,targets=all-linear',
    ),
  base: z
    .string()
    .optional()
    .describe('where the base of the adapter to train further is now, if it has moved'),
  quantize: z
    .enum(quantizeFormats)
    .optional()
    .describe('quantize the base of an adapter in memory: q8_0, q4_0 or q4_1'),
  train: z
    .string()
    .regex(/^(all|head|top:[1-9]\d{0,3})$/, 'all, head or top:N')
    .default('all')
    .describe('weights to train: all, head, or top:N for the head and the top N layers'),
  tokenizer: z
    .string()
    .optional()
    .describe('tokenizer: char, bpe:SIZE, wordpiece:SIZE, unigram:SIZE or a file'),
  layers: count.default(4).describe('number of transformer blocks'),
  heads: count.default(4).describe('number of attention heads per block'),
  dim: count.default(128).describe('width of the residual stream'),
  context: z.int().min(2).default(128).describe('context length in tokens'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .nullable()
    .default(0)
    .describe('dropout probability; with `from`, the default is the dropout of the model'),
  set: z
    .record(z.string().max(80), z.unknown())
    .default({})
    .describe("other keys of the model's config.json"),
  batch: count.max(MOST_ROWS).default(16).describe('number of rows in a micro-batch'),
  accumulate: count
    .max(MOST_ROWS)
    .default(1)
    .describe('number of micro-batches in a step, to save memory'),
  steps: count.nullable().default(1000).describe('number of training steps'),
  epochs: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('number of passes over the data, instead of `steps`'),
  optimizer: z
    .string()
    .default('adamw')
    .describe('optimizer: adamw, adam, sgd, adafactor or a registered name'),
  lr: z.number().positive().default(1e-3).describe('peak learning rate'),
  warmup: counted.default(50).describe('number of steps of learning-rate warm-up'),
  schedule: z
    .enum(scheduleNames)
    .default('cosine')
    .describe('learning-rate schedule after warm-up'),
  minLr: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('final learning rate as a fraction of the peak'),
  weightDecay: z.number().min(0).default(0.1).describe('weight decay of matrices'),
  clip: z.number().min(0).default(1).describe('maximum gradient norm; 0: no limit'),
  evalEvery: counted.default(100).describe('number of steps between evaluations; 0: never'),
  evalBatches: count
    .nullable()
    .default(null)
    .describe('maximum number of batches in an evaluation (default: 512 held-out examples)'),
  patience: counted
    .default(0)
    .describe('stop after this number of evaluations without a lower validation loss; 0: never'),
  saveEvery: counted
    .default(200)
    .describe('number of steps between checkpoints; 0: only at the end'),
  logEvery: count.default(10).describe('number of steps between lines of the log'),
  valFraction: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.1)
    .describe('fraction of the data to hold out for validation'),
  seed: z.int().min(0).max(0xffffffff).default(1337).describe('random seed'),
})

/**
 * The configuration keys of every run.
 * @interface
 */
export type CommonConfig = z.output<typeof commonSchema>

/** A complete configuration: the common keys, the keys of the task and the keys of the optimizer. */
export type TrainConfig = CommonConfig & Options
