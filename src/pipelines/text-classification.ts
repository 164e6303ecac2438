import type { SequenceClassifier } from '../models/index.ts'
import { type BatchOptions, encodeTexts, forOneOrMany, inBatches, valuesOf } from './batches.ts'
import type { Parts } from './pipeline.ts'
import { sigmoid, softmax, topIndices } from './scores.ts'

export interface ClassifyOptions extends BatchOptions {
  /** How many labels, the likeliest first; null for all. Default 1. */
  topK?: number | null
  /** Whether texts that are too long for the model are cut; otherwise they are an error. */
  truncate?: boolean
}

export interface Label {
  label: string
  score: number
}

/**
 * The likeliest label of each text, as a list of one for one text; with `topK`, a list for each text.
 * Scores sum to 1, except where labels do not exclude each other (`problem_type` of the config) or
 * there is a single one, which has the sigmoid; regressions have the number as it is.
 */
export interface TextClassification {
  (text: string, options?: ClassifyOptions): Promise<Label[]>
  (texts: readonly string[], options?: ClassifyOptions & { topK?: 1 }): Promise<Label[]>
  (texts: readonly string[], options?: ClassifyOptions): Promise<Label[][]>
}

export function textClassification(parts: Parts<SequenceClassifier>): TextClassification {
  const classify = async (input: string | readonly string[], options: ClassifyOptions = {}) => {
    const lists = await forOneOrMany(input, (texts) => classifyAll(parts, texts, options))
    const single = typeof input !== 'string' && (options.topK ?? 1) === 1 && options.topK !== null
    return single ? (lists as Label[][]).map(([label]) => label) : lists
  }
  return classify as TextClassification
}

function classifyAll(
  parts: Parts<SequenceClassifier>,
  texts: readonly string[],
  options: ClassifyOptions,
): Promise<Label[][]> {
  const { model } = parts
  const { labels } = model
  const count = options.topK === null ? labels.length : (options.topK ?? 1)
  return inBatches(
    encodeTexts(texts, parts, options.truncate ?? false),
    parts,
    options,
    ({ ids, options }) => valuesOf(() => model.forward(ids, options)),
    (logits, row) => {
      const own = logits.subarray(row * labels.length, (row + 1) * labels.length)
      const scores = scoresOf(own, model)
      return topIndices(scores, count).map((i) => ({ label: labels[i], score: scores[i] }))
    },
  )
}

function scoresOf(logits: Float32Array, model: SequenceClassifier): ArrayLike<number> {
  const { problem_type: problem } = model.config as { problem_type?: string | null }
  if (problem === 'regression') return logits
  const apart = problem === 'multi_label_classification' || logits.length === 1
  return apart ? Array.from(logits, sigmoid) : softmax(logits)
}
