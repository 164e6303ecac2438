// BLEU (Papineni et al., 2002) as in sacrebleu (Post, 2018): mteval-v13a tokenization, exponential smoothing.
import { argumentKinds } from '../util/argument-kinds.ts'
import { optionKinds } from '../util/options.ts'
import { countNgrams, sharedNgrams, splitWords } from './ngrams.ts'
import { corpusScore, type References, referenceList, type TextMetric } from './text-metric.ts'

/** Options of `bleu`. */
export interface BleuOptions {
  /**
   * Use only n-gram orders for which the texts are long enough; for sentence-level scores. Default false.
   */
  effectiveOrder?: boolean
  /** Ignore case. Default false. */
  lowercase?: boolean
}

/** Corpus BLEU from 0 to 100, over n-grams of 1 to 4 words (Papineni et al., 2002). */
export function bleu(
  hypotheses: readonly string[],
  references: readonly References[],
  options?: BleuOptions,
): number {
  return corpusScore(bleuMetric(options), hypotheses, references)
}

const checkBleuMetric = argumentKinds('bleuMetric', {
  options: optionKinds<BleuOptions>({ effectiveOrder: 'flag?', lowercase: 'flag?' }),
})

/** BLEU as a TextMetric. Counts: length, length of the closest reference, matches and n-grams of each order. */
export function bleuMetric(options: BleuOptions = {}): TextMetric {
  checkBleuMetric(options)
  const { effectiveOrder = false, lowercase = false } = options
  const tokens = (text: string): string[] => tokenize13a(lowercase ? text.toLowerCase() : text)
  return {
    name: 'BLEU',
    count(hypothesis, references) {
      const words = tokens(hypothesis)
      const others = referenceList(references).map(tokens)
      const totals = ORDERS.map((n) => Math.max(0, words.length - n + 1))
      const matches = ORDERS.map((n) =>
        sharedNgrams(countNgrams(words, n, ' '), mostOf(others.map((r) => countNgrams(r, n, ' ')))),
      )
      return [words.length, nearest(words.length, others), ...matches, ...totals]
    },
    score: ([length, referenceLength, ...counts]) =>
      bleuOf(length, referenceLength, counts.slice(0, 4), counts.slice(4), effectiveOrder),
  }
}

const ORDERS = [1, 2, 3, 4]

/** BP · exp(mean of ln pₙ), with BP = exp(1 - r/c) if the texts are shorter than their references. */
function bleuOf(
  length: number,
  referenceLength: number,
  matches: readonly number[],
  totals: readonly number[],
  effectiveOrder: boolean,
): number {
  if (matches.every((count) => count === 0)) return 0
  const penalty = length < referenceLength ? Math.exp(1 - referenceLength / length) : 1
  let [sum, orders, smoothing] = [0, 4, 1]
  for (const [i, total] of totals.entries()) {
    if (total === 0) {
      if (!effectiveOrder) return 0 // the precision of no n-grams is 0
      break
    }
    if (effectiveOrder) orders = i + 1
    if (matches[i] === 0) smoothing *= 2 // exponential smoothing of zero counts
    sum += Math.log(matches[i] > 0 ? matches[i] / total : 1 / (smoothing * total))
  }
  return 100 * penalty * Math.exp(sum / orders)
}

/** The maximum count of each n-gram in any reference. */
function mostOf(counts: Map<string, number>[]): Map<string, number> {
  const [most, ...rest] = counts
  for (const other of rest)
    for (const [ngram, count] of other) most.set(ngram, Math.max(most.get(ngram) ?? 0, count))
  return most
}

/** The closest reference length; the shorter one if there are two. */
function nearest(length: number, references: readonly string[][]): number {
  const lengths = references.map((words) => words.length)
  return lengths.reduce((best, n) => {
    const nearer = Math.abs(n - length) - Math.abs(best - length)
    return nearer < 0 || (nearer === 0 && n < best) ? n : best
  })
}

const checkTokenize13a = argumentKinds('tokenize13a', { text: 'text' })

/** Splits words and punctuation like mteval-v13a, except for periods and commas within numbers. */
export function tokenize13a(text: string): string[] {
  checkTokenize13a(text)
  let line = text
    .trimEnd()
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
  line = ` ${line} `
  for (const [pattern, replacement] of SIGNS) line = line.replace(pattern, replacement)
  return splitWords(line)
}

const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/([{-~[-` -&(-+:-@/])/gu, ' $1 '],
  [/([^0-9])([.,])/gu, '$1 $2 '], // not after a digit
  [/([.,])([^0-9])/gu, ' $1 $2'], // not before a digit
  [/([0-9])(-)/gu, '$1 $2 '],
]
