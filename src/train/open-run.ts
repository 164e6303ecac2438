// Opens a model with its task, from the folder of a run or from any model folder.
import '../adapt/index.ts' // opens adapters, and attaches them
import type { RowOptions, RowSource } from '../data/index.ts'
import { fromPretrained, headOf, readModelConfig } from '../models/index.ts'
import { ADAPTED, type AdaptedModelOptions } from '../models/pretrained.ts'
import { givenTaskName } from '../models/task-names.ts'
import type { Module } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { unknownName } from '../util/registry.ts'
import type { Options, Preprocessor, Task, TaskDefinition } from './task.ts'
import { taskData } from './task-data.ts'
import { findTaskFile, type OpenedTask, openTask } from './task-file.ts'
import { contextOf } from './task-model.ts'
import { predictionTask, taskDefinition } from './tasks/index.ts'

/** Options of `openRun`. */
export interface OpenOptions extends AdaptedModelOptions {
  /** Name of the task. Default: the task of the run, or the task that fits the head of the model. */
  task?: string
  /** Task options for a model that is not a run, for example `{ textColumn: 'review' }`. */
  options?: Options
}

export const OPEN = {
  task: 'text?',
  options: 'record?',
  ...ADAPTED,
} as const

const checkOpenRun = argumentKinds('openRun', {
  dir: 'text',
  options: optionKinds<OpenOptions>(OPEN),
})

/** A model with its task, the definition of the task and its context. */
export interface OpenedModel extends Omit<OpenedTask, 'file'> {
  /** In evaluation mode. */
  model: Module
}

/** A model with its task, ready for prediction. */
export interface OpenedRun {
  /** The task, which predicts and evaluates. */
  task: Task
  /** In evaluation mode. */
  model: Module
  /** The tokenizer or image processor of the run. */
  preprocessor: Preprocessor
  /** The column that the task reads. Plain text and single images are put there. */
  inputColumn: string
  /** Options with which the task reads rows: `openRows(paths, rowOptions)` of heed/data. */
  rowOptions: RowOptions
  /** Opens rows as the task reads them. */
  openRows(paths: readonly string[]): Promise<RowSource>
}

/**
 * Opens the model in the folder of a run, or in any model folder, with its task. To predict:
 * `task.predict(model, rows)`.
 * @throws HeedError for a model that was not trained for the task
 */
export async function openRun(dir: string, options: OpenOptions = {}): Promise<OpenedRun> {
  checkOpenRun(dir, options)
  const { kind, task, context, model } = await openWithTask(dir, options)
  const dataAt = (paths: readonly string[]) => taskData(paths, kind, context.options)
  return {
    task,
    model,
    preprocessor: context.preprocessor,
    inputColumn: kind.inputColumn(context.options),
    rowOptions: dataAt([]).rowOptions ?? {},
    openRows: (paths) => dataAt(paths).source(),
  }
}

/** Opens a model like `openRun`, with the definition and the context of its task. */
export async function openWithTask(
  dir: string,
  { task: name, options = {}, ...adapted }: OpenOptions = {},
): Promise<OpenedModel> {
  const wanted = name === undefined ? undefined : givenTaskName(name)
  const file = await findTaskFile(dir)
  if (!file || (wanted !== undefined && wanted !== file.task))
    return openModel(dir, wanted, options, adapted)
  const [key] = Object.keys(options)
  if (key !== undefined)
    throw new HeedError(
      'invalid-option',
      `\`${key}\` must not be changed: ${dir} was trained with it`,
      {
        // biome-ignore format: one line
        key,
        value: options[key],
        remedy: 'Omit it.',
      },
    )
  const opened = await openTask(dir)
  const model = (await fromPretrained(dir, opened.task.head, adapted)) as Module
  return { ...opened, model }
}

/** Opens a model that Heed did not train, or that was trained for another task. */
async function openModel(
  dir: string,
  name: string | undefined,
  given: Options,
  adapted: AdaptedModelOptions,
): Promise<OpenedModel> {
  const config = await readModelConfig(dir)
  const { model_type: modelType } = config
  const kind = name === undefined ? predictionTask(modelType, headOf(config)) : taskDefinition(name)
  const options = checkedOptions(kind, given)
  const model = (await fromPretrained(dir, kind.head(modelType, options), {
    ...adapted,
    onNew(names) {
      throw untrained(dir, kind.name, names)
    },
  })) as Module
  const preprocessor = await kind.openPreprocessor(dir)
  const contextLength = contextOf(model)
  const context = { options, facts: {}, preprocessor, modelType, contextLength }
  const task = kind.create(context)
  await task.usePublished?.(dir)
  return { kind, task, context, model }
}

function checkedOptions(kind: TaskDefinition, given: Options): Options {
  const known = Object.keys(kind.options.shape)
  const strange = Object.keys(given).find((key) => !known.includes(key))
  if (strange !== undefined) throw unknownName(`option of ${kind.name}`, strange, known, 'options')
  const result = kind.options.safeParse({ ...kind.publishedOptions, ...given })
  if (result.success) return result.data as Options
  const [{ path, message }] = result.error.issues
  const key = path.join('.')
  throw new HeedError('invalid-option', `\`${key}\` must be valid: ${message}`, {
    key,
    value: given[key],
  })
}

const untrained = (dir: string, task: string, names: readonly string[]): HeedError =>
  new HeedError(
    'unsupported',
    `The model in ${dir} must be trained for ${task}, got a model without ${names.join(', ')}`,
    {
      key: 'task',
      value: task,
      remedy: 'Use a model that was trained for this task, or fine-tune this one first.',
    },
  )
