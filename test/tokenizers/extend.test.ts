// Further pieces for a BPE tokenizer: ids of Python's tokenizers (scripts/fixtures/extended_tokenizers.py), and how the pieces
// of one tokenizer are found in another one.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  extendTokenizer,
  type Tokenizer,
  tokenizerExtender,
  tokenPieces,
  trainTokenizer,
} from '../../src/tokenizers/index.ts'
import { heedError } from '../support/heed-error.ts'
import { bpeFixtures, extendedFixture, sentences } from './extended.ts'

const expected = JSON.parse(
  readFileSync(new URL('../fixtures/extended-tokenizers.json', import.meta.url), 'utf8'),
)
const plain = { addSpecialTokens: false }

describe.each(bpeFixtures)('%s', (name) => {
  const { before, extended } = extendedFixture(name)

  it('has the ids of Python, and decodes to its texts', () => {
    const { size, last, ids, decoded } = expected[name]
    expect(extended.vocabSize).toBe(size)
    expect(last.map((_: string, i: number) => extended.idToToken(size - 10 + i))).toEqual(last)
    const encoded = sentences.filter((_, i) => i % 5 === 0).map((text) => extended.encode(text, plain)) // biome-ignore format: one line
    expect(encoded).toEqual(ids)
    expect(encoded.map((row) => extended.decode(row))).toEqual(decoded)
  })

  it('keeps the tokens and their ids, and needs fewer of them', () => {
    for (let id = 0; id < before.vocabSize; id++)
      expect(extended.idToToken(id)).toBe(before.idToToken(id))
    const count = (tokenizer: Tokenizer): number =>
      sentences.reduce((sum, text) => sum + tokenizer.encode(text, plain).length, 0)
    expect(count(extended)).toBeLessThan(0.9 * count(before))
  })

  it('cuts a text into pieces that the old tokenizer joins to the same tokens', () => {
    const pieces = tokenPieces(before, extended)
    for (let id = 0; id < before.vocabSize; id++) expect(pieces[id]).toEqual([id])
    for (const ids of pieces.slice(before.vocabSize)) expect(ids.length).toBeGreaterThan(1)
    for (const text of sentences.slice(0, 40)) {
      const expanded = extended.encode(text, plain).flatMap((id) => pieces[id])
      expect(expanded).toEqual(before.encode(text, plain))
    }
  })

  it('leaves a text without new pieces as it is', () => {
    const text = 'zz qq 77 xx'
    expect(extended.encode(text, plain)).toEqual(before.encode(text, plain))
  })
})

describe('extendTokenizer', () => {
  const bpe = trainTokenizer(['the cat sat on the mat. '.repeat(20)], { type: 'bpe', vocabSize: 270 }) // biome-ignore format: one line

  it('learns the same from texts that are added one at a time, and again after saving', () => {
    const options = { pieces: 20, onProgress: ({ done }: { done: number }) => void progress.push(done) } // biome-ignore format: one line
    const progress: number[] = []
    const extender = tokenizerExtender(bpe, options)
    for (const text of sentences) extender.add(text)
    const one = extender.finish()
    expect(progress.length).toBeGreaterThan(sentences.length - 1)
    expect(one.toJSON()).toEqual(extendTokenizer(bpe, sentences, { pieces: 20 }).toJSON())
    const twice = extendTokenizer(one, sentences, { pieces: 5 })
    expect(twice.vocabSize).toBe(bpe.vocabSize + 25)
    expect(twice.toJSON()).toEqual(extendTokenizer(bpe, sentences, { pieces: 25 }).toJSON())
  })

  it.each([
    ['unigram', trainTokenizer(sentences, { type: 'unigram', vocabSize: 200 })],
    ['wordpiece', trainTokenizer(sentences, { type: 'wordpiece', vocabSize: 300 })],
    ['characters', trainTokenizer(sentences, { type: 'char' })],
  ])('refuses a tokenizer of another kind: %s', (_, tokenizer) => {
    expect(() => extendTokenizer(tokenizer, sentences, { pieces: 3 })).toThrow(
      heedError('unsupported', { key: 'tokenizer', remedy: ['GPT-2', 'bpe:4096'] }),
    )
  })

  it('refuses more pieces than there are, and says how many', () => {
    const failing =
      (pieces: number, texts = ['a chromatogram, chromatography']) =>
      () =>
        extendTokenizer(bpe, texts, { pieces })
    const error = heedError('invalid-option', { key: 'pieces', value: 500 })
    expect(failing(500)).toThrow(error)
    const [most] = caught(failing(500)).details.try.pieces
    expect(failing(most)().vocabSize).toBe(bpe.vocabSize + most)
    expect(failing(most + 1)).toThrow(heedError('invalid-option', { key: 'pieces' }))
    expect(failing(2_000_000)).toThrow(heedError('invalid-option', { key: 'pieces' }))
    expect(failing(3, ['x y'])).toThrow(heedError('invalid-data', { key: 'pieces' }))
  })
})

// biome-ignore lint/suspicious/noExplicitAny: any error
function caught(run: () => unknown): any {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('tokenPieces', () => {
  const old = trainTokenizer(sentences, { type: 'bpe', vocabSize: 400 })
  const other = trainTokenizer(sentences.slice(100), { type: 'bpe', vocabSize: 420 })

  it('carries shared tokens over, and cuts others as the old tokenizer cuts their text', () => {
    const pieces = tokenPieces(old, other)
    let shared = 0
    pieces.forEach((ids, id) => {
      const token = String(other.idToToken(id))
      const same = old.tokenToId(token)
      if (same !== undefined) {
        shared++
        expect(ids).toEqual([same])
      } else if (!other.decode([id]).includes('\ufffd'))
        expect(ids).toEqual(old.encode(other.decode([id]), plain))
    })
    expect(shared).toBeGreaterThan(300)
    expect(shared).toBeLessThan(420)
  })

  it('finds tokens by their bytes, also parts of characters, and special tokens by their names', () => {
    const { before: spm } = extendedFixture('llama2')
    const pieces = tokenPieces(spm, old)
    const the = old.tokenToId('Ġthe') ?? -1
    expect(pieces[the]).toEqual([spm.tokenToId('▁the')])
    expect(pieces[old.eosTokenId ?? -1]).toEqual([spm.eosTokenId])
    const byte = old.encode('é', plain)[0]
    expect(old.tokenBytes(byte)).toEqual(Uint8Array.of(0xc3))
    expect(pieces[byte]).toEqual([spm.tokenToId('<0xC3>')])
    const back = tokenPieces(old, spm)
    expect(back[spm.tokenToId('▁the') ?? -1]).toEqual([the])
    expect(back.every((ids) => ids.every((id) => id >= 0 && id < old.vocabSize))).toBe(true)
  })

  it('has no pieces for a character that the old tokenizer does not know', () => {
    const letters = trainTokenizer(['abc'], { type: 'char' })
    const more = trainTokenizer(['abcd'], { type: 'char' })
    expect(tokenPieces(letters, more)[more.tokenToId('d') ?? -1]).toEqual([])
  })
})
