// Tasks by name, as transformers.js has them: pipeline('fill-mask', dir) gives a function of texts.
import { ImageProcessor } from '../data/index.ts'
import { generationDefaults } from '../generate/index.ts'
import { fromPretrained, type Head, type Heads } from '../models/index.ts'
import { givenTaskName, unknownTask } from '../models/task-names.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { type Embedder, featureExtraction } from './feature-extraction.ts'
import { type FillMask, fillMask } from './fill-mask.ts'
import { type ImageClassification, imageClassification } from './image-classification.ts'
import { type QuestionAnswering, questionAnswering } from './question-answering.ts'
import { type TextClassification, textClassification } from './text-classification.ts'
import { type TextGeneration, textGeneration } from './text-generation.ts'
import {
  type Summarization,
  summarization,
  type TextToText,
  type TextToTextParts,
  type Translation,
  textToText,
  translation,
} from './text2text-generation.ts'
import { type TokenClassification, tokenClassification } from './token-classification.ts'

/** What each task gives. */
export interface Pipelines {
  'text-generation': TextGeneration
  'text2text-generation': TextToText
  translation: Translation
  summarization: Summarization
  'fill-mask': FillMask
  'text-classification': TextClassification
  'token-classification': TokenClassification
  'question-answering': QuestionAnswering
  'feature-extraction': Embedder
  'image-classification': ImageClassification
}

export type Task = keyof Pipelines

/** Of models that read texts, and of those that read images. */
type ImageHead = Extract<Head, `image-${string}`>
type TextHead = Exclude<Head, ImageHead>

/** A model with its tokenizer. */
export interface Parts<M> {
  model: M
  tokenizer: Tokenizer
}

/** A model with what makes its images fit. */
export interface ImageParts<M> {
  model: M
  processor: ImageProcessor
}

/** What a pipeline is made of. */
type PartsOf<H extends Head> = H extends ImageHead ? ImageParts<Heads[H]> : Parts<Heads[H]>

interface Maker<T extends Task, H extends Head> {
  head: H
  make: (parts: PartsOf<H>) => Pipelines[T]
}

/** Which head a task needs; a total table. */
const makers: {
  [T in Task]: { [H in Head]: Maker<T, H> }[Head]
} = {
  'text-generation': { head: 'causal-lm', make: textGeneration },
  'text2text-generation': { head: 'seq2seq-lm', make: textToText },
  translation: { head: 'seq2seq-lm', make: translation },
  summarization: { head: 'seq2seq-lm', make: summarization },
  'fill-mask': { head: 'masked-lm', make: fillMask },
  'text-classification': { head: 'sequence-classification', make: textClassification },
  'token-classification': { head: 'token-classification', make: tokenClassification },
  'question-answering': { head: 'question-answering', make: questionAnswering },
  'feature-extraction': { head: 'encoder', make: featureExtraction },
  'image-classification': { head: 'image-classification', make: imageClassification },
}

/** The names of the tasks that have a pipeline. */
export const taskNames = (): Task[] => Object.keys(makers) as Task[]

/**
 * A function that does a task with the model of a folder, or with a model and its tokenizer (or, for
 * images, its processor).
 *
 *     const fill = await pipeline('fill-mask', './bert-base-uncased')
 *     await fill('The capital of France is [MASK].') // [{ score, token, token_str, sequence }, …]
 *
 * @throws HeedError for an unknown task, and when the folder's weights are not for it
 */
export async function pipeline<T extends Task>(
  task: T,
  source: string | Parts<Heads[TextHead]> | ImageParts<Heads[ImageHead]>,
): Promise<Pipelines[T]> {
  const name = givenTaskName(task) as T
  if (!Object.hasOwn(makers, name)) throw unknownTask(task, taskNames())
  const { head, make } = makers[name] as { head: Head; make: (parts: unknown) => Pipelines[T] }
  const parts = typeof source === 'string' ? await load(source, head, name) : source
  if ('tokenizer' in parts) checkVocabulary(parts)
  parts.model.eval()
  return make(parts)
}

function checkVocabulary({ model, tokenizer }: Parts<Heads[TextHead]>): void {
  if (tokenizer.vocabSize > model.vocabSize)
    throw new HeedError(
      'invalid-config',
      `The vocabulary of the tokenizer must be at most that of the model (${model.vocabSize}), got ${tokenizer.vocabSize}`,
      { remedy: 'Load the model and the tokenizer from the same folder.' },
    )
}

/** A head that the folder has no weights of would answer at random: that is refused. */
async function load(
  dir: string,
  head: Head,
  task: Task,
): Promise<Parts<Heads[TextHead]> | ImageParts<Heads[ImageHead]>> {
  const onNew = (names: readonly string[]): void => {
    throw new HeedError(
      'invalid-option',
      `${dir} is not trained for ${task}: it lacks ${names.join(', ')}`,
      {
        remedy: 'Take a model that was trained for the task, or train this one first.',
      },
    )
  }
  if (isOfImages(head)) {
    const model = await fromPretrained(dir, head, { onNew })
    return { model, processor: await ImageProcessor.fromFile(dir) }
  }
  const model = await fromPretrained(dir, head, { onNew })
  const parts = { model, tokenizer: await Tokenizer.fromFile(dir) }
  if (head !== 'seq2seq-lm') return parts
  const targetTokenizer = await Tokenizer.fromFile(dir, { asTarget: true })
  return { ...parts, targetTokenizer, defaults: await generationDefaults(dir) } as TextToTextParts
}

const isOfImages = (head: Head): head is ImageHead => head.startsWith('image-')
