import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'

/** The reference of a text, or a list of alternative references. */
export type References = string | readonly string[]

/**
 * A corpus metric, defined as a function of counts that are summed over the texts. Bootstrap samples can thus be scored
 * without counting again.
 */
export interface TextMetric {
  /** The name in reports, such as `BLEU`. */
  readonly name: string
  /** Counts of one text. Their number is fixed. */
  count(hypothesis: string, references: References): number[]
  /** Score of the summed counts, from 0 to 100. */
  score(counts: readonly number[]): number
}

const checkCorpusScore = argumentKinds('corpusScore', {
  metric: optionKinds<TextMetric>({ name: 'text', count: 'function', score: 'function' }),
  hypotheses: 'texts',
  references: 'list',
})

/** Corpus score of all texts, from 0 to 100. @throws HeedError unless each text has a reference */
export function corpusScore(
  metric: TextMetric,
  hypotheses: readonly string[],
  references: readonly References[],
): number {
  checkCorpusScore(metric, hypotheses, references)
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
      `\`references\` must have one entry per text, at least 1, got ${references.length} for ${hypotheses.length} texts`,
      { key: 'references', value: references.length, remedy: 'Pass a reference for each text.' },
    )
}

/** @throws HeedError if there is no reference */
export function referenceList(references: References): readonly string[] {
  checkArgument('references', 'reference', references, 'textOrList')
  const list = typeof references === 'string' ? [references] : references
  if (list.length === 0)
    throw new HeedError('invalid-option', 'Each text must have at least one reference, got none', {
      key: 'references',
      value: 0,
      remedy: 'Pass a reference for each text.',
    })
  return list
}
