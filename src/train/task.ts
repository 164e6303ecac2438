// What a model can learn from rows, and how: the interface that training, `heed eval` and
// `heed predict` share. One file for each task in tasks/.
import type { z } from 'zod'
import type {
  Batch,
  BatchSampler,
  Examples,
  Image,
  Row,
  RowOptions,
  RowSource,
} from '../data/index.ts'
import type { Head } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import type { BatchTensors } from '../pipelines/hold-batch.ts'
import type { Tensor } from '../tensor/index.ts'

/** What makes examples of rows. */
export interface RowEncoder<E = unknown> {
  readonly name: string
  /**
   * Most often one example; several where a long text is cut in windows, none where there is nothing
   * to learn from. A promise where a file has to be read, as of images.
   * @throws HeedError for a row that is wrong, without its place, which the caller adds
   */
  encode(row: Row): readonly E[] | Promise<readonly E[]>
  /** What batches are bucketed by; constant where all examples have one shape. */
  length(example: E): number
}

/** A row becomes examples, examples a batch, a batch a loss, a model a report. */
export interface Task<E = unknown, M extends Module = Module> extends RowEncoder<E> {
  /** What the model must be for. */
  readonly head: Head
  /** What the rate of training is counted in. */
  readonly unit: 'tokens' | 'images' | 'rows'
  /** One batch, padded to `length`. Masking and augmentation are drawn by (seed, step) alone. */
  collate(examples: readonly E[], length: number, draw: Draw): Batch
  /** The same while training, where that is another one: examples drawn anew, by (seed, step) alone. */
  collateForTraining?(examples: readonly E[], length: number, draw: Draw): Batch
  /** The mean over the batch. */
  loss(model: M, batch: BatchTensors): Tensor
  /** How good the model is, on examples that it has not seen. */
  evaluate(model: M, examples: readonly E[], options?: EvaluateOptions): Promise<Evaluation>
  /** One JSON object a row; the columns with the answers need not be there. */
  predict(model: M, rows: readonly Row[]): Promise<Record<string, unknown>[]>
  /** What is to be seen of an example, where that is an image. */
  imageOf?(example: E): Image
  /** Further files that belong beside the model. */
  saveBeside?(folder: string, model: Module): Promise<void>
}

export interface Draw {
  seed: number
  step: number
}

export interface EvaluateOptions {
  /** Rows that go through the model together. Default 16. */
  batchSize?: number
  /** How many examples to show, right and wrong. Default 50. */
  show?: number
}

export interface Evaluation {
  /** By name: loss, accuracy, f1, perplexity … */
  metrics: Record<string, number>
  /** Rows: what is; columns: what the model says. */
  confusion?: { labels: readonly string[]; counts: readonly (readonly number[])[] }
  /** The first ones, in order. */
  examples: readonly ShownExample[]
}

export interface ShownExample {
  input: string
  expected: string
  predicted: string
  right: boolean
}

/** Tokenizer or image processor: what turns rows into numbers, and is saved beside the model. */
export interface Preprocessor {
  save(folder: string, options?: { modelMaxLength?: number }): Promise<void>
}

/** Values of a task's keys, and what it found in the rows; both are JSON, kept in task.json. */
export type Options = Readonly<Record<string, unknown>>
export type Facts = Readonly<Record<string, unknown>>

/** The files of a run, as its task reads them. */
export interface TaskData {
  /** Files, folders, patterns and data sets of the hub, as `openRows` takes them. */
  readonly paths: readonly string[]
  readonly rowOptions: RowOptions | undefined
  /** The rows; the files are opened once, at the first call. */
  source(): Promise<RowSource>
}

/** What a new run knows when it makes a preprocessor. */
export interface DataSetup<O = Options> {
  /** The values of the task's own keys. */
  options: O
  data: TaskData
  /** The architecture, as `model_type` has it. */
  modelType: string
  /** The folder that is fine-tuned. */
  from?: string
  /** What the user asks for: `char`, `bpe:SIZE`, a file …; undefined: what suits the task. */
  tokenizer?: string
  onProgress?: (what: string, done: number, total?: number) => void
}

/** What a task is made of, in a new run and again when the run is opened. */
export interface TaskContext<O = Options, F = Facts, P extends Preprocessor = Preprocessor> {
  options: O
  facts: F
  preprocessor: P
  modelType: string
  /** The most tokens that the model can see, or that it is to see; infinite where there is no limit. */
  contextLength: number
}

/** What a config follows from. */
export type ConfigContext<O = Options, F = Facts, P extends Preprocessor = Preprocessor> = Omit<
  TaskContext<O, F, P>,
  'contextLength'
>

/** A kind of task: makes new ones from data, and opens those of saved runs. */
export interface TaskDefinition<O = Options, F = Facts, P extends Preprocessor = Preprocessor> {
  readonly name: string
  /** One line for help. */
  readonly about: string
  /** Which columns a row has, for help and for errors. */
  readonly columns: string
  /** Keys of its own, each with a default and what it means. Names differ from the common ones. */
  readonly options: z.ZodObject
  /** What `survey` finds, as it is read from task.json. */
  readonly facts: z.ZodObject
  /** Common keys with other defaults than usual (see config.ts). */
  readonly defaults: Options
  /**
   * False where an example is more than text and numbers made of its row, as an image is: those are not
   * made by other threads, and not kept in a file. Default true.
   */
  readonly keepsExamples?: boolean
  /** How rows are read where their files leave it open. */
  rowOptions?(options: O): RowOptions
  head(modelType: string, options: O): Head
  /** Reads what has to be known of all rows before one can be encoded: the labels, most often. */
  survey(setup: DataSetup<O>): Promise<F>
  /** Of `setup.from`, or made for these rows. */
  preprocessor(setup: DataSetup<O>): Promise<P>
  /** Of the folder of a run. */
  openPreprocessor(folder: string): Promise<P>
  /** Keys of the model's config that follow for any model: labels. */
  modelConfig(context: ConfigContext<O, F, P>): Record<string, unknown>
  /** Keys that follow for a new one beside these: vocabulary, special tokens, size of images. */
  newModelConfig(context: ConfigContext<O, F, P>): Record<string, unknown>
  create(context: TaskContext<O, F, P>): Task
  /** How `batches` encodes rows, where that differs from the task's own examples. */
  rowEncoder?(context: TaskContext<O, F, P>): RowEncoder
  /** Batches of another kind than rows in buckets by length. */
  batches?(setup: BatchSetup, context: TaskContext<O, F, P>): Promise<TrainingBatches>
}

/** How batches are drawn. */
export interface BatchSetup {
  data: TaskData
  /** Held-out data; by default `valFraction` of `data`. */
  valData?: TaskData
  valFraction: number
  batch: number
  seed: number
  /** A folder for encoded examples, which later runs on the same data reuse. */
  cacheDir: string
  /** Aborting it ends the preparation with an error. */
  signal?: AbortSignal
  onProgress?: (what: string, done: number, total?: number) => void
}

/** The batches of a run, for training and validation. */
export interface TrainingBatches {
  train: BatchSampler
  /** Amount of data in the task's unit. */
  size: { train: number; validation: number }
  /** Micro-batches of one epoch. */
  perEpoch: number
  /** Null where nothing is held out. */
  validation: { batches: BatchSampler; count: number } | null
  /** The held-out examples, for `Task.evaluate`. */
  heldOut: Examples<unknown>
  /** Of a text; converts a loss to bits per character. */
  charactersPerToken?: number
  close?(): void | Promise<void>
}
