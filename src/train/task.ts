// The interface of tasks, which training, evaluation and prediction share. One file for each task in tasks/.
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
import type { Batching, Draw } from '../pipelines/run-examples.ts'
import type { ContrastiveLoss } from './cached-gradients.ts'
import type { LossTerms, Splitting } from './micro-batches.ts'

/** Encodes rows as examples. */
export interface RowEncoder<E = unknown> {
  readonly name: string
  /**
   * Usually one example; several for a long text that is cut into windows, none for a row without content. A promise
   * where a file must be read, for example an image.
   * @throws HeedError for a bad row, without file and line, which the caller adds
   */
  encode(row: Row): readonly E[] | Promise<readonly E[]>
  /** Examples of similar length share a batch; constant where all examples have one shape. */
  length(example: E): number
}

/** A row becomes examples, examples a batch, a batch a loss, a model an evaluation and predictions. */
export interface Task<E = unknown, M extends Module = Module>
  extends RowEncoder<E>,
    Batching<E>,
    Splitting {
  /** The head of the model. */
  readonly head: Head
  /** The unit of training speed and data size. */
  readonly unit: 'tokens' | 'images' | 'rows'
  /** As `collate`, where training augments examples: drawn by (seed, step) alone. */
  collateForTraining?(examples: readonly E[], length: number, draw: Draw): Batch
  /**
   * The mean over the items of a batch that count (rows, labels that are not -100, tokens), or several such means, which
   * are added. `itemCounts` returns their numbers; `countItems` is its default.
   */
  loss(model: M, batch: BatchTensors): LossTerms
  /**
   * The two stages of `loss`, where it compares the rows of a batch with each other. With `accumulate`, each row is then
   * compared with all rows of its step, not only with those of its micro-batch.
   */
  readonly contrastive?: ContrastiveLoss<M>
  /**
   * Draws once what training draws for each batch, such as masks, so that an evaluation does not depend on its batches:
   * `collate` draws nothing for these examples.
   */
  fixDraws?(examples: readonly E[]): readonly E[]
  /**
   * The loss of held-out examples, where it is not the mean of `loss` over all items, because examples are compared with
   * each other.
   */
  heldOutLoss?(model: M, examples: readonly E[], batchSize: number): Promise<number>
  /** Metrics on held-out examples. */
  evaluate(model: M, examples: readonly E[], options?: EvaluateOptions): Promise<Evaluation>
  /** One JSON object per row; the columns of answers may be missing. */
  predict(model: M, rows: readonly Row[]): Promise<Record<string, unknown>[]>
  /** What a model writes for some examples, for reports; of models that continue texts. */
  samples?(model: M, examples: readonly E[]): Promise<readonly ShownExample[]>
  /** The image of an example, for reports. */
  imageOf?(example: E): Image
  /** Writes further files beside the model. */
  saveBeside?(folder: string, model: Module): Promise<void>
  /** Takes over the settings of a model that Heed did not train, such as generation_config.json. */
  usePublished?(folder: string): Promise<void>
}

export interface EvaluateOptions {
  /** Rows that go through the model together. Default 16. */
  batchSize?: number
  /** Number of examples in the result, right and wrong. Default 50. */
  show?: number
}

export interface Evaluation {
  /** By name: loss, accuracy, f1, perplexity … */
  metrics: Record<string, number>
  /** Rows: the labels of the data; columns: the predicted labels. */
  confusion?: { labels: readonly string[]; counts: readonly (readonly number[])[] }
  /** The first ones, in order. */
  examples: readonly ShownExample[]
}

export interface ShownExample {
  input: string
  expected: string
  predicted: string
  /** Null where an answer is neither right nor wrong, as a text that continues another one. */
  right: boolean | null
}

/** A tokenizer or image processor, which is saved beside the model. */
export interface Preprocessor {
  save(folder: string, options?: { modelMaxLength?: number }): Promise<void>
}

/** The options of a task, and what its `survey` found in the rows; both are JSON, kept in task.json. */
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

/** What a new run knows before it has a preprocessor. */
export interface DataSetup<O = Options> {
  /** The options of the task. */
  options: O
  data: TaskData
  /** The architecture, as `model_type` has it. */
  modelType: string
  /** The folder that is fine-tuned. */
  from?: string
  /** `char`, `bpe:SIZE`, a file …; undefined for the default of the task. */
  tokenizer?: string
  onProgress?: (what: string, done: number, total?: number) => void
}

/** What a task is created from, in a new run and when the run is opened. */
export interface TaskContext<O = Options, F = Facts, P extends Preprocessor = Preprocessor> {
  options: O
  facts: F
  preprocessor: P
  modelType: string
  /** Tokens that the model reads at most; infinite where there is no limit. */
  contextLength: number
}

/** What the config of a model follows from. */
export type ConfigContext<O = Options, F = Facts, P extends Preprocessor = Preprocessor> = Omit<
  TaskContext<O, F, P>,
  'contextLength'
>

/** A task as it is registered: `registerTask` of heed/train. Only the keys without a question mark are required. */
export interface NewTask<O = Options, F = Facts, P extends Preprocessor = Preprocessor> {
  /** Letters, digits and `-`, `_`, `.`: the value of `task` in configurations and of --task. */
  readonly name: string
  /** One line for help. */
  readonly about: string
  /** The columns of a row, for help and for errors. */
  readonly columns: string
  /** The head that a model of this type needs. */
  head(modelType: string, options: O): Head
  /** The task of one run. */
  create(context: TaskContext<O, F, P>): Task
  /** Options of the task, each with a default and a description. They must differ from the keys of every run. */
  readonly options?: z.ZodObject
  /** Defaults that differ from those of every run (config-schema.ts). */
  readonly defaults?: Options
  /** The column that plain text, single images and a single other column are put into. Default: `text`. */
  inputColumn?(options: O): string
  /** Keys of `options` that name a column which the rows must have, or null. */
  readonly columnKeys?: readonly string[]
  /** The texts of a row, from which a new tokenizer is trained. Not needed with a `preprocessor`. */
  texts?(row: Row, options: O): readonly string[]
  /** How rows are read where their files leave it open. */
  rowOptions?(options: O): RowOptions
  /** What `survey` returns, as it is read from task.json. Default: nothing. */
  readonly facts?: z.ZodObject
  /** Reads what must be known of all rows before any can be encoded, for example the labels. */
  survey?(setup: DataSetup<O>): Promise<F>
  /** The preprocessor of a new run: that of `setup.from`, or a new one for these rows. Default: a tokenizer. */
  preprocessor?(setup: DataSetup<O>): Promise<P>
  /** The preprocessor in the folder of a run or model. Default: its tokenizer. */
  openPreprocessor?(folder: string): Promise<P>
  /** Keys of config.json that the task sets for every model, for example labels. */
  modelConfig?(context: ConfigContext<O, F, P>): Record<string, unknown>
  /** Further keys for a new model. Default: the vocabulary of the tokenizer. */
  newModelConfig?(context: ConfigContext<O, F, P>): Record<string, unknown>
  /**
   * False where examples are more than texts and numbers, for example images: they are encoded in the main thread and
   * not cached. Default true.
   */
  readonly keepsExamples?: boolean
  /** True for a training objective that is not a use of its own, such as span corruption. */
  readonly isObjective?: boolean
  /** Options for a model that Heed did not train. */
  readonly publishedOptions?: Partial<O>
  /** How `batches` encodes rows, where that differs from the examples of the task. */
  rowEncoder?(context: TaskContext<O, F, P>): RowEncoder
  /** Batches of another kind than rows in buckets by length. */
  batches?(setup: BatchSetup, context: TaskContext<O, F, P>): Promise<TrainingBatches>
  /** The examples of held-out data, where they are not those of its rows. */
  heldOut?(
    data: TaskData,
    setup: PrepareSetup,
    context: TaskContext<O, F, P>,
  ): Promise<HeldOutExamples>
}

type Optional = 'rowOptions' | 'rowEncoder' | 'batches' | 'heldOut' | 'texts'

/** A registered task, with the defaults of what it left out. */
export type TaskDefinition<
  O = Options,
  F = Facts,
  P extends Preprocessor = Preprocessor,
> = Required<Omit<NewTask<O, F, P>, Optional>> & Pick<NewTask<O, F, P>, Optional>

/** How data is encoded. */
export interface PrepareSetup {
  /** A folder for encoded examples, which later runs on the same data reuse. */
  cacheDir: string
  /** Aborting it ends the preparation with an error. */
  signal?: AbortSignal
  onProgress?: (what: string, done: number, total?: number) => void
}

/** How batches are drawn. */
export interface BatchSetup extends PrepareSetup {
  data: TaskData
  /** Held-out data; by default `valFraction` of `data`. */
  valData?: TaskData
  valFraction: number
  /** Rows of a step: those of all its micro-batches. */
  batch: number
  seed: number
}

/** Examples of held-out data, in a file or in memory. */
export interface HeldOutExamples<E = unknown> {
  examples: Examples<E>
  close?(): void | Promise<void>
}

/** The batches of a run for training, and its held-out examples. */
export interface TrainingBatches {
  /** The batch of each step. */
  train: BatchSampler
  /** Amount of data in the task's unit. */
  size: { train: number; validation: number }
  /** Steps of one epoch. */
  perEpoch: number
  /** For evaluation; empty where nothing is held out. */
  heldOut: Examples<unknown>
  /** Of a text; converts a loss to bits per character. */
  charactersPerToken?: number
  close?(): void | Promise<void>
}
