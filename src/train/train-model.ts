// A whole training run: from data to a folder that transformers opens.
import { constants, existsSync } from 'node:fs'
import { access, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../io/files/cache.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import type { Module } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import { checkSameRun, type TrainConfig } from './config.ts'
import { rowBatches } from './row-batches.ts'
import { Run } from './run.ts'
import { RunFolder } from './run-folder.ts'
import type { BatchSetup, Evaluation, Preprocessor, Task, TrainingBatches } from './task.ts'
import { taskData } from './task-data.ts'
import { newTaskModel, savedTaskModel, type TaskModel } from './task-model.ts'
import type { StepResult } from './trainer.ts'

export interface TrainModelOptions {
  /** As `parseTrainConfig` gives it. */
  config: TrainConfig
  /** The run's folder. */
  out: string
  /** Go on from the newest checkpoint in `out`. */
  resume?: boolean
  /** Aborting it saves, and ends the run early. */
  signal?: AbortSignal
  on?: (event: TrainEvent) => void
}

/** What happens in a run, for whoever shows it. */
export type TrainEvent =
  | { type: 'progress'; what: string; done: number; total?: number }
  | ({ type: 'start' } & Start)
  | { type: 'step'; result: StepResult; rate: number }
  | { type: 'validation'; step: number; loss: number; best: boolean }
  | { type: 'saved'; step: number }

export interface Start {
  /** The step that it goes on from. */
  step: number
  steps: number
  model: string
  parameters: number
  /** Of these, those that are trained. */
  trained: number
  vocabSize?: number
  unit: Task['unit']
  /** How much there is to learn from and to look at. */
  size: TrainingBatches['size']
  /** Weights that the fine-tuned model lacks. */
  fresh: readonly string[]
  warning?: string
}

export interface TrainOutcome {
  step: number
  /** Whether all steps were made; false when the signal ended it. */
  finished: boolean
  loss: number
  validationLoss: number | null
  /** Of the best validation loss: what a text costs, whatever the tokenizer. */
  bitsPerCharacter: number | null
  best: { step: number; val_loss: number } | null
  /** Of the model as it is now, on what was held out; null where that is nothing. */
  evaluation: Evaluation | null
  task: Task
  model: Module
  preprocessor: Preprocessor
}

/**
 * Trains a model for a task, logging and saving into `out`.
 * @throws HeedError where a run stands in `out` already, unless `resume` says to go on with it; when
 * `signal` ends it before there is something to save
 */
export async function trainModel(options: TrainModelOptions): Promise<TrainOutcome> {
  const { config, out, resume = false } = options
  const folder = new RunFolder(out)
  const before = resume ? await folder.latest() : undefined
  if (before) checkSameRun(before.state.config, config, out)
  else checkFree(out, resume)

  const isNew = !existsSync(out)
  await ensureDir(out) // before the work, not after it
  try {
    return await trainInto(options, folder, before !== undefined)
  } catch (error) {
    if (isNew) await rmdir(out).catch(() => {}) // where nothing has been written
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
  const trained = resumed
    ? await savedTaskModel(config, out)
    : await newTaskModel(config, onProgress)
  const batches = await openBatches(trained, config, out, { onProgress, signal })
  try {
    const run = new Run(options, folder, trained, batches)
    await run.begin(resumed)
    return await run.train()
  } finally {
    await batches.close?.()
  }
}

/** The batches of a run for training and validation. */
export async function openBatches(
  { kind, task, context, data }: Pick<TaskModel, 'kind' | 'task' | 'context' | 'data'>,
  { valData, valFraction, batch, seed }: TrainConfig,
  out: string,
  { onProgress, signal }: Pick<BatchSetup, 'onProgress' | 'signal'> = {},
): Promise<TrainingBatches> {
  const setup: BatchSetup = {
    data,
    valData: valData && taskData(valData, kind, context.options),
    valFraction,
    batch,
    seed,
    cacheDir: await cacheFor(out),
    onProgress,
    signal,
  }
  return kind.batches ? kind.batches(setup, context) : rowBatches(setup, { kind, task, context })
}

/** One for all runs, so that the second on the same data finds it; the run's own where there is none. */
async function cacheFor(out: string): Promise<string> {
  const shared = cacheFolder('data')
  try {
    await ensureDir(shared)
    await access(shared, constants.W_OK)
    return shared
  } catch {
    return join(out, 'data')
  }
}

function checkFree(out: string, resume: boolean): void {
  if (resume && !existsSync(out))
    throw new HeedError('unknown-name', `There is no run in ${out} to go on with`, {
      remedy: 'Leave out --resume.',
    })
  if (resume)
    throw new HeedError('invalid-option', `${out} has no checkpoint to go on from`, {
      remedy: 'Leave out --resume, and name another --out.',
    })
  if (existsSync(join(out, 'checkpoints')))
    throw new HeedError('invalid-option', `${out} holds a run already`, {
      remedy: 'Go on with it (--resume), name another folder (--out), or remove it.',
    })
}
