import { HeedError } from '../util/errors.ts'

/** What a text should have been: one text, or several that are as good. */
export type References = string | readonly string[]

/**
 * A score of a corpus that is a function of counts, added up over its texts: so any sample of the
 * texts is scored without counting again.
 */
export interface TextMetric {
  readonly name: string
  /** Of one text; always as many numbers. */
  count(hypothesis: string, references: References): number[]
  /** Of the sums, 0 to 100. */
  score(counts: readonly number[]): number
}

/** The score of all texts together, 0 to 100. @throws HeedError unless there is a reference for each text */
export function corpusScore(
  metric: TextMetric,
  hypotheses: readonly string[],
  references: readonly References[],
): number {
  return metric.score(addCounts(countsOf(metric, hypotheses, references)))
}

export function countsOf(
  metric: TextMetric,
  hypotheses: readonly string[],
  references: readonly References[],
): number[][] {
  checkPairs(hypotheses, references)
  return hypotheses.map((text, i) => metric.count(text, references[i]))
}

export function addCounts(counts: readonly (readonly number[])[]): number[] {
  const sums = counts[0].map(() => 0)
  for (const row of counts) for (let i = 0; i < sums.length; i++) sums[i] += row[i]
  return sums
}

export function checkPairs(hypotheses: readonly string[], references: readonly References[]): void {
  if (hypotheses.length === 0 || hypotheses.length !== references.length)
    throw new HeedError(
      'invalid-option',
      `${hypotheses.length} texts to score against references for ${references.length}`,
      { remedy: 'Give at least one text, and what each should have been.' },
    )
}

/** @throws HeedError when there is none */
export function referenceList(references: References): readonly string[] {
  const list = typeof references === 'string' ? [references] : references
  if (list.length === 0)
    throw new HeedError('invalid-option', 'A text without a reference cannot be scored')
  return list
}
