// The interface of tasks for training, evaluation and prediction. Each task has a file in tasks/.
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
import type { Tensor } from '../tensor/index.ts'
import type { ContrastiveLoss } from './cached-gradients.ts'
import type { LossTerms, Splitting } from './micro-batches.ts'

/** Encodes rows as examples. */
export interface RowEncoder<E = unknown> {
  /** Name of the task, such as `text-classification`. */
  readonly name: string
  /**
   * Encodes a row. Usually returns one example; several for a long text that is split into windows; none for a row
   * without content. Returns a promise if a file must be read, for example an image.
   * @throws HeedError for a bad row, without file and row number, which the caller adds
   */
  encode(row: Row): readonly E[] | Promise<readonly E[]>
  /** The length of an example. Examples of similar length share a batch. Constant if all examples have the same shape. */
  length(example: E): number
}

/**
 * A task of one run. It encodes rows as examples, collates examples to batches, and computes losses, evaluations and
 * predictions.
 */
export interface Task<E = unknown, M extends Module = Module>
  extends RowEncoder<E>,
    Batching<E>,
    Splitting {
  /** The head of the model. */
  readonly head: Head
  /** The unit of training speed and data size. */
  readonly unit: 'tokens' | 'images' | 'rows'
  /** The command of the command line that uses a trained model. Default `predict`. */
  readonly command?: 'predict' | 'generate' | 'chat'
  /** Replaces `collate` in training for tasks with data augmentation. Random numbers must depend only on (seed, step). */
  collateForTraining?(examples: readonly E[], length: number, draw: Draw): Batch
  /**
   * Computes the mean over the items of a batch that count (rows, labels that are not -100, tokens), or several such
   * means, which are added. `itemCounts` returns the numbers of items; its default is `countItems`.
   */
  loss(model: M, batch: BatchTensors): LossTerms
  /**
   * Runs the model on a batch of `collate`, for the attention in reports. Default: `loss`. For tasks whose `loss` needs
   * batches that the model has written.
   */
  forward?(model: M, batch: BatchTensors): unknown
  /**
   * The two stages of a loss that compares the rows of a batch with each other. With them, `accumulate` compares each row
   * with all rows of its step, not only with the rows of its micro-batch.
   */
  readonly contrastive?: ContrastiveLoss<M>
  /**
   * Draws random choices once, such as masks, which training draws for each batch. `collate` draws nothing for the
   * returned examples, so that an evaluation does not depend on its batches. Examples with choices keep them.
   */
  fixDraws?(examples: readonly E[]): readonly E[]
  /**
   * Computes the loss of held-out examples, for tasks where it is not the mean of `loss` over all items because examples
   * are compared with each other.
   */
  heldOutLoss?(model: M, examples: readonly E[], batchSize: number): Promise<number>
  /**
   * Names of metrics of `evaluate` to log at each evaluation of a run, for tasks where `evaluate` takes about as long as
   * the loss. Default: none.
   */
  readonly validationMetrics?: readonly string[]
  /** The outputs that a teacher can supervise; for tasks whose head gives logits. */
  readonly distillation?: Distillation<M>
  /** Computes metrics on held-out examples. */
  evaluate(model: M, examples: readonly E[], options?: EvaluateOptions): Promise<Evaluation>
  /** Predicts one JSON object for each row. Rows need only the input columns. */
  predict(model: M, rows: readonly Row[]): Promise<Record<string, unknown>[]>
  /** Generates continuations of examples for reports; for tasks that generate text. */
  samples?(model: M, examples: readonly E[]): Promise<readonly ShownExample[]>
  /** Returns the image of an example, for reports. */
  imageOf?(example: E): Image
  /** Returns the pieces of each example with their predictions, for reports; for tasks that predict words or tokens. */
  piecesOf?(model: M, examples: readonly E[]): Promise<readonly (readonly ShownPiece[])[]>
  /** Returns the tokens of an example, and whether the loss counts them; for tasks that count a part of their tokens. */
  tokensOf?(example: E): readonly { text: string; counted: boolean }[]
  /** Writes further files to the folder of the model. */
  saveBeside?(folder: string, model: Module): Promise<void>
  /** Applies the settings of a model that Heed did not train, such as generation_config.json. */
  usePublished?(folder: string): Promise<void>
}

/** What distillation compares between a student and a teacher. */
export interface Distillation<M extends Module = Module> {
  /** Computes the outputs of a model for a batch. */
  outputs(model: M, batch: BatchTensors): Outputs
  /** Counts the items, the labels and the tokens of a batch that count in means. */
  counts(batch: Batch): { items: number; labels: number; tokens: number }
  /** For tasks that continue texts: how the texts of a batch are replaced by generated ones. */
  readonly continuation?: {
    /** The beginnings of the texts of a batch, and the maximum number of tokens after them. */
    prompts(batch: Batch): { prompts: number[][]; maxTokens: number }
    /** The batch with other continuations. Only the tokens of the continuations count. */
    continued(batch: Batch, continuations: readonly (readonly number[])[]): Batch
    /** Returns the tokens that end a text. */
    stopTokens(): Promise<readonly number[]>
  }
}

/** Outputs of a model for a batch. */
export interface Outputs {
  /** f32 (…, K): one distribution for each item, such as a text, an image or a token. */
  logits: Tensor
  /** i32 (…): the right class of each item; -100 if it is not known. */
  labels: Tensor
  /** bool (…): false for items that do not count, such as padding. Default: all count. */
  items?: Tensor
  /** f32 (…, K): the logits that are compared with the teacher's, if they differ from `logits`. */
  taught?: Tensor
  /** bool (B, T): false for the hidden states of padding. Default: all count. */
  tokens?: Tensor
}

/** Options of `Task.evaluate`. */
export interface EvaluateOptions {
  /** Number of rows in a batch. Default 16. */
  batchSize?: number
  /** Number of examples in the result, right and wrong. Default 50. */
  show?: number
}

/** The result of an evaluation. */
export interface Evaluation {
  /** Values by name: loss, accuracy, f1, perplexity … */
  metrics: Record<string, number>
  /** Counts by true label (rows) and predicted label (columns). */
  confusion?: { labels: readonly string[]; counts: readonly (readonly number[])[] }
  /** The first examples, in order. */
  examples: readonly ShownExample[]
}

/** An example with its prediction, as text for people. */
export interface ShownExample {
  /** Text of the input. */
  input: string
  /** The true label or text. */
  expected: string
  /** The predicted label or text. */
  predicted: string
  /** Null if a prediction is neither right nor wrong, such as the continuation of a text. */
  right: boolean | null
  /** Numbers about the prediction, such as its loss or the probabilities of labels; reports show them in this order. */
  scores?: Readonly<Record<string, number>>
  /** Larger for a worse prediction; reports show the largest first. Default: wrong predictions before right ones. */
  difficulty?: number
}

/** A piece of an example, such as a word with its tag, or a token with its loss. */
export interface ShownPiece {
  /** Text of the piece. */
  text: string
  /** True label of the piece. */
  expected?: string
  /** Predicted label of the piece. */
  predicted?: string
  /** Loss of the piece in nats. */
  loss?: number
}

/** A tokenizer or image processor, which is saved in the folder of the model. */
export interface Preprocessor {
  /**
   * Writes the files of the preprocessor to a folder. `modelMaxLength` is the context length of the model in tokens.
   */
  save(folder: string, options?: { modelMaxLength?: number }): Promise<void>
}

/** The options of a task, as JSON; stored in task.json. */
export type Options = Readonly<Record<string, unknown>>
/** Facts about the data that `survey` of a task has collected, such as its labels, as JSON; stored in task.json. */
export type Facts = Readonly<Record<string, unknown>>

/** The files of a run, with the options of its task. */
export interface TaskData {
  /** Files, folders, glob patterns and data sets of the hub, as in `openRows`. */
  readonly paths: readonly string[]
  /** Options for reading tables, such as their separator. */
  readonly rowOptions: RowOptions | undefined
  /** Returns the rows. The files are opened at the first call. */
  source(): Promise<RowSource>
}

/** The settings of a new run, before its preprocessor exists. */
export interface DataSetup<O = Options> {
  /** The options of the task. */
  options: O
  /** The training data. */
  data: TaskData
  /** The `model_type` of the architecture. */
  modelType: string
  /** The folder of the model to fine-tune. */
  from?: string
  /** `char`, `bpe:SIZE`, a file …; undefined for the default of the task. */
  tokenizer?: string
  /** Called with the name of the current stage, the amount done, and the total if it is known. */
  onProgress?: (what: string, done: number, total?: number) => void
}

/** The data from which a task is created, in a new run and when a run is opened. */
export interface TaskContext<O = Options, F = Facts, P extends Preprocessor = Preprocessor> {
  /** Options of the task. */
  options: O
  /** Facts about the data, such as its labels. */
  facts: F
  /** The tokenizer or image processor. */
  preprocessor: P
  /** The `model_type` of the architecture. */
  modelType: string
  /** Maximum number of tokens of an example; infinite for models without a limit. */
  contextLength: number
}

/** The data from which a task derives keys of the model's config. */
export type ConfigContext<O = Options, F = Facts, P extends Preprocessor = Preprocessor> = Omit<
  TaskContext<O, F, P>,
  'contextLength'
>

/** A task for `registerTask`. Keys without a question mark are required. */
export interface NewTask<O = Options, F = Facts, P extends Preprocessor = Preprocessor> {
  /** The value of `task` in configurations and of --task: letters, digits, `-`, `_` and `.`. */
  readonly name: string
  /** Description for help, in one line. */
  readonly about: string
  /** Description of the columns of a row, for help and errors. */
  readonly columns: string
  /** Returns the head that a model of this type needs. */
  head(modelType: string, options: O): Head
  /** Creates the task of a run. */
  create(context: TaskContext<O, F, P>): Task
  /** Options of the task, each with a default and a description. Their names must differ from the keys of every run. */
  readonly options?: z.ZodObject
  /** Defaults of common keys that differ for this task (see config-schema.ts). */
  readonly defaults?: Options
  /** Defaults that differ for this task in a run that starts from a model. */
  readonly tuningDefaults?: Options
  /** Defaults that differ for this task in a run that trains an adapter. */
  readonly adapterDefaults?: Options
  /** Returns the column for plain text, single images and the values of a single-column table. Default: `text`. */
  inputColumn?(options: O): string
  /** Keys of `options` whose value is the name of a required column, or null. */
  readonly columnKeys?: readonly string[]
  /** Returns the texts of a row for training a new tokenizer. Not needed with a `preprocessor`. */
  texts?(row: Row, options: O): readonly string[]
  /** Returns options for reading rows. */
  rowOptions?(options: O): RowOptions
  /** Schema of the result of `survey`, which is stored in task.json. Default: an empty object. */
  readonly facts?: z.ZodObject
  /** Reads all rows to collect facts that encoding needs, for example the labels. */
  survey?(setup: DataSetup<O>): Promise<F>
  /** Creates the preprocessor of a new run, or opens the one in `setup.from`. Default: a tokenizer. */
  preprocessor?(setup: DataSetup<O>): Promise<P>
  /** Opens the preprocessor in the folder of a run or model. Default: its tokenizer. */
  openPreprocessor?(folder: string): Promise<P>
  /**
   * Gives a model to fine-tune the rows of the tokenizer of the run, if it can be another one than that of the model.
   * Returns the names of the weights that have other rows. Omitted for tasks that keep the tokenizer of the model.
   */
  retokenize?(model: Module, setup: DataSetup<O>, tokenizer: P): Promise<readonly string[]>
  /** Returns the keys of config.json that the task sets for every model, for example labels. */
  modelConfig?(context: ConfigContext<O, F, P>): Record<string, unknown>
  /** Returns further keys of config.json for a new model. Default: the vocabulary of the tokenizer. */
  newModelConfig?(context: ConfigContext<O, F, P>): Record<string, unknown>
  /**
   * Whether examples consist of texts and numbers only, so that threads can encode them and files can cache them. False
   * for images, for example. Default true.
   */
  readonly keepsExamples?: boolean
  /** True for methods that train on preferences or rewards. `heed align` lists them. */
  readonly isAlignment?: boolean
  /**
   * True for a training objective that is not a task for prediction, such as span corruption. Default: the value of
   * `isAlignment`.
   */
  readonly isObjective?: boolean
  /** Options for a model that Heed did not train. */
  readonly publishedOptions?: Partial<O>
  /**
   * Returns layers that only training needs, such as a value head. They are trained with the model and saved in
   * checkpoints only.
   */
  trainingLayers?(model: Module): Module
  /** Returns the encoder that `batches` uses, if it differs from the task. */
  rowEncoder?(context: TaskContext<O, F, P>): RowEncoder
  /** Creates the batches of a run. Default: rows in buckets by length. */
  batches?(setup: BatchSetup, context: TaskContext<O, F, P>): Promise<TrainingBatches>
  /** Encodes held-out data. Default: one or more examples for each row. */
  heldOut?(
    data: TaskData,
    setup: HeldOutSetup,
    context: TaskContext<O, F, P>,
  ): Promise<HeldOutExamples>
}

type Optional =
  | 'retokenize'
  | 'rowOptions'
  | 'rowEncoder'
  | 'batches'
  | 'heldOut'
  | 'texts'
  | 'trainingLayers'

/**
 * A registered task, completed with defaults.
 * @interface
 */
export type TaskDefinition<
  O = Options,
  F = Facts,
  P extends Preprocessor = Preprocessor,
> = Required<Omit<NewTask<O, F, P>, Optional>> & Pick<NewTask<O, F, P>, Optional>

/** Settings for encoding data. */
export interface PrepareSetup {
  /** A folder for encoded examples, which later runs on the same data reuse. */
  cacheDir: string
  /** Aborting it stops the preparation with an error. */
  signal?: AbortSignal
  /** Called with the name of the current stage, the amount done, and the total if it is known. */
  onProgress?: (what: string, done: number, total?: number) => void
}

/** Settings for encoding held-out data. */
export interface HeldOutSetup extends PrepareSetup {
  /** The folder of the run. */
  run: string
  /**
   * Returns the model as it was when the run started, with which some tasks compare the trained model.
   * @throws HeedError for a model that is not a run, and for a run that started with a new model
   */
  startModel(): Promise<Module>
}

/** Settings for creating batches. */
export interface BatchSetup extends HeldOutSetup {
  /** The model that is trained, for tasks whose batches it writes. Absent where only held-out data is read. */
  model?: Module
  /** Returns the number of steps of the run, from the number of steps in an epoch. */
  steps(perEpoch: number): number
  /** The training data. */
  data: TaskData
  /** Held-out data. Default: the fraction `valFraction` of `data`. */
  valData?: TaskData
  /** Fraction of `data` to hold out, from 0 to 0.5. */
  valFraction: number
  /** Number of rows in a step, over all its micro-batches. */
  batch: number
  /** Seed of the order of examples and of the choice of held-out data. */
  seed: number
}

/** Examples of held-out data, in a file or in memory. */
export interface HeldOutExamples<E = unknown> {
  /** The encoded examples. */
  examples: Examples<E>
  /** Closes the files of the examples. */
  close?(): void | Promise<void>
}

/** What is known about a batch that the model has written. */
export interface BatchReport {
  /** Values by name, which are logged with the step. */
  metrics: Readonly<Record<string, number>>
  /** A warning, such as about rewards without variance. */
  warning?: string
}

/** The batches of a run for training, and its held-out examples. */
export interface TrainingBatches {
  /** Returns the batch of each step. */
  train: BatchSampler
  /** Amount of data in the unit of the task. */
  size: { train: number; validation: number }
  /** Number of steps in an epoch. */
  perEpoch: number
  /** Examples for evaluation; empty if nothing is held out. */
  heldOut: Examples<unknown>
  /** Mean number of characters per token, for converting a loss to bits per character. */
  charactersPerToken?: number
  /** Returns what is known about the batch of a recent step, counted from 0, for tasks whose batches the model writes. */
  reportOf?(step: number): BatchReport | undefined
  /** What the user should know about the data, such as how many rows were dropped. */
  remarks?: readonly string[]
  /** Closes the files of the examples. */
  close?(): void | Promise<void>
}
