// The examples for the evaluation of a run: its held-out data, or other data.
import { basename, dirname } from 'node:path'
import { firstExamples, type Mistakes, type RowSource } from '../data/index.ts'
import type { AdaptedModelOptions } from '../models/pretrained.ts'
import type { Module } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import type { TrainConfig } from './config-schema.ts'
import { encodeRows } from './examples.ts'
import type { OpenedModel } from './open-run.ts'
import { RunFolder } from './run-folder.ts'
import type { HeldOutExamples, PrepareSetup } from './task.ts'
import { type TableOptions, taskData } from './task-data.ts'
import { openTask } from './task-file.ts'
import { cacheFor, modelBefore, openBatches } from './train-model.ts'

/** The data for an evaluation of a run. */
export interface EvaluationData extends TableOptions, Pick<AdaptedModelOptions, 'base'> {
  /** Files, folders, glob patterns and data sets of the hub. Default: the held-out data of the run. */
  data?: string | readonly string[]
  /** Maximum number of rows to read, or of windows of continuous text. Default: all. */
  limit?: number
  /** Called with the name of the current stage, the amount done, and the total if it is known. */
  onProgress?: PrepareSetup['onProgress']
}

type Opened = Pick<OpenedModel, 'kind' | 'task' | 'context'>

/**
 * Reads the examples of `data`, or the held-out examples of the run.
 * @throws HeedError for a run without held-out data, and for a folder that is not a run
 */
export async function evaluationExamples(
  dir: string,
  opened: Opened,
  options: EvaluationData,
): Promise<readonly unknown[]> {
  const { data, limit } = options
  if (data === undefined) return readFirst(await heldOutOf(dir, opened, options), limit)
  const { kind, task, context } = opened
  const { onProgress, base, ...table } = options
  const files = taskData([data].flat(), kind, context.options, table)
  if (kind.heldOut) {
    const run = runOf(dir)
    const startModel = () => startOf(run, opened, base)
    const setup = { cacheDir: await cacheFor(dir), run, startModel, onProgress }
    return readFirst(await kind.heldOut(files, setup, context), limit)
  }
  const onRows = (rows: number): void => onProgress?.('Encoding rows', rows)
  return encodeRows(task, firstRows(await files.source(), limit), { onRows })
}

/** The model from which a run started, with the tokens of the task that the run was trained for. */
async function startOf(
  run: string,
  { task, kind, context }: Opened,
  base: string | undefined,
): Promise<Module> {
  const config = withBase((await new RunFolder(run).state())?.config, base)
  const own = config && config.task !== kind.name ? await openTask(run) : { kind, context }
  return modelBefore(config, { ...own, task })
}

/** The configuration of a run whose base has moved. */
export const withBase = (
  config: TrainConfig | undefined,
  base: string | undefined,
): TrainConfig | undefined => (config && base !== undefined ? { ...config, base } : config)

async function readFirst(
  { examples, close }: HeldOutExamples,
  limit: number | undefined,
): Promise<readonly unknown[]> {
  try {
    return firstExamples(examples, limit)
  } finally {
    await close?.()
  }
}

async function heldOutOf(
  dir: string,
  { kind, task, context }: Opened,
  { onProgress, base }: EvaluationData,
): Promise<HeldOutExamples> {
  const run = runOf(dir)
  const config = withBase((await new RunFolder(run).state())?.config, base)
  if (!config)
    throw new HeedError('missing-file', `${run} has no checkpoint, so its data is unknown`, {
      key: 'data',
      remedy: 'Set `data` to evaluate on other data.',
    })
  const data = taskData(config.data, kind, context.options, config)
  const batches = await openBatches({ kind, task, context, data }, config, run, { onProgress })
  if (batches.heldOut.length > 0)
    return { examples: batches.heldOut, close: () => batches.close?.() }
  await batches.close?.()
  throw new HeedError('invalid-data', `The run ${run} has no held-out data`, {
    key: 'data',
    remedy: 'Set `data` to evaluate on other data.',
  })
}

/** The folder of a run, also for its subfolder `best`. */
const runOf = (dir: string): string => (basename(dir) === 'best' ? dirname(dir) : dir)

function firstRows(source: RowSource, limit = Number.POSITIVE_INFINITY): RowSource {
  async function* rows(mistakes?: Mistakes) {
    let count = 0
    for await (const row of source.rows(mistakes)) {
      yield row
      if (++count >= limit) return
    }
  }
  return { columns: source.columns, rows }
}
