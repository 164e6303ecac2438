import { argumentKinds } from '../util/argument-kinds.ts'
import { optionKinds } from '../util/options.ts'
import type { Confusion } from './confusion.ts'

/** Scores of one class, or an average over classes. A score of 0/0 is 0. */
export interface PrecisionRecall {
  /** The fraction of predictions of the class that are correct. */
  precision: number
  /** The fraction of examples of the class that are found. */
  recall: number
  /** The harmonic mean of precision and recall. */
  f1: number
  /** Number of examples of the class. */
  support: number
}

/** Precision, recall and F1 per class and averaged. */
export interface F1Report {
  /** Scores by label. */
  perClass: Record<string, PrecisionRecall>
  /** Scores over the decisions of all classes together. */
  micro: PrecisionRecall
  /** The unweighted mean over classes. */
  macro: PrecisionRecall
  /** The mean over classes, weighted by support. */
  weighted: PrecisionRecall
}

/** Counts of the decisions about one class. */
export interface DecisionCounts {
  truePositives: number
  falsePositives: number
  falseNegatives: number
}

const checkF1FromConfusion = argumentKinds('f1FromConfusion', {
  confusion: optionKinds<Confusion>({ labels: 'texts', counts: 'lists' }),
})

/** Computes scores from a confusion matrix. Micro-averaged F1 is then the accuracy. */
export function f1FromConfusion(confusion: Confusion): F1Report {
  checkF1FromConfusion(confusion)
  const { labels, counts } = confusion
  return f1Report(
    labels.map((label, i) => {
      const row = counts[i].reduce((a, b) => a + b, 0)
      const column = counts.reduce((sum, counted) => sum + counted[i], 0)
      const right = counts[i][i]
      return [
        label,
        { truePositives: right, falsePositives: column - right, falseNegatives: row - right },
      ]
    }),
  )
}

const checkF1FromSets = argumentKinds('f1FromSets', {
  expected: 'textLists',
  predicted: 'textLists',
  labels: 'texts?',
})

/**
 * Computes scores for multi-label classification from the true and predicted labels of each example.
 * @throws HeedError for lists of different lengths
 */
export function f1FromSets(
  expected: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  labels?: readonly string[],
): F1Report {
  checkF1FromSets(expected, predicted, labels)
  const names = labels ?? [...new Set([...expected, ...predicted].flat())].sort()
  const decisions = new Map(names.map((label) => [label, nothing()]))
  expected.forEach((is, i) => {
    const said = new Set(predicted[i])
    for (const label of new Set([...is, ...said])) {
      const counts = decisions.get(label)
      if (!counts) continue
      if (!said.has(label)) counts.falseNegatives++
      else if (is.includes(label)) counts.truePositives++
      else counts.falsePositives++
    }
  })
  return f1Report([...decisions])
}

export const nothing = (): DecisionCounts => ({
  truePositives: 0,
  falsePositives: 0,
  falseNegatives: 0,
})

export function f1Report(decisions: readonly (readonly [string, DecisionCounts])[]): F1Report {
  const perClass = decisions.map(([label, counts]) => [label, precisionRecall(counts)] as const)
  const scores = perClass.map(([, score]) => score)
  const support = scores.reduce((sum, score) => sum + score.support, 0)
  const mean = (weightOf: (score: PrecisionRecall) => number): PrecisionRecall => {
    const of = (key: 'precision' | 'recall' | 'f1'): number =>
      scores.reduce((sum, score) => sum + weightOf(score) * score[key], 0)
    return { precision: of('precision'), recall: of('recall'), f1: of('f1'), support }
  }
  const together = decisions.reduce((sum, [, counts]) => {
    sum.truePositives += counts.truePositives
    sum.falsePositives += counts.falsePositives
    sum.falseNegatives += counts.falseNegatives
    return sum
  }, nothing())
  return {
    perClass: Object.fromEntries(perClass),
    micro: precisionRecall(together),
    macro: mean(() => 1 / Math.max(1, scores.length)),
    weighted: mean((score) => (support === 0 ? 0 : score.support / support)),
  }
}

function precisionRecall({
  truePositives,
  falsePositives,
  falseNegatives,
}: DecisionCounts): PrecisionRecall {
  const ratio = (part: number, total: number): number => (total === 0 ? 0 : part / total)
  return {
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, truePositives + falseNegatives),
    f1: ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    support: truePositives + falseNegatives,
  }
}
