// chrF (Popović, 2015) and chrF++ (2017) as in sacrebleu.
import { argumentKinds } from '../util/argument-kinds.ts'
import { optionKinds } from '../util/options.ts'
import { countNgrams, sharedNgrams, splitWords } from './ngrams.ts'
import { corpusScore, type References, referenceList, type TextMetric } from './text-metric.ts'

/** Options of `chrf`. */
export interface ChrfOptions {
  /** Maximum length of character n-grams. Default 6. */
  charOrder?: number
  /** Maximum length of word n-grams: 0 for chrF, 2 for chrF++. Default 0. */
  wordOrder?: number
  /** Weight of recall relative to precision. Default 2. */
  beta?: number
  /** Ignore case. Default false. */
  lowercase?: boolean
}

/** Corpus F-score of character n-grams without white space, from 0 to 100 (chrF; Popović, 2015). */
export function chrf(
  hypotheses: readonly string[],
  references: readonly References[],
  options?: ChrfOptions,
): number {
  return corpusScore(chrfMetric(options), hypotheses, references)
}

const checkChrfMetric = argumentKinds('chrfMetric', {
  options: optionKinds<ChrfOptions>({
    charOrder: 'size?',
    wordOrder: 'count?',
    beta: 'number?',
    lowercase: 'flag?',
  }),
})

/** ChrF as a TextMetric. Counts for each order: n-grams of the text, of the reference, and shared ones. */
export function chrfMetric(options: ChrfOptions = {}): TextMetric {
  checkChrfMetric(options)
  const { charOrder = 6, wordOrder = 0, beta = 2, lowercase = false } = options
  const score = (counts: readonly number[]): number => fScore(counts, beta)
  const ngrams = (text: string): Map<string, number>[] => {
    const words = splitWords(lowercase ? text.toLowerCase() : text)
    const runs = (items: readonly string[], order: number, separator: string) =>
      Array.from({ length: order }, (_, n) => countNgrams(items, n + 1, separator))
    const characters = runs([...words.join('')], charOrder, '')
    return wordOrder > 0
      ? [...characters, ...runs(words.flatMap(signsApart), wordOrder, ' ')]
      : characters
  }
  return {
    name: `chrF${beta}${'+'.repeat(wordOrder)}`,
    count(hypothesis, references) {
      const counted = ngrams(hypothesis)
      const all = referenceList(references).map((reference) => compared(counted, ngrams(reference)))
      return all.reduce((best, counts) => (score(counts) > score(best) ? counts : best))
    },
    score,
  }
}

function compared(text: Map<string, number>[], reference: Map<string, number>[]): number[] {
  return text.flatMap((counts, i) => {
    const total = sum(reference[i])
    return [total > 0 ? sum(counts) : 0, total, sharedNgrams(counts, reference[i])]
  })
}

/** (1 + β²)·P·R / (β²·P + R), with P and R averaged over the orders for which both texts are long enough. */
function fScore(counts: readonly number[], beta: number): number {
  let [precision, recall, orders] = [0, 0, 0]
  for (let i = 0; i < counts.length; i += 3) {
    const [ofText, ofReference, shared] = counts.slice(i, i + 3)
    if (ofText === 0 || ofReference === 0) continue
    precision += shared / ofText
    recall += shared / ofReference
    orders++
  }
  if (precision + recall === 0) return 0
  const factor = beta ** 2
  return (100 * (1 + factor) * precision * recall) / ((factor * precision + recall) * orders)
}

/** Splits a punctuation mark from the end of a word, otherwise from its start. */
function signsApart(word: string): string[] {
  const letters = [...word]
  if (letters.length === 1) return [word]
  const [first, ...rest] = letters
  const last = letters.pop() as string
  if (PUNCTUATION.test(last)) return [letters.join(''), last]
  return PUNCTUATION.test(first) ? [first, rest.join('')] : [word]
}

const PUNCTUATION = /^[!-/:-@[-`{-~]$/u

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of counts.values()) total += count
  return total
}
