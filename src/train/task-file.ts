// task.json of a run: the task of its model, for evaluation and prediction.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { RowOptions, RowSource } from '../data/index.ts'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { readJson } from '../io/files/json.ts'
import { fromPretrained, readModelConfig } from '../models/index.ts'
import { currentTaskName } from '../models/task-names.ts'
import type { Module } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import { schemaProblems } from '../util/schema-issues.ts'
import { importsSchema } from './run-imports.ts'
import type { Preprocessor, Task, TaskContext, TaskDefinition } from './task.ts'
import { taskData } from './task-data.ts'
import { taskDefinition } from './tasks/index.ts'

const schema = z.object({
  task: z.string().max(80),
  options: z.record(z.string(), z.unknown()),
  facts: z.record(z.string(), z.unknown()),
  /** The maximum number of tokens in an example. */
  context: z.int().min(1).nullable(),
  /** The modules that were imported when the run was started. */
  imports: importsSchema.optional(),
})

/** The contents of task.json. */
export type TaskFile = z.output<typeof schema>

export async function writeTaskFile(dir: string, file: TaskFile): Promise<void> {
  await writeFileAtomic(join(dir, NAME), `${JSON.stringify(file, null, 2)}\n`)
}

export interface OpenedTask {
  kind: TaskDefinition
  task: Task
  context: TaskContext
  file: TaskFile
}

/** Opens the task of a run's folder, or of the folder `best` in it. */
export async function openTask(dir: string): Promise<OpenedTask> {
  const file = await readTaskFile(dir)
  const kind = taskDefinition(file.task)
  const { model_type: modelType } = await readModelConfig(dir)
  const context = {
    options: checked(kind.options, file.options, dir, 'options'),
    facts: checked(kind.facts, file.facts, dir, 'facts'),
    preprocessor: await kind.openPreprocessor(dir),
    modelType,
    contextLength: file.context ?? Number.POSITIVE_INFINITY,
  }
  return { kind, task: kind.create(context), context, file }
}

export interface OpenedRun {
  task: Task
  /** In evaluation mode. */
  model: Module
  preprocessor: Preprocessor
  /** How the task reads rows: `openRows(paths, rowOptions)` of heed/data. */
  rowOptions: RowOptions
  /** Opens rows as the task reads them. */
  openRows(paths: readonly string[]): Promise<RowSource>
}

/**
 * Opens a trained model with its task, for evaluation and prediction: `task.predict(model, rows)`.
 * @throws HeedError for a folder that is not a run
 */
export async function openRun(dir: string): Promise<OpenedRun> {
  const { kind, task, context } = await openTask(dir)
  const model = await fromPretrained(dir, task.head)
  const dataAt = (paths: readonly string[]) => taskData(paths, kind, context.options)
  return {
    task,
    model: model as Module,
    preprocessor: context.preprocessor,
    rowOptions: dataAt([]).rowOptions ?? {},
    openRows: (paths) => dataAt(paths).source(),
  }
}

async function readTaskFile(dir: string): Promise<TaskFile> {
  const path = join(dir, NAME)
  const there = await stat(path).catch(() => undefined)
  if (!there?.isFile())
    throw new HeedError('missing-file', `${dir} is not a run of heed train: it has no ${NAME}`, {
      remedy: "Use the folder that heed train wrote, or the folder 'best' in it.",
    })
  const file = checked(schema, await readJson(path, { maxBytes: 20e6 }), dir, 'the file')
  return { ...file, task: currentTaskName(file.task) } // older runs have former names
}

function checked<S extends z.ZodType>(
  schema: S,
  value: unknown,
  dir: string,
  what: string,
): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [{ message }] = schemaProblems(result.error.issues, value, [])
  throw new HeedError('corrupt-file', `${join(dir, NAME)}, ${what}: ${message}`, {
    remedy: 'Restore the file, or train again.',
  })
}

const NAME = 'task.json'
