// chrF (Popović, 2015) and chrF++ (2017), counted as sacrebleu does.
import { countNgrams, sharedNgrams, splitWords } from './ngrams.ts'
import { corpusScore, type References, referenceList, type TextMetric } from './text-metric.ts'

export interface ChrfOptions {
  /** Longest run of characters. Default 6. */
  charOrder?: number
  /** Longest run of words: 0 is chrF, 2 is chrF++. Default 0. */
  wordOrder?: number
  /** How much more recall counts than precision. Default 2. */
  beta?: number
  lowercase?: boolean
}

/** The corpus' F-score of runs of characters, 0 to 100. White space does not count. */
export function chrf(
  hypotheses: readonly string[],
  references: readonly References[],
  options?: ChrfOptions,
): number {
  return corpusScore(chrfMetric(options), hypotheses, references)
}

/** Counts of each order: n-grams of the text, of the reference, and of both. */
export function chrfMetric({
  charOrder = 6,
  wordOrder = 0,
  beta = 2,
  lowercase = false,
}: ChrfOptions = {}): TextMetric {
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
      const own = ngrams(hypothesis)
      const all = referenceList(references).map((reference) => compared(own, ngrams(reference)))
      return all.reduce((best, counts) => (score(counts) > score(best) ? counts : best))
    },
    score,
  }
}

function compared(own: Map<string, number>[], other: Map<string, number>[]): number[] {
  return own.flatMap((counts, i) => {
    const wanted = sum(other[i])
    return [wanted > 0 ? sum(counts) : 0, wanted, sharedNgrams(counts, other[i])]
  })
}

/** (1 + β²)·P·R / (β²·P + R) of the means over the orders that both sides are long enough for. */
function fScore(counts: readonly number[], beta: number): number {
  let [precision, recall, orders] = [0, 0, 0]
  for (let i = 0; i < counts.length; i += 3) {
    const [own, wanted, shared] = counts.slice(i, i + 3)
    if (own === 0 || wanted === 0) continue
    precision += shared / own
    recall += shared / wanted
    orders++
  }
  if (precision + recall === 0) return 0
  const factor = beta ** 2
  return (100 * (1 + factor) * precision * recall) / ((factor * precision + recall) * orders)
}

/** A sign at the end of a word, or else at its beginning, is a word of its own. */
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
