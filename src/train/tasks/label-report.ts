import { confusionMatrix, f1FromSets } from '../../metrics/index.ts'
import { indexOfMax } from '../../pipelines/scores.ts'
import type { Label } from '../../pipelines/text-classification.ts'
import type { Evaluation } from '../task.ts'

export interface LabelResults {
  labels: readonly string[]
  multiLabel: boolean
  /** The probability of each label, by example. */
  scores: readonly (readonly number[])[]
  /** The indices of the right labels. */
  expected: readonly (readonly number[])[]
  texts: readonly string[]
  show: number
}

/** Metrics of labels. Where a text may have several, each is predicted on its own, at a probability of one half. */
export function evaluateLabels(results: LabelResults): Evaluation {
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
  }))
  if (multiLabel) return { metrics, examples }
  return {
    metrics,
    confusion: confusionMatrix(expected.flat(), predicted.flat(), labels),
    examples,
  }
}

/** A prediction from the scores of all labels, the likeliest first. */
export function predictionOf(
  list: readonly Label[],
  { labels, config }: { labels: readonly string[]; config: unknown },
): Record<string, unknown> {
  const { problem_type: problem } = config as { problem_type?: string | null }
  const byLabel = new Map(list.map(({ label, score }) => [label, score]))
  const scores = Object.fromEntries(labels.map((label) => [label, byLabel.get(label) ?? 0]))
  if (problem === 'multi_label_classification')
    return { labels: labels.filter((label) => scores[label] > 0.5), scores }
  const [{ label, score }] = list
  return { label, score, scores }
}

/** With more labels, the F1 of each is left out. */
const MAX_LISTED = 12

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((label) => b.includes(label))
