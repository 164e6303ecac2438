import { ADAPTED, type AdaptedModelOptions } from '../models/pretrained.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { type EvaluationData, evaluationExamples } from './evaluation-data.ts'
import { evaluateExamples } from './held-out-loss.ts'
import { openWithTask } from './open-run.ts'
import type { EvaluateOptions, Evaluation } from './task.ts'
import { TABLE } from './task-data.ts'

/** Options of `evaluateRun`. */
export interface EvaluateRunOptions
  extends EvaluateOptions,
    Omit<EvaluationData, 'data'>,
    AdaptedModelOptions {
  /**
   * Name of a task, for a model that Heed did not train, with data in its format; for example `chat` for any causal
   * language model with a chat template. Default: the task of the run.
   */
  task?: string
}

/** The result of `evaluateRun`. */
export interface RunEvaluation extends Evaluation {
  /** The name of the task. */
  task: string
  /** Number of examples; most tasks make one example from each row. */
  count: number
}

const checkEvaluateRun = argumentKinds('evaluateRun', {
  dir: 'text',
  data: 'paths?',
  options: optionKinds<EvaluateRunOptions>({
    ...TABLE,
    ...ADAPTED,
    task: 'text?',
    batchSize: 'size?',
    show: 'count?',
    limit: 'size?',
    onProgress: 'function?',
  }),
})

/**
 * Evaluates a trained model. As in training, the loss is the mean over all items that count: rows, labels or tokens.
 * @param dir the folder of a run, or its subfolder `best`; with `task` also a model folder or a GGUF file
 * @param data paths for `openRows`; default: the held-out data of the run
 * @throws HeedError that lists bad rows, up to 20
 */
export async function evaluateRun(
  dir: string,
  data?: string | readonly string[],
  options: EvaluateRunOptions = {},
): Promise<RunEvaluation> {
  checkEvaluateRun(dir, data, options)
  const { base, adapters, task: name } = options
  const opened = await openWithTask(dir, { task: name, base, adapters })
  const { task, model } = opened
  const examples = await evaluationExamples(dir, opened, { ...options, data })
  if (examples.length === 0)
    throw new HeedError('invalid-data', 'The data must give at least one example, got none', {
      key: 'data',
      value: data,
      remedy: 'Name files with more text or rows.',
    })
  const { batchSize, show } = options
  const evaluation = await evaluateExamples(task, model, examples, { batchSize, show })
  return { task: task.name, count: examples.length, ...evaluation }
}
