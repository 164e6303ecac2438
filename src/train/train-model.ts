// Runs a complete training, from data to a folder that transformers can open.
import { constants, existsSync } from 'node:fs'
import { access, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../io/files/cache.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { lockFolder } from '../io/files/lock.ts'
import { fromPretrained } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { setting } from '../util/settings.ts'
import { parseTrainConfig } from './config.ts'
import type { TrainConfig } from './config-schema.ts'
import { distillOptions } from './distill/options.ts'
import { withTeacher } from './distill/with-teacher.ts'
import { SIGNAL } from './examples.ts'
import { checkSameRun } from './resumed-config.ts'
import { rowBatches } from './row-batches.ts'
import { Run, stepsIn } from './run.ts'
import { RunFolder } from './run-folder.ts'
import type { BatchSetup, Evaluation, Preprocessor, Task, TrainingBatches } from './task.ts'
import { taskData } from './task-data.ts'
import { newTaskModel, quantizeIfAsked, savedTaskModel, type TaskModel } from './task-model.ts'
import type { StepResult } from './trainer.ts'

/** Options of `trainModel`. */
export interface TrainModelOptions {
  /** The configuration, as returned by `parseTrainConfig`. */
  config: TrainConfig
  /** The folder of the run. */
  out: string
  /** Resume from the newest checkpoint in `out`. */
  resume?: boolean
  /** Aborting it saves a checkpoint and ends the run early. */
  signal?: AbortSignal
  /** Called for each event of the run. */
  on?: (event: TrainEvent) => void
}

/** Events of a run, for progress displays. */
export type TrainEvent =
  | { type: 'progress'; what: string; done: number; total?: number }
  | ({ type: 'start' } & Start)
  | { type: 'step'; result: StepResult; rate: number; metrics?: Readonly<Record<string, number>> }
  | { type: 'validation'; step: number; loss: number; best: boolean }
  | { type: 'saved'; step: number }
  | { type: 'warning'; text: string }

/** The facts about a run when its first step begins. */
export interface Start {
  /** The step from which the run starts or resumes. */
  step: number
  /** Total number of steps. */
  steps: number
  /** Class of the model. */
  model: string
  /** Number of parameters. */
  parameters: number
  /** Number of trained parameters. */
  trained: number
  /** Number of tokens in the vocabulary. Absent for images. */
  vocabSize?: number
  /** What the data is counted in. */
  unit: Task['unit']
  /** Amount of training and validation data, in `unit`. */
  size: TrainingBatches['size']
  /** Number of held-out examples in each validation, and in total. */
  heldOut: { validated: number; total: number }
  /** Names of weights that the checkpoint lacks, and which are initialised. */
  fresh: readonly string[]
  /** Differences from when a resumed run was saved. */
  warnings: readonly string[]
}

/** The result of a training run. */
export interface TrainOutcome {
  /** Number of completed steps. */
  step: number
  /** Whether all steps were run; false if the signal ended the run. */
  finished: boolean
  /** Training loss of the last step; NaN if no step was run. */
  loss: number
  /** The last validation loss; null without held-out data. */
  validationLoss: number | null
  /** The best validation loss in bits per character, which does not depend on the tokenizer; null for other tasks. */
  bitsPerCharacter: number | null
  /** Step and value of the lowest validation loss; null without held-out data. */
  best: { step: number; val_loss: number } | null
  /** Evaluation of the final model on held-out data; null without held-out data or if the run is not finished. */
  evaluation: Evaluation | null
  /** The task of the run. */
  task: Task
  /** The trained model. */
  model: Module
  /** The tokenizer or image processor of the run. */
  preprocessor: Preprocessor
}

const TRAIN = optionKinds<TrainModelOptions>({
  config: 'record',
  out: 'text',
  resume: 'flag?',
  signal: SIGNAL,
  on: 'function?',
})

/**
 * Trains a model for a task, and writes its log, checkpoints and final model to `out`.
 * @throws HeedError if `out` has a run and `resume` is not set, if another process trains into it, and if `signal` ends
 * the run before its first step
 */
export async function trainModel(given: TrainModelOptions): Promise<TrainOutcome> {
  TRAIN.check('trainModel', given)
  const options = { ...given, config: parseTrainConfig(given.config) }
  const { out, resume = false } = options
  const isNew = !existsSync(out)
  if (isNew && resume) throw missing(`There is no run in ${out} to resume`, out)
  await ensureDir(out) // fails before any work is done
  const lock = await lockFolder(out)
  try {
    return await trainLocked(options, new RunFolder(out))
  } finally {
    await lock.release()
    if (isNew) await rmdir(out).catch(() => {}) // removes it only if it is empty
  }
}

async function trainLocked(options: TrainModelOptions, folder: RunFolder): Promise<TrainOutcome> {
  const { config, out, resume = false } = options
  const saved = resume ? await folder.latest() : undefined
  const before = saved?.state.config ?? (await folder.configuration())
  if (resume && before) checkSameRun(before, config, out)
  else if (resume) throw missing(`There is no run in ${out} to resume`, out)
  else if (before || existsSync(join(out, 'checkpoints'))) throw taken(out)
  await folder.begin(config)
  try {
    return await trainInto(options, folder, saved !== undefined)
  } catch (error) {
    // A run that failed before its first checkpoint must not block the next attempt.
    if (!existsSync(join(out, 'checkpoints'))) await folder.abandon()
    throw error
  }
}

async function trainInto(
  options: TrainModelOptions,
  folder: RunFolder,
  resumed: boolean,
): Promise<TrainOutcome> {
  const { config, out, signal, on = () => {} } = options
  const onProgress = (what: string, done: number, total?: number): void =>
    on({ type: 'progress', what, done, total })
  const plain = resumed ? await savedTaskModel(config, out) : await newTaskModel(config, onProgress)
  const teaching = distillOptions(config)
  const trained = teaching ? await withTeacher(plain, teaching, config.seed) : plain
  const opened = await openBatches(trained, config, out, {
    onProgress,
    signal,
    model: trained.model,
  })
  const batches = { ...opened, train: trained.modelBatches?.(opened.train) ?? opened.train }
  try {
    const run = new Run(options, folder, trained, batches)
    await run.begin(resumed)
    return await run.train()
  } finally {
    await batches.close?.()
  }
}

/** Creates the batches of a run for training and validation. */
export async function openBatches(
  { kind, task, context, data }: Pick<TaskModel, 'kind' | 'task' | 'context' | 'data'>,
  config: TrainConfig,
  out: string,
  {
    onProgress,
    signal,
    model,
    startModel = () => modelBefore(config, { kind, task, context }),
  }: Partial<Pick<BatchSetup, 'onProgress' | 'signal' | 'startModel' | 'model'>> = {},
): Promise<TrainingBatches> {
  const { valData, valFraction, batch, accumulate, seed } = config
  const setup: BatchSetup = {
    data,
    valData: valData && taskData(valData, kind, context.options, config),
    valFraction,
    batch: batch * accumulate,
    seed,
    run: out,
    model,
    startModel,
    steps: (perEpoch) => stepsIn(config, perEpoch),
    cacheDir: await cacheFor(out),
    onProgress,
    signal,
  }
  return kind.batches ? kind.batches(setup, context) : rowBatches(setup, { kind, task, context })
}

/** The model from which a run started. @throws HeedError for a run that started with a new model, and without a run */
export async function modelBefore(
  config: TrainConfig | undefined,
  { kind, task, context }: Pick<TaskModel, 'kind' | 'task' | 'context'>,
): Promise<Module> {
  if (config?.from !== undefined) {
    const changes = { ...kind.modelConfig(context), ...config.set } // such as new tokens
    const isChanged = Object.keys(changes).length > 0
    const { from, base, adapter } = config
    // A new adapter was trained on `from` itself, which may have moved.
    const [path, moved] = adapter === undefined ? [from, base] : [base ?? from, undefined]
    const model: Module = await fromPretrained(path, task.head, {
      config: isChanged ? changes : undefined,
      base: moved,
    })
    await quantizeIfAsked(model, config, [])
    return model
  }
  throw new HeedError('invalid-option', 'The run must have started from a model, got a new model', {
    key: 'from',
    remedy: 'Train a model first, and name its folder with `from`.',
  })
}

/**
 * The cache folder that all runs share; a folder of the run if the shared one is not writable.
 * @throws HeedError if HEED_CACHE names a folder that cannot be used
 */
export async function cacheFor(out: string): Promise<string> {
  const shared = cacheFolder('data')
  try {
    await ensureDir(shared)
    await access(shared, constants.W_OK)
    return shared
  } catch (error) {
    const named = setting('HEED_CACHE')
    if (named === undefined) return join(out, 'data')
    throw invalidOption({
      key: 'HEED_CACHE',
      value: named,
      expected: 'a folder that can be written',
      remedy: 'Set HEED_CACHE to another folder, or unset it.',
      cause: error,
    })
  }
}

const missing = (message: string, out: string): HeedError =>
  new HeedError('missing-file', message, {
    key: 'out',
    value: out,
    remedy: 'Omit `resume` to start a new run.',
  })

const taken = (out: string): HeedError =>
  new HeedError('already-exists', `\`out\` must be a new folder, got ${out}, which has a run`, {
    key: 'out',
    value: out,
    remedy: 'Set `resume` to continue it, set `out` to another folder, or remove the run.',
  })
