import type { SequenceClassifier } from '../models/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { runExamples } from './run-examples.ts'
import { labelScores, topIndices } from './scores.ts'
import {
  BATCHES,
  type BatchOptions,
  encoderInputs,
  encodeTexts,
  exampleOf,
  forOneOrMany,
  isTextInput,
  type TextExample,
  type TextInput,
  TRUNCATION,
  type TruncateOptions,
  textBatching,
} from './text-examples.ts'

/** Options of the pipeline 'text-classification'. */
export interface ClassifyOptions extends BatchOptions, TruncateOptions {
  /** Number of labels; null for all. Default 1. */
  topK?: number | null
}

const readOptions = optionReader<ClassifyOptions>('text-classification', {
  ...BATCHES,
  ...TRUNCATION,
  topK: 'size|null?',
})

/** A label with its score. */
export interface Label {
  /** Name of the label in the config. */
  label: string
  /** Probability, from 0 to 1. */
  score: number
}

/**
 * Classifies texts or pairs of texts. One text gives a list of labels sorted by score; several texts give the best label
 * of each, or with `topK` a list for each. Scores sum to 1. With multi-label models (`problem_type` of the config) and
 * with a single label, the score of a label is the sigmoid of its logit; with regression, it is the logit.
 */
export interface TextClassification {
  (text: TextInput, options?: ClassifyOptions): Promise<Label[]>
  (texts: readonly TextInput[], options?: ClassifyOptions & { topK?: 1 }): Promise<Label[]>
  (texts: readonly TextInput[], options?: ClassifyOptions): Promise<Label[][]>
}

/** Creates the pipeline 'text-classification'. */
export function textClassification(
  source: ModelWithTokenizer<SequenceClassifier>,
): TextClassification {
  const classify = async (
    input: TextInput | readonly TextInput[],
    given?: ClassifyOptions,
  ): Promise<Label[] | Label[][]> => {
    const options = readOptions(given)
    const { topK = 1 } = options
    const classifyTexts = (texts: readonly TextInput[]) => classifyAll(source, texts, options)
    const lists = await forOneOrMany(input, isTextInput, classifyTexts)
    return isTextInput(input) || topK !== 1 ? lists : (lists as Label[][]).map(([label]) => label)
  }
  return classify as TextClassification
}

async function classifyAll(
  { model, tokenizer }: ModelWithTokenizer<SequenceClassifier>,
  texts: readonly TextInput[],
  options: ClassifyOptions,
): Promise<Label[][]> {
  const { labels } = model
  const { topK = 1, batchSize } = options
  const encodings = encodeTexts(texts, { model, tokenizer }, options)
  const examples = encodings.map((encoding) => exampleOf(encoding, tokenizer))
  const scores = await textLabelScores(model, tokenizer, examples, batchSize)
  return scores.map((all) =>
    topIndices(all, topK ?? labels.length).map((i) => ({ label: labels[i], score: all[i] })),
  )
}

/** Computes the score of each label for each example. */
export function textLabelScores(
  model: SequenceClassifier,
  tokenizer: Tokenizer,
  examples: readonly TextExample[],
  batchSize = 16,
): Promise<number[][]> {
  const count = model.labels.length
  return runExamples(examples, {
    batching: textBatching(tokenizer),
    model,
    batchSize,
    forward: (batch) => [model.forward(batch.input_ids, encoderInputs(batch))],
    read: ([logits], row) => labelScores(logits.subarray(row * count, (row + 1) * count), model),
  })
}
