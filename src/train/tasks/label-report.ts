import type { Evaluation } from '../task.ts'

export interface LabelResults {
  labels: readonly string[]
  multiLabel: boolean
  /** The probability of each label, by example. */
  scores: readonly (readonly number[])[]
  /** The numbers of the labels that are right. */
  expected: readonly (readonly number[])[]
  texts: readonly string[]
  show: number
}

/** How often labels are right. Of several labels a text, each is told by itself at one half. */
export function evaluateLabels(results: LabelResults): Evaluation {
  const { labels, multiLabel, scores, expected, texts, show } = results
  const predicted = scores.map((own) =>
    multiLabel
      ? own.flatMap((score, i) => (score > 0.5 ? [i] : []))
      : [own.indexOf(Math.max(...own))],
  )
  const right = predicted.map((mine, i) => sameSet(mine, expected[i]))
  const f1s = labels.map((_, label) => f1(label, predicted, expected))
  const met = f1s.filter((value) => !Number.isNaN(value)) // labels that nobody has or says count for nothing
  const named = labels.length <= 12 ? labels.map((label, i) => [`f1_${label}`, f1s[i]]) : []
  const loss = scores.reduce((sum, own, i) => sum + lossOf(own, expected[i], multiLabel), 0)
  const metrics = {
    loss: loss / scores.length,
    accuracy: right.filter(Boolean).length / right.length,
    f1: met.reduce((a, b) => a + b, 0) / met.length,
    ...Object.fromEntries(named.filter(([, value]) => !Number.isNaN(value))),
  }
  const names = (list: readonly number[]): string => list.map((i) => labels[i]).join(', ')
  const examples = texts.slice(0, show).map((input, i) => ({
    input,
    expected: names(expected[i]),
    predicted: names(predicted[i]),
    right: right[i],
  }))
  if (multiLabel) return { metrics, examples }
  const counts = labels.map(() => labels.map(() => 0))
  predicted.forEach(([mine], i) => {
    counts[expected[i][0]][mine]++
  })
  return { metrics, confusion: { labels, counts }, examples }
}

function f1(
  label: number,
  predicted: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
): number {
  let [hits, said, is] = [0, 0, 0]
  predicted.forEach((mine, i) => {
    if (mine.includes(label)) said++
    if (expected[i].includes(label)) is++
    if (mine.includes(label) && expected[i].includes(label)) hits++
  })
  return said + is === 0 ? Number.NaN : (2 * hits) / (said + is)
}

function lossOf(scores: readonly number[], expected: readonly number[], each: boolean): number {
  const log = (p: number): number => -Math.log(Math.max(p, 1e-12))
  if (!each) return log(scores[expected[0]])
  const losses = scores.map((p, i) => log(expected.includes(i) ? p : 1 - p))
  return losses.reduce((a, b) => a + b, 0) / losses.length
}

const sameSet = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((one) => b.includes(one))
