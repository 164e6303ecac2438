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
export const headFor = <Name extends Head | TaskName>(name: Name): HeadFor<Name> =>
  (Object.hasOwn(taskHeads, name) ? taskHeads[name as TaskName] : name) as HeadFor<Name>
