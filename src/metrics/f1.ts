import type { Confusion } from './confusion.ts'

/** How well one class, or several together, are found. Each is 0 where it would be 0/0. */
export interface PrecisionRecall {
  /** Of what was called so, the share that is. */
  precision: number
  /** Of what is, the share that was called so. */
  recall: number
  /** Their harmonic mean. */
  f1: number
  /** How many there are. */
  support: number
}

export interface F1Report {
  perClass: Record<string, PrecisionRecall>
  /** All decisions together. */
  micro: PrecisionRecall
  /** The mean over classes, each counting the same. */
  macro: PrecisionRecall
  /** The mean over classes, each counting by its support. */
  weighted: PrecisionRecall
}

/** What was found of one class: right, wrong and missed. */
export interface Found {
  truePositives: number
  falsePositives: number
  falseNegatives: number
}

/** Of a confusion matrix, for single labels: micro-averaged F1 is then the accuracy. */
export function f1FromConfusion({ labels, counts }: Confusion): F1Report {
  return f1Report(
    labels.map((label, i) => {
      const row = counts[i].reduce((a, b) => a + b, 0)
      const column = counts.reduce((sum, one) => sum + one[i], 0)
      const right = counts[i][i]
      return [
        label,
        { truePositives: right, falsePositives: column - right, falseNegatives: row - right },
      ]
    }),
  )
}

/** Of several labels for each example: lists of those that are, and of those that were said. */
export function f1FromSets(
  expected: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  labels: readonly string[] = [...new Set([...expected, ...predicted].flat())].sort(),
): F1Report {
  const found = new Map(labels.map((label) => [label, nothing()]))
  expected.forEach((is, i) => {
    const said = new Set(predicted[i])
    for (const label of new Set([...is, ...said])) {
      const one = found.get(label)
      if (!one) continue
      if (!said.has(label)) one.falseNegatives++
      else if (is.includes(label)) one.truePositives++
      else one.falsePositives++
    }
  })
  return f1Report([...found])
}

export const nothing = (): Found => ({ truePositives: 0, falsePositives: 0, falseNegatives: 0 })

export function f1Report(found: readonly (readonly [string, Found])[]): F1Report {
  const perClass = found.map(([label, one]) => [label, precisionRecall(one)] as const)
  const scores = perClass.map(([, score]) => score)
  const support = scores.reduce((sum, score) => sum + score.support, 0)
  const mean = (weightOf: (score: PrecisionRecall) => number): PrecisionRecall => {
    const of = (key: 'precision' | 'recall' | 'f1'): number =>
      scores.reduce((sum, score) => sum + weightOf(score) * score[key], 0)
    return { precision: of('precision'), recall: of('recall'), f1: of('f1'), support }
  }
  const together = found.reduce((sum, [, one]) => {
    sum.truePositives += one.truePositives
    sum.falsePositives += one.falsePositives
    sum.falseNegatives += one.falseNegatives
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
}: Found): PrecisionRecall {
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  return {
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, truePositives + falseNegatives),
    f1: ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    support: truePositives + falseNegatives,
  }
}
