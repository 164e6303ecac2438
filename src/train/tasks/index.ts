// The registry of tasks with the built-in ones, in the order in which help lists them.
import { headsOf, modelDefinition, modelTypes } from '../../models/index.ts'
import { currentTaskName, unknownTask } from '../../models/task-names.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { Registry } from '../../util/registry.ts'
import type { Options, TaskDefinition } from '../task.ts'
import { featureExtraction } from './feature-extraction.ts'
import { fillMask } from './fill-mask.ts'
import { imageClassification } from './image-classification.ts'
import { questionAnswering } from './question-answering.ts'
import { spanCorruption } from './span-corruption.ts'
import { textClassification } from './text-classification.ts'
import { textGeneration } from './text-generation.ts'
import { text2TextGeneration } from './text2text-generation.ts'
import { tokenClassification } from './token-classification.ts'
import { translation } from './translation.ts'

const registry = new Registry<TaskDefinition>('task')
const builtIn: readonly TaskDefinition[] = [
  textGeneration,
  fillMask,
  spanCorruption,
  text2TextGeneration,
  translation,
  textClassification,
  tokenClassification,
  questionAnswering,
  featureExtraction,
  imageClassification,
]
for (const kind of builtIn) registerTask(kind)

/**
 * Adds a task to training, evaluation, prediction, reports and `heed data`.
 * @throws HeedError for a name that is taken or unsafe
 */
export function registerTask(kind: TaskDefinition): void {
  if (currentTaskName(kind.name) !== kind.name)
    throw new HeedError(
      'already-exists',
      `The name of a task must be free, got ${shown(kind.name)}, a former name of ${currentTaskName(kind.name)}`,
      { key: 'task', value: kind.name, remedy: 'Register it under another name.' },
    )
  registry.register(kind.name, kind)
}

/** All tasks, in the order of their registration. */
export const taskDefinitions = (): TaskDefinition[] => registry.values()

/** The names of the tasks that a model can be trained for. */
export const trainTasks = (): string[] => registry.names()

/** @throws HeedError that lists the known tasks, the most similar first */
export function taskDefinition(name: string): TaskDefinition {
  if (registry.has(name)) return registry.get(name)
  throw unknownTask(name, trainTasks())
}

/** The task that a model of the type is trained for by default. */
export function usualTask(modelType: string): string {
  if (!modelTypes().includes(modelType)) return textGeneration.name // refused where the model is made
  return modelDefinition(modelType).task
}

/** @throws HeedError for an unknown model type, and for one without a head for the task */
export function checkHead(modelType: string, kind: TaskDefinition, options: Options): void {
  if (headsOf(modelType).includes(kind.head(modelType, options))) return
  const others = tasksOf(modelType).map(({ name }) => name)
  throw new HeedError('unsupported', `A '${modelType}' cannot learn ${kind.name}`, {
    key: 'task',
    value: kind.name,
    remedy: `It can learn ${others.join(', ')}: set \`task\` to one of these.`,
  })
}

/** Those that the model type has a head for. */
function tasksOf(modelType: string): TaskDefinition[] {
  const heads = headsOf(modelType)
  return taskDefinitions().filter(({ head, options }) =>
    heads.includes(head(modelType, options.parse({}) as Options)),
  )
}
