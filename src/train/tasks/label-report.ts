import { confusionMatrix, f1FromSets } from '../../metrics/index.ts'
import { indexOfMax } from '../../pipelines/scores.ts'
import type { Label } from '../../pipelines/text-classification.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import type { Evaluation } from '../task.ts'

/** Scores and true labels, for `evaluateLabels`. */
export interface LabelResults {
  /** Names of the labels, in the order of the scores. */
  labels: readonly string[]
  /** Whether an example can have any number of labels. Otherwise it has exactly one. */
  multiLabel: boolean
  /** The probability of each label, for each example. */
  scores: readonly (readonly number[])[]
  /** The indices of the true labels, for each example. */
  expected: readonly (readonly number[])[]
  /** Text of each example, for the list of examples. */
  texts: readonly string[]
  /** Maximum number of examples in the list. */
  show: number
}

const RESULTS = optionKinds<LabelResults>({
  labels: 'texts',
  multiLabel: 'flag',
  scores: 'numberLists',
  expected: 'numberLists',
  texts: 'texts',
  show: 'count',
})
const checkPrediction = argumentKinds('predictionOf', {
  list: {
    expected: 'an array of one or more { label, score }',
    fits: (value) => Array.isArray(value) && value.length > 0 && value.every((item) => typeof item?.label === 'string' && typeof item.score === 'number'), // biome-ignore format: one line
  },
  'model.labels': 'list',
  'model.config': 'object',
})

/** @throws HeedError for results of different lengths */
function checkResults(results: LabelResults): void {
  RESULTS.check('evaluateLabels', results)
  const { labels, scores, expected, texts } = results
  const rows = scores.length
  const fit =
    rows > 0 &&
    expected.length === rows &&
    texts.length === rows &&
    scores.every((row) => row.length === labels.length) &&
    expected.every((indices) => indices.every((i) => i in labels))
  if (fit) return
  throw new HeedError(
    'invalid-option',
    `evaluateLabels: each of one or more examples must have ${labels.length} scores, indices of labels and a text, got ${rows} rows of scores, ${expected.length} lists of indices and ${texts.length} texts`,
    { key: 'scores', remedy: 'Give as many scores as labels, and indices from 0.' },
  )
}

/**
 * Computes accuracy, macro F1 and F1 by label, and a confusion matrix. With `multiLabel`, each label is predicted
 * independently, above a probability of one half, and there is no confusion matrix.
 * @throws HeedError for results of different lengths
 */
export function evaluateLabels(results: LabelResults): Evaluation {
  checkResults(results)
  const { labels, multiLabel, scores, texts, show } = results
  const expected = results.expected.map((indices) => indices.map((i) => labels[i]))
  const predicted = scores.map((row) =>
    multiLabel ? labels.filter((_, i) => row[i] > 0.5) : [labels[indexOfMax(row)]],
  )
  const right = predicted.map((list, i) => sameSet(list, expected[i]))
  const { macro, perClass } = f1FromSets(expected, predicted)
  const metrics: Record<string, number> = {
    accuracy: right.filter(Boolean).length / right.length,
    f1: macro.f1,
  }
  if (labels.length <= MAX_LISTED)
    for (const [label, { f1 }] of Object.entries(perClass)) metrics[`f1_${label}`] = f1
  const examples = texts.slice(0, show).map((input, i) => ({
    input,
    expected: expected[i].join(', '),
    predicted: predicted[i].join(', '),
    right: right[i],
    scores: highest(labels, scores[i], results.expected[i]),
    difficulty: labels.reduce(
      (sum, _, k) =>
        sum - Math.log(certainty(scores[i][k], results.expected[i].includes(k), multiLabel)),
      0,
    ),
  }))
  if (multiLabel) return { metrics, examples }
  return {
    metrics,
    confusion: confusionMatrix(expected.flat(), predicted.flat(), labels),
    examples,
  }
}

/** Converts the scores of all labels, sorted by score, to the prediction for a row: the label and all scores. */
export function predictionOf(
  list: readonly Label[],
  model: { labels: readonly string[]; config: unknown },
): Record<string, unknown> {
  const { labels, config }: typeof model = Object(model)
  checkPrediction(list, labels, config)
  const { problem_type: problem } = config as { problem_type?: string | null }
  const byLabel = new Map(list.map(({ label, score }) => [label, score]))
  const scores = Object.fromEntries(labels.map((label) => [label, byLabel.get(label) ?? 0]))
  if (problem === 'multi_label_classification')
    return { labels: labels.filter((label) => scores[label] > 0.5), scores }
  const [{ label, score }] = list
  return { label, score, scores }
}

/** The probabilities of the likeliest labels and of the true ones, the highest first. */
function highest(
  labels: readonly string[],
  scores: readonly number[],
  expected: readonly number[],
): Record<string, number> {
  const order = labels.map((_, k) => k).sort((a, b) => scores[b] - scores[a])
  const shown = order.filter((k, rank) => rank < MOST_SCORES || expected.includes(k))
  return Object.fromEntries(shown.map((k) => [labels[k], scores[k]]))
}

/** The probability that a label was given for being what it is; 1 where nothing was said of it. */
function certainty(score: number, isTrue: boolean, multiLabel: boolean): number {
  const probability = isTrue ? score : multiLabel ? 1 - score : 1
  return Math.max(probability, 1e-9)
}

/** Number of labels with scores in an example. */
const MOST_SCORES = 3

/** With more labels, the F1 by label is omitted. */
const MAX_LISTED = 12

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((label) => b.includes(label))
