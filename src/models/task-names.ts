import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import { unknownName } from '../util/registry.ts'
import { warn } from '../util/warn.ts'
import type { Head } from './heads/heads.ts'

/**
 * The head that each task requires. Names are those of transformers and transformers.js, except for training objectives,
 * which have no pipeline: `span-corruption`, `chat`, `lamda` and the methods of alignment.
 */
export const taskHeads = {
  /** Continues texts and answers conversations. */
  'text-generation': 'causal-lm',
  /** Predicts the tokens behind mask tokens. */
  'fill-mask': 'masked-lm',
  /** Predicts labels of texts. */
  'text-classification': 'sequence-classification',
  /** Predicts labels of words, such as names. */
  'token-classification': 'token-classification',
  /** Finds the answer to a question in a text. */
  'question-answering': 'question-answering',
  /** Embeds texts as vectors. */
  'feature-extraction': 'encoder',
  /** Translates texts. */
  translation: 'seq2seq-lm',
  /** Summarises texts. */
  summarization: 'seq2seq-lm',
  /** Writes a text for each source text. */
  'text2text-generation': 'seq2seq-lm',
  /** Predicts labels of images. */
  'image-classification': 'image-classification',
  /** Restores missing spans of a text (Raffel et al., 2020, section 3.1.4). */
  'span-corruption': 'seq2seq-lm',
  /** Learns the answers in conversations. */
  chat: 'causal-lm',
  /** Learns responses, and judgements of them (LaMDA; Thoppilan et al., 2022). */
  lamda: 'causal-lm',
  /** Learns from pairs of answers (Rafailov et al., 2023). */
  dpo: 'causal-lm',
  /** Learns from answers that are marked as good or bad (Ethayarajh et al., 2024). */
  kto: 'causal-lm',
  /** Learns to score answers (Ouyang et al., 2022, section 3.5). */
  reward: 'sequence-classification',
  /** Learns from rewards of groups of its own answers (Shao et al., 2024). */
  grpo: 'causal-lm',
  /** Learns from rewards, compared with its other answers (Ahmadian et al., 2024). */
  rloo: 'causal-lm',
  /** Learns from rewards, compared with those that a value head expects (Schulman et al., 2017). */
  ppo: 'causal-lm',
} as const satisfies Record<string, Head>

/**
 * Name of a built-in task.
 * @useDeclaredType
 */
export type TaskName = keyof typeof taskHeads

/** The head of a task. The name of a head maps to itself, because functions accept both. */
export type HeadFor<Name extends Head | TaskName> = Name extends TaskName
  ? (typeof taskHeads)[Name]
  : Name

/** Returns the head that a task requires. Returns the name of a head unchanged. */
export function headFor<Name extends Head | TaskName>(name: Name): HeadFor<Name> {
  checkArgument('headFor', 'name', name, 'text')
  return (Object.hasOwn(taskHeads, name) ? taskHeads[name as TaskName] : name) as HeadFor<Name>
}

/** Names of tasks in earlier versions of Heed, before it adopted those of transformers. */
export const formerTaskNames: Readonly<Record<string, TaskName>> = {
  'language-modeling': 'text-generation',
  'masked-lm': 'fill-mask',
  classification: 'text-classification',
  tagging: 'token-classification',
  'sentence-pairs': 'feature-extraction',
  'text-to-text': 'text2text-generation',
}

/** Aliases of tasks in transformers. */
const aliases: Readonly<Record<string, TaskName>> = {
  'sentiment-analysis': 'text-classification',
  ner: 'token-classification',
}

/** Converts former names and aliases to current task names. Returns other names unchanged. */
export function currentTaskName(name: string): string {
  if (Object.hasOwn(formerTaskNames, name)) return formerTaskNames[name]
  return Object.hasOwn(aliases, name) ? aliases[name] : name
}

/** `currentTaskName` for a name given by the user. A former name causes a warning, once. */
export function givenTaskName(name: string): string {
  const current = currentTaskName(name)
  if (Object.hasOwn(formerTaskNames, name)) warn(`the task '${name}' is now called '${current}'.`)
  return current
}

/** The error for an unknown task. `known` lists the valid names. */
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
