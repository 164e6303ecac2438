// ROUGE (Lin, 2004) as in the rouge-score package, without its stemmer.
import { argumentKinds } from '../util/argument-kinds.ts'
import { countNgrams, sharedNgrams } from './ngrams.ts'
import { checkPairs, type References, referenceList } from './text-metric.ts'

/** Scores from 0 to 1. */
export interface RougeScore {
  /** Shared n-grams (ROUGE-L: words of the longest common subsequence), divided by those of the hypothesis. */
  precision: number
  /** Shared n-grams (ROUGE-L: words of the longest common subsequence), divided by those of the reference. */
  recall: number
  /** Harmonic mean of precision and recall. */
  f1: number
}

/** ROUGE-1, ROUGE-2 and ROUGE-L. */
export interface Rouge {
  /** Unigrams. */
  rouge1: RougeScore
  /** Bigrams. */
  rouge2: RougeScore
  /** Longest common subsequence. */
  rougeL: RougeScore
}

const checkRouge = argumentKinds('rouge', { hypotheses: 'texts', references: 'list' })

/**
 * Computes the mean ROUGE scores over all texts (Lin, 2004). If a text has several references, the one with the best F1
 * counts.
 * @throws HeedError for lists of different lengths
 */
export function rouge(hypotheses: readonly string[], references: readonly References[]): Rouge {
  checkRouge(hypotheses, references)
  checkPairs(hypotheses, references)
  const all = hypotheses.map((text, i) => rougeOf(text, references[i]))
  const mean = (name: keyof Rouge): RougeScore => {
    const average = (part: keyof RougeScore): number =>
      all.reduce((sum, scores) => sum + scores[name][part], 0) / all.length
    return { precision: average('precision'), recall: average('recall'), f1: average('f1') }
  }
  return { rouge1: mean('rouge1'), rouge2: mean('rouge2'), rougeL: mean('rougeL') }
}

const checkRougeOf = argumentKinds('rougeOf', { hypothesis: 'text', references: 'textOrList' })

/** Computes the ROUGE scores of one text. */
export function rougeOf(hypothesis: string, references: References): Rouge {
  checkRougeOf(hypothesis, references)
  const words = wordsOf(hypothesis)
  const all = referenceList(references).map((reference) => compared(words, wordsOf(reference)))
  const best = (name: keyof Rouge): RougeScore =>
    all.map((scores) => scores[name]).reduce((a, b) => (b.f1 > a.f1 ? b : a))
  return { rouge1: best('rouge1'), rouge2: best('rouge2'), rougeL: best('rougeL') }
}

function compared(words: readonly string[], reference: readonly string[]): Rouge {
  const ngrams = (n: number): RougeScore =>
    scoreOf(
      sharedNgrams(countNgrams(words, n, ' '), countNgrams(reference, n, ' ')),
      Math.max(0, words.length - n + 1),
      Math.max(0, reference.length - n + 1),
    )
  const common = commonLength(words, reference)
  return {
    rouge1: ngrams(1),
    rouge2: ngrams(2),
    rougeL: scoreOf(common, words.length, reference.length),
  }
}

function scoreOf(shared: number, ofText: number, ofReference: number): RougeScore {
  const precision = shared / Math.max(1, ofText)
  const recall = shared / Math.max(1, ofReference)
  const f1 = shared > 0 ? (2 * precision * recall) / (precision + recall) : 0
  return { precision, recall, f1 }
}

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let above = new Uint32Array(b.length + 1)
  for (const word of a) {
    const row = new Uint32Array(b.length + 1)
    for (let j = 1; j <= b.length; j++)
      row[j] = word === b[j - 1] ? above[j - 1] + 1 : Math.max(above[j], row[j - 1])
    above = row
  }
  return above[b.length]
}

/** Splits text into words of Latin letters and digits. */
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? []
