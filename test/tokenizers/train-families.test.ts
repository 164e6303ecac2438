import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { parseTokenizerSpec, type Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { Lattices } from '../../src/tokenizers/train/lattices.ts'
import { heedError } from '../support/heed-error.ts'
import { chapters, MIXED } from './samples.ts'

const book = chapters(12)
const plain = { addSpecialTokens: false }
const tokensOf = (tokenizer: Tokenizer, text: string) =>
  tokenizer.encode(text, plain).map((id) => tokenizer.idToToken(id))

describe('WordPiece', () => {
  const wordpiece = trainTokenizer(book, { type: 'wordpiece', vocabSize: 1000 })

  it('has the size, the special tokens and the words of the text', () => {
    expect(wordpiece.vocabSize).toBe(1000)
    expect([wordpiece.padTokenId, wordpiece.unkTokenId, wordpiece.maskTokenId]).toEqual([0, 1, 4])
    expect(tokensOf(wordpiece, 'The WHALE said')).toEqual(['the', 'whale', 'said'])
  })

  it('cuts other words in pieces that continue', () => {
    const [first, ...rest] = tokensOf(wordpiece, 'unwhalingly')
    expect(first).not.toMatch(/^##/)
    expect(rest.length).toBeGreaterThan(0)
    for (const token of rest) expect(token).toMatch(/^##./)
    expect(wordpiece.decode(wordpiece.encode('unwhalingly', plain))).toBe('unwhalingly')
  })

  it('learns pieces by what joins most often, whatever the order of the texts', () => {
    const small = { type: 'wordpiece', vocabSize: 12, minFrequency: 1 } as const
    const { vocab } = trainTokenizer(['abc abc dbc'], small).toJSON().model
    // 'a', 'b', 'c', 'd' and what stands inside words; then ##b ##c is most frequent
    expect(Object.keys(vocab as object).slice(5)).toEqual([
      'a',
      'b',
      'c',
      'd',
      '##b',
      '##c',
      '##bc',
    ])
    const again = trainTokenizer([...book].reverse(), { type: 'wordpiece', vocabSize: 1000 })
    expect(again.toJSON()).toEqual(wordpiece.toJSON())
  })

  it('keeps case and accents on request, and only so many characters', () => {
    const cased = trainTokenizer(['Née Née NÉE'], {
      type: 'wordpiece',
      lowercase: false,
      vocabSize: 40,
    })
    expect(tokensOf(cased, 'Née')).toEqual(['Née'])
    const few = trainTokenizer(['aaa aab abz'], {
      type: 'wordpiece',
      limitAlphabet: 2,
      minFrequency: 1,
      vocabSize: 20,
    })
    expect(tokensOf(few, 'ab z')).toEqual(['ab', '[UNK]'])
    expect(() => trainTokenizer(book, { type: 'wordpiece', vocabSize: 30 })).toThrow(
      heedError('invalid-option', { key: 'vocabSize', value: 30 }),
    )
  })
})

describe('Unigram', () => {
  const unigram = trainTokenizer(book, { type: 'unigram', vocabSize: 1000 })
  const entries = unigram.toJSON().model.vocab as [string, number][]

  it('has the size, the special tokens and the words of the text', () => {
    expect(unigram.vocabSize).toBe(1000)
    expect([unigram.padTokenId, unigram.eosTokenId, unigram.unkTokenId]).toEqual([0, 1, 2])
    expect(tokensOf(unigram, 'the whale said')).toEqual(['▁the', '▁whale', '▁said'])
  })

  it('is a distribution over pieces, the likeliest first', () => {
    const scores = entries.slice(3).map(([, score]) => score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0)
    expect(sum).toBeGreaterThan(0.8)
    expect(sum).toBeLessThan(1.0001)
  })

  it('gives back its text, and writes it in fewer tokens than characters or BERT’s pieces', () => {
    const text = book[0].replaceAll(/\s+/g, ' ').trim()
    const ids = unigram.encode(text)
    expect(unigram.decode(ids)).toBe(text)
    expect(ids).not.toContain(unigram.unkTokenId)
    expect(ids.length).toBeLessThan(text.length / 2.5)
  })

  it('marks characters that it does not know, and leaves words around them whole', () => {
    const few = trainTokenizer([`${'sea '.repeat(40)}海sea ${'sea'.repeat(3)}`], {
      type: 'unigram',
      limitAlphabet: 4,
      vocabSize: 20,
    })
    expect(tokensOf(few, 'sea海')).toEqual(['▁sea', '<unk>'])
  })

  it('is the same whatever the order of the texts', () => {
    const texts = [MIXED, ...book.slice(0, 2)]
    const options = { type: 'unigram', vocabSize: 400 } as const
    const [one, two] = [texts, [...texts].reverse()].map((t) => trainTokenizer(t, options).toJSON())
    expect(two).toEqual(one)
  })
})

describe('the ways to cut a word', () => {
  const pieces = ['a', 'b', 'ab', 'ba', 'aba']
  const scores = [-1.5, -1.1, -2, -2.2, -2.9]
  const lattices = () =>
    new Lattices(
      new Map([
        ['abab', 3],
        ['ba', 2],
      ]),
      [...pieces],
      Float64Array.from(scores),
    )

  /** Every cut of a word, with its probability. */
  function cuts(word: string): { ids: number[]; p: number }[] {
    if (word === '') return [{ ids: [], p: 1 }]
    return pieces.flatMap((piece, id) =>
      word.startsWith(piece)
        ? cuts(word.slice(piece.length)).map(({ ids, p }) => ({
            ids: [id, ...ids],
            p: p * Math.exp(scores[id]),
          }))
        : [],
    )
  }

  it('are counted by their probability, as by listing them all', () => {
    const expected = pieces.map(() => 0)
    for (const [word, times] of [
      ['abab', 3],
      ['ba', 2],
    ] as const) {
      const all = cuts(word)
      const total = all.reduce((sum, { p }) => sum + p, 0)
      for (const { ids, p } of all) for (const id of ids) expected[id] += (times * p) / total
    }
    lattices()
      .expectedCounts()
      .forEach((count, id) => {
        expect(count).toBeCloseTo(expected[id], 10)
      })
  })

  it('have a likeliest one, also without the piece itself', () => {
    const best = cuts('abab').reduce((a, b) => (b.p > a.p ? b : a))
    expect(lattices().bestCounts()[best.ids[0]]).toBeGreaterThanOrEqual(3)
    expect(lattices().otherCut(4)).toEqual({ single: true, others: [2, 0] })
    expect(lattices().otherCut(0)).toEqual({ single: true, others: [] })
  })

  it('lose the pieces that are dropped', () => {
    const fewer = lattices()
    fewer.keep([0, 1, 3])
    expect(fewer.pieces).toEqual(['a', 'b', 'ba'])
    expect(fewer.otherCut(2)).toEqual({ single: true, others: [1, 0] })
    expect(fewer.expectedCounts()[2]).toBeGreaterThan(2.5)
  })
})

// GPT-2 writes ' chromatography' as chrom·atography and ' cytotoxicity' as cyt·ot·oxicity.
describe('a vocabulary of a domain', () => {
  const { resolve } = createRequire(import.meta.url)
  const file = join(resolve('@cspell/dict-medicalterms'), '../dict/medicalterms-en.txt.gz')
  const words = gunzipSync(readFileSync(file)).toString('utf8').split('\n')
  const list = words.map((word) => ` ${word}`).join('\n')

  it('keeps the words of medicine whole', () => {
    const medical = trainTokenizer([list], { type: 'bpe', vocabSize: 80_000, minFrequency: 1 })
    expect(tokensOf(medical, ' chromatography')).toEqual(['Ġchromatography'])
    expect(tokensOf(medical, ' cytotoxicity')).toEqual(['Ġcytotoxicity'])
  })
})

it('specs name the families', () => {
  expect(parseTokenizerSpec('wordpiece')).toEqual({ type: 'wordpiece', vocabSize: 4096 })
  expect(parseTokenizerSpec('unigram:8000')).toEqual({ type: 'unigram', vocabSize: 8000 })
  expect(() => parseTokenizerSpec('unigram:x')).toThrow(
    heedError('invalid-option', { remedy: 'unigram:4096' }),
  )
})
