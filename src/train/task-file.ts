// task.json of a run: the task of the model, for evaluation and prediction.
import { join } from 'node:path'
import { z } from 'zod'
import { baseSchema } from '../adapt/base.ts'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { isFile } from '../io/files/is-file.ts'
import { readJson } from '../io/files/json.ts'
import { readModelConfig } from '../models/index.ts'
import { currentTaskName } from '../models/task-names.ts'
import { HeedError } from '../util/errors.ts'
import { schemaProblems } from '../util/schema-issues.ts'
import { importsSchema } from './run-imports.ts'
import type { Task, TaskContext, TaskDefinition } from './task.ts'
import { taskDefinition } from './tasks/index.ts'

export const taskFileSchema = z.object({
  task: z.string().max(80).describe('name of the task'),
  options: z
    .record(z.string(), z.unknown())
    .describe('options of the task, such as names of columns'),
  facts: z
    .record(z.string(), z.unknown())
    .describe('facts about the training data that encoding needs, such as the list of labels'),
  context: z
    .int()
    .min(1)
    .nullable()
    .describe('maximum number of tokens in an example; null: no limit'),
  base: baseSchema
    .optional()
    .describe(
      'the model that an adapter was trained on, which is not copied; other runs have none',
    ),
  imports: importsSchema
    .optional()
    .describe('modules that were imported when the run was started; commands on the run need them'),
})

/** The contents of task.json. */
export type TaskFile = z.output<typeof taskFileSchema>

export async function writeTaskFile(dir: string, file: TaskFile): Promise<void> {
  await writeFileAtomic(join(dir, NAME), `${JSON.stringify(file, null, 2)}\n`)
}

export interface OpenedTask {
  kind: TaskDefinition
  task: Task
  context: TaskContext
  file: TaskFile
}

/** Opens the task of a run from its folder, or from its subfolder `best`. */
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

/** Reads task.json; undefined for a folder that is not a run. */
export async function findTaskFile(dir: string): Promise<TaskFile | undefined> {
  return (await isFile(join(dir, NAME))) ? readTaskFile(dir) : undefined
}

async function readTaskFile(dir: string): Promise<TaskFile> {
  const path = join(dir, NAME)
  if (!(await isFile(path)))
    throw new HeedError(
      'missing-file',
      `${dir} must be a run of heed train, got a folder without ${NAME}`,
      {
        // biome-ignore format: one line
        remedy: "Use the folder that heed train wrote, or its subfolder 'best'.",
      },
    )
  const file = checked(taskFileSchema, await readJson(path, { maxBytes: 20e6 }), dir, 'the file')
  return { ...file, task: currentTaskName(file.task) } // older runs may use former names
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
