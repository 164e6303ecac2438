import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type TokenizerProgress, trainTokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { heedError } from '../support/heed-error.ts'
import { chapters, MIXED } from './samples.ts'

const book = chapters(12)
const bpe = trainTokenizer(book, { type: 'bpe', vocabSize: 1000 })
const chars = trainTokenizer([...book, MIXED], { type: 'char' })

describe('byte-level BPE', () => {
  it('gives back any text', () => {
    expect(bpe.decode(bpe.encode(MIXED))).toBe(MIXED)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(bpe.decode(bpe.encode(text))).toBe(text)
      }),
    )
  })

  it('learns words of the text and keeps all bytes', () => {
    expect(bpe.vocabSize).toBe(1000)
    expect(bpe.idToToken(0)).toBe('<|endoftext|>')
    expect(bpe.eosTokenId).toBe(0)
    expect(bpe.encode(' the whale').length).toBeLessThanOrEqual(4)
    expect(bpe.encode(book[0]).length).toBeLessThan(book[0].length / 2)
  })

  it('learns the same merges from the same words in any order', () => {
    const again = trainTokenizer([...book].reverse(), { type: 'bpe', vocabSize: 1000 })
    expect(again.toJSON()).toEqual(bpe.toJSON())
  })

  // the merges that Python's tokenizers 0.23 learns from this text (BpeTrainer, min_frequency=2)
  it('breaks ties as the reference trainer does', () => {
    const text = 'aaaa aaaa abab abab bcbc bcbc aaabc aaabc 1111111 1111111'
    const tokenizer = trainTokenizer([text], { type: 'bpe', vocabSize: 280 })
    expect(tokenizer.toJSON().model.merges).toEqual(TIED_MERGES)
  })

  it('counts what overlaps once', () => {
    const tokenizer = trainTokenizer(['aaaaaaa aaaaaaa'], { type: 'bpe', vocabSize: 258 })
    expect(tokenizer.toJSON().model.merges).toEqual(['a a'])
    expect(tokenizer.encode('aaaaa').map((id) => tokenizer.idToToken(id))).toEqual([
      'aa',
      'aa',
      'a',
    ])
  })

  it('stops where the text has no more to give', () => {
    const small = trainTokenizer(['one two one two'], { type: 'bpe', vocabSize: 4096 })
    expect(small.vocabSize).toBeLessThan(300)
    expect(small.decode(small.encode(MIXED))).toBe(MIXED)
  })

  it('writes the special token as itself and leaves it out on request', () => {
    const ids = bpe.encode('one<|endoftext|>two')
    expect(ids.filter((id) => id === bpe.eosTokenId)).toHaveLength(1)
    expect(bpe.decode(ids)).toBe('one<|endoftext|>two')
    expect(bpe.decode(ids, { skipSpecialTokens: true })).toBe('onetwo')
  })

  it('reports its progress to the end', () => {
    const seen: TokenizerProgress[] = []
    trainTokenizer(book, { type: 'bpe', vocabSize: 600, onProgress: (p) => seen.push(p) })
    expect(seen.filter((p) => p.stage === 'count')).toHaveLength(book.length)
    expect(seen.at(-1)).toEqual({ stage: 'merge', done: 600, total: 600 })
  })

  it('refuses sizes that hold no bytes, and text that is not there', () => {
    for (const vocabSize of [0, 256, 300.5, Number.NaN, 1e9]) {
      expect(() => trainTokenizer(book, { type: 'bpe', vocabSize })).toThrow(HeedError)
    }
    expect(() => trainTokenizer([], { type: 'bpe', vocabSize: 300 })).toThrow(
      heedError('invalid-data', { key: 'texts' }),
    )
    expect(() => trainTokenizer([''], { type: 'char' })).toThrow(
      heedError('invalid-data', { key: 'texts' }),
    )
  })
})

describe('character level', () => {
  it('has one token a character and gives the text back', () => {
    const ids = chars.encode(MIXED)
    expect(ids).toHaveLength([...MIXED].length)
    expect(chars.decode(ids)).toBe(MIXED)
    expect(chars.vocabSize).toBe(new Set([...book.join(''), ...MIXED]).size + 1)
  })

  it('knows the unknown', () => {
    expect(chars.encode('a༄b')).toEqual([
      chars.tokenToId('a'),
      chars.unkTokenId,
      chars.tokenToId('b'),
    ])
    expect(chars.decode(chars.encode('a༄b'), { skipSpecialTokens: true })).toBe('ab')
    expect(chars.decode(chars.encode('\ud800'))).toBe('<unk>')
  })

  it('keeps the most frequent characters of a limited vocabulary', () => {
    const tokenizer = trainTokenizer(['zzzz yyy xx w'], { type: 'char', vocabSize: 4 })
    expect([1, 2, 3].map((id) => tokenizer.idToToken(id))).toEqual([' ', 'y', 'z'])
    expect(tokenizer.vocabSize).toBe(4)
  })

  it('takes half characters for no characters', () => {
    const tokenizer = trainTokenizer(['a\ud800b\udc00'], { type: 'char' })
    expect(tokenizer.vocabSize).toBe(3)
  })
})

const TIED_MERGES =
  '1 1|a a|a b|b c|11 11|Ġ aa|Ġ ab|Ġ bc|Ġ 1111|11 1|ab c|Ġaa abc|Ġab ab|Ġbc bc|Ġ1111 111'.split('|')

it.each(['bpe', 'wordpiece', 'unigram'] as const)(
  '%s has a special token once, also if it is named again',
  (type) => {
    const text = ['to be or not to be '.repeat(20)]
    const own = trainTokenizer(text, { type, vocabSize: 300 })
    const [token] = (own.toJSON().added_tokens ?? []).map(({ content }) => content)
    const again = trainTokenizer(text, { type, vocabSize: 300, specialTokens: [token] })
    expect(again.toJSON()).toEqual(own.toJSON())
  },
)
