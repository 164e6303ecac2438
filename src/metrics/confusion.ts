import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'

/** A confusion matrix: the number of examples for each pair of true and predicted class. */
export interface Confusion {
  /** Names of the labels. */
  readonly labels: readonly string[]
  /** Rows: true class; columns: predicted class. */
  readonly counts: readonly (readonly number[])[]
}

const checkConfusionMatrix = argumentKinds('confusionMatrix', {
  expected: 'texts',
  predicted: 'texts',
  labels: 'texts?',
})

/**
 * Computes the confusion matrix.
 * @throws HeedError for lists of different lengths, and for labels that are not in `labels`
 */
export function confusionMatrix(
  expected: readonly string[],
  predicted: readonly string[],
  labels?: readonly string[],
): Confusion {
  checkConfusionMatrix(expected, predicted, labels)
  checkPairs(expected, predicted)
  const names = labels ?? [...new Set([...expected, ...predicted])].sort()
  const places = new Map(names.map((label, i) => [label, i]))
  const placeOf = (label: string): number => {
    const place = places.get(label)
    if (place !== undefined) return place
    throw new HeedError(
      'unknown-name',
      `A label must be one of ${names.join(', ')}, got '${label}'`,
      { key: 'labels', value: label, remedy: 'Add it to `labels`.' },
    )
  }
  const counts = names.map(() => names.map(() => 0))
  for (const [i, label] of expected.entries()) counts[placeOf(label)][placeOf(predicted[i])]++
  return { labels: names, counts }
}

const checkAccuracy = argumentKinds('accuracy', { expected: 'list', predicted: 'list' })

/** The fraction of correct predictions. NaN without examples. @throws HeedError for lists of different lengths */
export function accuracy<T>(expected: readonly T[], predicted: readonly T[]): number {
  checkAccuracy(expected, predicted)
  checkPairs(expected, predicted)
  return expected.filter((answer, i) => answer === predicted[i]).length / expected.length
}

export function checkPairs(expected: readonly unknown[], predicted: readonly unknown[]): void {
  if (expected.length === predicted.length) return
  throw new HeedError(
    'invalid-option',
    `\`predicted\` must have as many items as \`expected\` (${expected.length}), got ${predicted.length}`,
    { key: 'predicted', value: predicted.length, remedy: 'Pass one prediction per expected item.' },
  )
}
