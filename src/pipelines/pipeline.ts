// Pipelines by task name, as in transformers.js: pipeline('fill-mask', dir) returns a function of texts.
import '../adapt/index.ts' // opens adapters, and attaches them
import { ImageProcessor } from '../data/index.ts'
import { checkHead } from '../models/check-head.ts'
import { fromPretrained, type Head, type Heads } from '../models/index.ts'
import type { AdaptedModelOptions } from '../models/pretrained.ts'
import { givenTaskName, unknownTask } from '../models/task-names.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { type Embedder, featureExtraction } from './feature-extraction.ts'
import { type FillMask, fillMask } from './fill-mask.ts'
import { modelPath, type PipelineOptions, readPipelineOptions } from './hub-model.ts'
import { type ImageClassification, imageClassification } from './image-classification.ts'
import { type QuestionAnswering, questionAnswering } from './question-answering.ts'
import { type TextClassification, textClassification } from './text-classification.ts'
import { type TextGeneration, textGeneration } from './text-generation.ts'
import {
  type Summarization,
  summarization,
  type TextToText,
  type TextToTextSource,
  type Translation,
  textToText,
  translation,
} from './text2text-generation.ts'
import { type TokenClassification, tokenClassification } from './token-classification.ts'

/** The type of the function that `pipeline` returns for each task. */
export interface Pipelines {
  /** Continues texts and answers conversations. */
  'text-generation': TextGeneration
  /** Writes a text for each source text. */
  'text2text-generation': TextToText
  /** Translates texts. */
  translation: Translation
  /** Summarises texts. */
  summarization: Summarization
  /** Predicts the tokens behind mask tokens. */
  'fill-mask': FillMask
  /** Predicts labels of texts. */
  'text-classification': TextClassification
  /** Predicts labels of words, such as names. */
  'token-classification': TokenClassification
  /** Finds the answer to a question in a text. */
  'question-answering': QuestionAnswering
  /** Embeds texts as vectors. */
  'feature-extraction': Embedder
  /** Predicts labels of images. */
  'image-classification': ImageClassification
}

/** The name of a task that has a pipeline. */
export type PipelineTask = keyof Pipelines

/** The heads of models for images, and the heads of models for text. */
type ImageHead = Extract<Head, `image-${string}`>
type TextHead = Exclude<Head, ImageHead>

/** A model with its tokenizer. */
export interface ModelWithTokenizer<M> {
  /** The model with its head. */
  model: M
  /** The tokenizer with which it was trained. */
  tokenizer: Tokenizer
}

/** A model with its image processor. */
export interface ModelWithProcessor<M> {
  /** The model with its head. */
  model: M
  /** The image processor with which it was trained. */
  processor: ImageProcessor
}

/** The model that the pipeline of a head needs, with its tokenizer or processor. */
type SourceOf<H extends Head> = H extends ImageHead
  ? ModelWithProcessor<Heads[H]>
  : ModelWithTokenizer<Heads[H]>

interface Maker<T extends PipelineTask, H extends Head> {
  head: H
  make: (source: SourceOf<H>) => Pipelines[T]
}

/** The head and the function of each task. */
const makers: {
  [T in PipelineTask]: { [H in Head]: Maker<T, H> }[Head]
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
export const taskNames = (): PipelineTask[] => Object.keys(makers) as PipelineTask[]

/**
 * Creates a function that runs a task with a model: the model of a folder or GGUF file, of a name `owner/model` on the
 * hub, or a model with its tokenizer (for images, its processor).
 *
 *     const fill = await pipeline('fill-mask', './bert-base-uncased')
 *     await fill('The capital of France is [MASK].') // [{ score, token, token_str, sequence }, …]
 *
 * `adapters` attaches adapters to the model of a path: `{ adapters: ['runs/fr'] }`.
 * @throws HeedError for an unknown task, and for a model that was not trained for the task
 */
export async function pipeline<T extends PipelineTask>(
  task: T,
  source: string | ModelWithTokenizer<Heads[TextHead]> | ModelWithProcessor<Heads[ImageHead]>,
  options?: PipelineOptions,
): Promise<Pipelines[T]> {
  checkArgument('pipeline', 'task', task, 'text')
  if (typeof source !== 'string') checkArgument('pipeline', 'source', source, 'object')
  const { base, adapters, ...hubOptions } = readPipelineOptions(options)
  if (typeof source !== 'string') checkUnadapted({ base, adapters })
  const name = givenTaskName(task) as T
  if (!Object.hasOwn(makers, name)) throw unknownTask(task, taskNames())
  const { head, make } = makers[name] as { head: Head; make: (source: unknown) => Pipelines[T] }
  const loaded =
    typeof source === 'string'
      ? await load(await modelPath(source, hubOptions), head, name, { base, adapters })
      : source
  checkHead('pipeline', loaded.model, head)
  if (!isOfImages(head)) checkVocabulary(loaded as ModelWithTokenizer<Heads[TextHead]>)
  else if (!(Object(loaded).processor instanceof ImageProcessor))
    throw invalidOption({
      owner: 'pipeline',
      key: 'source.processor',
      value: Object(loaded).processor,
      expected: 'an ImageProcessor',
      remedy: 'Use `await ImageProcessor.fromFile(folder)`.',
    })
  loaded.model.eval()
  return make(loaded)
}

/** A given model has its adapters already. */
function checkUnadapted(options: AdaptedModelOptions): void {
  const key = (['adapters', 'base'] as const).find((name) => options[name] !== undefined)
  if (key === undefined) return
  throw invalidOption({
    owner: 'pipeline',
    key,
    value: options[key],
    expected: 'omitted with a model',
    remedy: 'Attach adapters to the model with loadAdapters of heed/adapt, or give the path of the model.',
  }) // biome-ignore format: one line
}

function checkVocabulary({ model, tokenizer }: ModelWithTokenizer<Heads[TextHead]>): void {
  checkArgument('pipeline', 'source.tokenizer', tokenizer, 'tokenizer')
  if (tokenizer.vocabSize > model.vocabSize)
    throw new HeedError(
      'invalid-config',
      `The vocabulary of the tokenizer must not be larger than the vocabulary of the model (${model.vocabSize}), got ${tokenizer.vocabSize}`,
      { remedy: 'Load the model and the tokenizer from the same folder.' },
    )
}

/** Loads a model. @throws HeedError if the folder has no weights for the head, which would predict at random */
async function load(
  dir: string,
  head: Head,
  task: PipelineTask,
  adapted: AdaptedModelOptions,
): Promise<ModelWithTokenizer<Heads[TextHead]> | ModelWithProcessor<Heads[ImageHead]>> {
  const onNew = (names: readonly string[]): void => {
    throw new HeedError(
      'unsupported',
      `The model in ${dir} must be trained for ${task}, got a model without ${names.join(', ')}`,
      {
        key: 'task',
        value: task,
        remedy: 'Use a model that was trained for this task, or fine-tune this one first.',
      },
    )
  }
  if (isOfImages(head)) {
    const model = await fromPretrained(dir, head, { ...adapted, onNew })
    return { model, processor: await ImageProcessor.fromFile(dir) }
  }
  const model = await fromPretrained(dir, head, { ...adapted, onNew })
  const source = { model, tokenizer: await Tokenizer.fromFile(dir) }
  if (head !== 'seq2seq-lm') return source
  const targetTokenizer = await Tokenizer.fromFile(dir, { asTarget: true })
  return { ...source, targetTokenizer } as TextToTextSource
}

const isOfImages = (head: Head): head is ImageHead => head.startsWith('image-')
