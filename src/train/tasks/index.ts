// The registry of tasks. Help lists the built-in tasks in this order.
import { type Head, headsOf, modelDefinition, modelTypes } from '../../models/index.ts'
import { currentTaskName, unknownTask } from '../../models/task-names.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { having, optional, optionKinds } from '../../util/options.ts'
import { Registry } from '../../util/registry.ts'
import { dpo } from '../align/dpo.ts'
import { grpo } from '../align/grpo.ts'
import { kto } from '../align/kto.ts'
import { ppo } from '../align/ppo.ts'
import { reward } from '../align/reward.ts'
import { rloo } from '../align/rloo.ts'
import { defineTask } from '../define-task.ts'
import type { NewTask, Options, Preprocessor, TaskDefinition } from '../task.ts'
import { chat } from './chat.ts'
import { featureExtraction } from './feature-extraction.ts'
import { fillMask } from './fill-mask.ts'
import { imageClassification } from './image-classification.ts'
import { lamda } from './lamda.ts'
import { questionAnswering } from './question-answering.ts'
import { spanCorruption } from './span-corruption.ts'
import { textClassification } from './text-classification.ts'
import { textGeneration } from './text-generation.ts'
import { summarization, text2TextGeneration } from './text2text-generation.ts'
import { tokenClassification } from './token-classification.ts'
import { translation } from './translation.ts'

const SCHEMA = optional(having('a z.object of zod', 'safeParse', 'extend'))
const NEW_TASK = optionKinds<NewTask>({
  name: 'text',
  about: 'text',
  columns: 'text',
  head: 'function',
  create: 'function',
  options: SCHEMA,
  defaults: 'record?',
  tuningDefaults: 'record?',
  adapterDefaults: 'record?',
  isAlignment: 'flag?',
  inputColumn: 'function?',
  columnKeys: 'texts?',
  texts: 'function?',
  rowOptions: 'function?',
  facts: SCHEMA,
  survey: 'function?',
  preprocessor: 'function?',
  openPreprocessor: 'function?',
  modelConfig: 'function?',
  newModelConfig: 'function?',
  keepsExamples: 'flag?',
  isObjective: 'flag?',
  publishedOptions: 'record?',
  trainingLayers: 'function?',
  rowEncoder: 'function?',
  batches: 'function?',
  retokenize: 'function?',
  heldOut: 'function?',
})

const registry = new Registry<TaskDefinition>('task')
const builtIn: readonly NewTask[] = [
  textGeneration,
  chat,
  lamda,
  fillMask,
  spanCorruption,
  text2TextGeneration,
  summarization,
  translation,
  textClassification,
  tokenClassification,
  questionAnswering,
  featureExtraction,
  imageClassification,
  reward,
  dpo,
  kto,
  grpo,
  rloo,
  ppo,
]
for (const task of builtIn) registerTask(task)

/**
 * Registers a task for training, evaluation, prediction, reports and `heed data`. `TextTask` is a base class for tasks on
 * text. Threads that encode rows load the modules of --import, so the task must be registered there.
 * @throws HeedError for a name that is taken or unsafe
 */
export function registerTask<O, F, P extends Preprocessor>(task: NewTask<O, F, P>): void {
  NEW_TASK.check('registerTask', task)
  const { name } = task
  const current = currentTaskName(String(name))
  if (current !== String(name))
    throw new HeedError(
      'already-exists',
      `The name of a task must be free, got ${shown(name)}, which means ${current}`,
      { key: 'task', value: name, remedy: 'Register it under another name.' },
    )
  registry.register(name, defineTask(task) as TaskDefinition)
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
  if (!modelTypes().includes(modelType)) return textGeneration.name // refused when the model is created
  return modelDefinition(modelType).task
}

/** @throws HeedError for an unknown model type, and for one without a head for the task */
export function checkHead(modelType: string, kind: TaskDefinition, options: Options): void {
  if (headsOf(modelType).includes(kind.head(modelType, options))) return
  const others = tasksOf(modelType).map(({ name }) => name)
  throw new HeedError('unsupported', `A '${modelType}' cannot be trained for ${kind.name}`, {
    key: 'task',
    value: kind.name,
    remedy: `Set \`task\` to one of ${others.join(', ')}.`,
  })
}

/** The tasks for which the model type has a head. */
function tasksOf(modelType: string): TaskDefinition[] {
  const heads = headsOf(modelType)
  return taskDefinitions().filter(({ head, options }) =>
    heads.includes(head(modelType, options.parse({}) as Options)),
  )
}

/**
 * The task of a model, by its head.
 * @throws HeedError if no task uses this head
 */
export function predictionTask(modelType: string, head: Head): TaskDefinition {
  const wantedHead = head === 'pretraining' ? 'masked-lm' : head
  const fitting = taskDefinitions().filter((task) => {
    const options = { ...task.options.parse({}), ...task.publishedOptions }
    return !task.isObjective && task.head(modelType, options) === wantedHead
  })
  const usual = usualTask(modelType)
  const task = fitting.find(({ name }) => name === usual) ?? fitting[0]
  if (task) return task
  throw new HeedError('unsupported', `A model must have a head that a task uses, got '${head}'`, {
    key: 'task',
    value: head,
    remedy: 'Set `task` to the task that the model was trained for.',
  })
}
