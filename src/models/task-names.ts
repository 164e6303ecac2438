import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import { unknownName } from '../util/registry.ts'
import { warn } from '../util/warn.ts'
import type { Head } from './heads/heads.ts'

/**
 * The head that each task needs. The names are those of transformers and transformers.js;
 * `span-corruption` is T5's training objective, for which there is no pipeline.
 */
export const taskHeads = {
  'text-generation': 'causal-lm',
  'fill-mask': 'masked-lm',
  'text-classification': 'sequence-classification',
  'token-classification': 'token-classification',
  'question-answering': 'question-answering',
  'feature-extraction': 'encoder',
  translation: 'seq2seq-lm',
  summarization: 'seq2seq-lm',
  'text2text-generation': 'seq2seq-lm',
  'image-classification': 'image-classification',
  'span-corruption': 'seq2seq-lm',
} as const satisfies Record<string, Head>

/** The name of a built-in task. */
export type TaskName = keyof typeof taskHeads

/** The head of a task, or of itself: library functions accept either name. */
export type HeadFor<Name extends Head | TaskName> = Name extends TaskName
  ? (typeof taskHeads)[Name]
  : Name

/** The head that a task needs; the name of a head stays as it is. */
export function headFor<Name extends Head | TaskName>(name: Name): HeadFor<Name> {
  checkArgument('headFor', 'name', name, 'text')
  return (Object.hasOwn(taskHeads, name) ? taskHeads[name as TaskName] : name) as HeadFor<Name>
}

/** Names that Heed gave to tasks before it took over those of transformers. */
export const formerTaskNames: Readonly<Record<string, TaskName>> = {
  'language-modeling': 'text-generation',
  'masked-lm': 'fill-mask',
  classification: 'text-classification',
  tagging: 'token-classification',
  'sentence-pairs': 'feature-extraction',
  'text-to-text': 'text2text-generation',
}

/** Second names of tasks in transformers. */
const aliases: Readonly<Record<string, TaskName>> = {
  'sentiment-analysis': 'text-classification',
  ner: 'token-classification',
}

/** The present name of a task, given a former name or an alias. Other names stay as they are. */
export function currentTaskName(name: string): string {
  if (Object.hasOwn(formerTaskNames, name)) return formerTaskNames[name]
  return Object.hasOwn(aliases, name) ? aliases[name] : name
}

/** `currentTaskName` for a name that the user has given: a former name prints a hint, once. */
export function givenTaskName(name: string): string {
  const current = currentTaskName(name)
  if (Object.hasOwn(formerTaskNames, name)) warn(`the task '${name}' is now called '${current}'.`)
  return current
}

/** The error for a task that does not exist; `known` are the names that would work. */
export function unknownTask(name: string, known: readonly string[]): HeedError {
  const former = Object.keys(formerTaskNames).filter((old) => known.includes(formerTaskNames[old]))
  const [nearest] = nearestFirst(name, [...known, ...former])
  const error = unknownName('task', name, known)
  if (!former.includes(nearest)) return error
  const current = formerTaskNames[nearest]
  return new HeedError(error.code, error.message, {
    ...error.details,
    try: { task: [current] },
    remedy: `Did you mean ${current} (formerly ${nearest})? Known: ${known.join(', ')}.`,
  })
}
