import { headsOf, modelTypes } from '../../models/index.ts'
import { HeedError } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import type { Options, TaskKind } from '../task.ts'
import { classification } from './classification.ts'
import { imageClassification } from './image-classification.ts'
import { languageModeling } from './language-modeling.ts'
import { maskedLm } from './masked-lm.ts'
import { questionAnswering } from './question-answering.ts'
import { sentencePairs } from './sentence-pairs.ts'
import { spanCorruption } from './span-corruption.ts'
import { tagging } from './tagging.ts'
import { textToText } from './text-to-text.ts'
import { translation } from './translation.ts'

/** Every task, in the order in which help lists them. */
export const taskKinds: readonly TaskKind[] = [
  languageModeling,
  maskedLm,
  spanCorruption,
  textToText,
  translation,
  classification,
  tagging,
  questionAnswering,
  sentencePairs,
  imageClassification,
]

export const trainTasks = (): string[] => taskKinds.map(({ name }) => name)

/** @throws HeedError that lists what is known, the most similar first */
export function taskKind(name: string): TaskKind {
  const found = taskKinds.find((kind) => kind.name === name)
  if (found) return found
  throw new HeedError('unknown-name', `There is no task '${name.slice(0, 80)}' to train for`, {
    remedy: `Did you mean ${nearestFirst(name, trainTasks())[0]}? Known: ${trainTasks().join(', ')}.`,
  })
}

/** What a model of the type learns where nobody says what. */
export function usualTask(modelType: string): string {
  if (modelType === 'marian' || modelType === 'seq2seq_rnn') return translation.name
  if (!modelTypes().includes(modelType)) return languageModeling.name // which says so
  return tasksOf(modelType)[0].name
}

/**
 * @throws HeedError for a model type that is not known, and for one with no head for the task: it lists
 * what there is
 */
export function checkHead(modelType: string, kind: TaskKind, options: Options): void {
  if (headsOf(modelType).includes(kind.head(modelType, options))) return
  const others = tasksOf(modelType).map(({ name }) => name)
  throw new HeedError('unsupported', `A '${modelType}' cannot learn ${kind.name}`, {
    remedy: `It learns ${others.join(', ')}: name one with --task.`,
  })
}

/** Those that the model type has a head for. */
function tasksOf(modelType: string): TaskKind[] {
  const heads = headsOf(modelType)
  return taskKinds.filter(({ head, options }) =>
    heads.includes(head(modelType, options.parse({}) as Options)),
  )
}
