// Scores of texts against what sacrebleu and rouge-score count (scripts/fixtures/metrics.py).
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readJsonObject } from '../../src/io/files/json.ts'
import {
  bleu,
  bleuMetric,
  chrf,
  chrfMetric,
  corpusScore,
  pairedBootstrap,
  rouge,
  rougeOf,
  tokenize13a,
} from '../../src/metrics/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'

interface Pair {
  hypothesis: string
  reference: string
  other: string
  bleu: number
  chrf: number
  'chrf++': number
  rouge1: number[]
  rouge2: number[]
  rougeL: number[]
}

const fixture = (await readJsonObject(join(FIXTURES, 'metrics.json'))) as unknown as {
  pairs: Pair[]
  corpus: Record<string, number>
  rouge: Record<'rouge1' | 'rouge2' | 'rougeL', number[]>
  cases: { hypotheses: string[]; references: string[]; bleu: number }[]
}
const { pairs, corpus, cases } = fixture
const hypotheses = pairs.map(({ hypothesis }) => hypothesis)
const references = pairs.map(({ reference }) => reference)
const both = pairs.map(({ reference, other }) => [reference, other])

const metrics = {
  bleu: bleuMetric(),
  'bleu lowercase': bleuMetric({ lowercase: true }),
  chrf: chrfMetric(),
  'chrf++': chrfMetric({ wordOrder: 2 }),
  'chrf beta 1': chrfMetric({ beta: 1 }),
}

describe('BLEU and chrF', () => {
  it.each(Object.entries(metrics))(
    '%s of the corpus, with one and two references',
    (name, metric) => {
      expect(corpusScore(metric, hypotheses, references)).toBeCloseTo(
        corpus[`${name}, one reference`],
        4,
      )
      expect(corpusScore(metric, hypotheses, both)).toBeCloseTo(corpus[`${name}, two reference`], 4)
    },
  )

  it('of each sentence', () => {
    const single = {
      bleu: bleuMetric({ effectiveOrder: true }),
      chrf: chrfMetric(),
      'chrf++': chrfMetric({ wordOrder: 2 }),
    }
    for (const pair of pairs)
      for (const name of ['bleu', 'chrf', 'chrf++'] as const) {
        const score = corpusScore(single[name], [pair.hypothesis], [pair.reference])
        expect(score, `${name} of '${pair.hypothesis}'`).toBeCloseTo(pair[name], 4)
      }
  })

  it('where an order has no n-grams, or no match', () => {
    for (const one of cases) expect(bleu(one.hypotheses, one.references)).toBeCloseTo(one.bleu, 4)
    expect(chrf(['same text'], ['same text'])).toBeCloseTo(100, 10)
    expect(bleu(['nothing of it'], ['quite another one'])).toBe(0)
  })

  it('13a leaves numbers and words with signs in them whole', () => {
    expect(tokenize13a('It cost $3,000.50 (2-3 days), x&quot;y.')).toEqual(
      ['It', 'cost', '$', '3,000.50', '(', '2', '-', '3', 'days', ')', ',', 'x', '"', 'y', '.'], // biome-ignore format: tokens
    )
  })

  it('want a reference for each text', () => {
    expect(() => bleu(['a'], ['a', 'b'])).toThrow(
      heedError('invalid-option', { key: 'references', value: 2, mentions: '1 texts' }),
    )
    expect(() => chrf([], [])).toThrow(
      heedError('invalid-option', { key: 'references', value: 0, mentions: '0 texts' }),
    )
    expect(() => bleu(['a'], [[]])).toThrow(
      heedError('invalid-option', { key: 'references', value: 0 }),
    )
  })
})

describe('ROUGE', () => {
  const values = ({ precision, recall, f1 }: Record<string, number>): number[] => [precision, recall, f1] // biome-ignore format: one line

  it('of each text', () => {
    for (const pair of pairs) {
      const found = rougeOf(pair.hypothesis, pair.reference)
      for (const name of ['rouge1', 'rouge2', 'rougeL'] as const)
        values({ ...found[name] }).forEach((x, i) => {
          expect(x, `${name} of '${pair.hypothesis}'`).toBeCloseTo(pair[name][i], 5)
        })
    }
  })

  it('of the corpus, and the better one of two references', () => {
    const found = rouge(hypotheses, references)
    for (const name of ['rouge1', 'rouge2', 'rougeL'] as const)
      values({ ...found[name] }).forEach((x, i) => {
        expect(x).toBeCloseTo(fixture.rouge[name][i], 5)
      })
    expect(rougeOf('a b c', ['x y', 'a b d'])).toEqual(rougeOf('a b c', 'a b d'))
  })
})

describe('the paired bootstrap test', () => {
  const worse = references.map((text, i) => (i % 2 === 0 ? hypotheses[i] : text))

  it('tells a better system from the same one', () => {
    const better = pairedBootstrap(chrfMetric(), [hypotheses, worse], references, { samples: 300 })
    expect(better.difference).toBeCloseTo(better.scores[1] - better.scores[0], 10)
    expect(better.pValue).toBeLessThan(0.01)
    expect(better.interval[0]).toBeGreaterThan(0)
    const same = pairedBootstrap(chrfMetric(), [worse, worse], references, { samples: 50 })
    expect(same).toMatchObject({ difference: 0, pValue: 1 })
  })

  it('is not sure of what a few texts say', () => {
    const one = [...hypotheses]
    one[20] = references[20]
    const { pValue } = pairedBootstrap(bleuMetric(), [hypotheses, one], references, {
      samples: 300,
      seed: 4,
    })
    expect(pValue).toBeGreaterThan(0.05)
  })
})
