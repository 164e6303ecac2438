import { HeedError } from '../util/errors.ts'

/** How often each class was taken for each. */
export interface Confusion {
  readonly labels: readonly string[]
  /** Rows: what is; columns: what was said. */
  readonly counts: readonly (readonly number[])[]
}

/** @throws HeedError for lists of different lengths, and labels that are not among `labels` */
export function confusionMatrix(
  expected: readonly string[],
  predicted: readonly string[],
  labels: readonly string[] = [...new Set([...expected, ...predicted])].sort(),
): Confusion {
  checkPairs(expected, predicted)
  const places = new Map(labels.map((label, i) => [label, i]))
  const placeOf = (label: string): number => {
    const place = places.get(label)
    if (place !== undefined) return place
    throw new HeedError('invalid-option', `the label '${label}' is none of ${labels.join(', ')}`)
  }
  const counts = labels.map(() => labels.map(() => 0))
  for (const [i, label] of expected.entries()) counts[placeOf(label)][placeOf(predicted[i])]++
  return { labels, counts }
}

/** The share of pairs that are the same. NaN for none. */
export function accuracy<T>(expected: readonly T[], predicted: readonly T[]): number {
  checkPairs(expected, predicted)
  return expected.filter((one, i) => one === predicted[i]).length / expected.length
}

export function checkPairs(expected: readonly unknown[], predicted: readonly unknown[]): void {
  if (expected.length === predicted.length) return
  const counts = `${expected.length} expected, ${predicted.length} predicted`
  throw new HeedError('invalid-option', `there must be as many predictions as answers: ${counts}`)
}
