import { HeedError } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import type { TaskKind } from '../task.ts'
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
  throw new HeedError(`There is no task '${name.slice(0, 80)}' to train for`, {
    remedy: `Did you mean ${nearestFirst(name, trainTasks())[0]}? Known: ${trainTasks().join(', ')}.`,
  })
}
