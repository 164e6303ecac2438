import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AlignedText } from '../../src/tokenizers/encode/aligned-text.ts'
import { makeTokenizerStep } from '../../src/tokenizers/encode/register-step.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

// What transformers' BioGptTokenizer and sacremoses make of biomedical sentences and of random texts
// (scripts/fixtures/moses.py).

interface Case {
  text: string
  ids: number[]
  decoded: string
}

const FOLDER = join(FIXTURES, 'biogpt_tokenizer')
const cases: {
  sentences: Case[]
  special: Case[]
  pair: { texts: [string, string]; ids: number[] }
  whole: { ids: number[]; decoded: string }
  random: { text: string; words: string[]; joined: string }[]
} = JSON.parse(readFileSync(join(FOLDER, 'cases.json'), 'utf8'))
const tokenizer = await Tokenizer.fromFile(FOLDER)

describe('a folder with vocab.json and merges.txt of BioGPT', () => {
  it('gives the ids and texts of transformers for 200 biomedical sentences', () => {
    expect(cases.sentences).toHaveLength(200)
    const unknown = cases.sentences.flatMap(({ ids }) => ids).filter((id) => id === 3)
    expect(unknown.length).toBeGreaterThan(20) // some symbols are not in the vocabulary
    for (const { text, ids, decoded } of cases.sentences) {
      expect(tokenizer.encode(text), text).toEqual(ids)
      expect(tokenizer.decode(ids, { skipSpecialTokens: true }), text).toBe(decoded)
    }
  })

  it('finds special tokens in texts, and has a template for pairs', () => {
    for (const { text, ids, decoded } of cases.special) {
      expect(tokenizer.encode(text), text).toEqual(ids)
      expect(tokenizer.decode(ids, { skipSpecialTokens: true }), text).toBe(decoded)
    }
    const [first, pair] = cases.pair.texts
    expect(tokenizer.encodeWithOffsets(first, { pair }).ids).toEqual(cases.pair.ids)
    expect(tokenizer.decode(cases.whole.ids)).toBe(cases.whole.decoded)
  })

  it('gives each token its place in the text', () => {
    const { tokens, offsets } = tokenizer.encodeWithOffsets('A <b> p53-like  cell.', {
      addSpecialTokens: false,
    })
    const places = offsets.map(([start, end]) => 'A <b> p53-like  cell.'.slice(start, end))
    const words: [string, string][] = []
    let word: [string, string] = ['', '']
    tokens.forEach((token, i) => {
      word = [word[0] + token, word[1] === places[i] ? places[i] : word[1] + places[i]]
      if (!token.endsWith('</w>')) return
      words.push(word)
      word = ['', '']
    })
    expect(words.map(([token]) => token.replace('</w>', ''))).toEqual([
      'A',
      '&lt;',
      'b',
      '&gt;',
      'p53',
      '@-@',
      'like',
      'cell',
      '.',
    ])
    expect(words.map(([, place]) => place).filter((_, i) => ![1, 3, 5].includes(i))).toEqual([
      ...['A', 'b', 'p53', 'like', 'cell', '.'],
    ])
  })

  it('decodes token by token to the same text', () => {
    for (const { ids } of cases.sentences) {
      const stream = tokenizer.decodeStream()
      expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe(tokenizer.decode(ids))
    }
  })

  it('is saved with its vocabulary files, and reopens from both', async () => {
    const folder = await temporaryFolder()
    await tokenizer.save(folder)
    expect(readdirSync(folder).sort()).toEqual([
      'merges.txt',
      'tokenizer.json',
      'tokenizer_config.json',
      'vocab.json',
    ])
    const vocab = (path: string) => JSON.parse(readFileSync(join(path, 'vocab.json'), 'utf8'))
    expect(vocab(folder)).toEqual(vocab(FOLDER))
    const again = await Tokenizer.fromFile(folder)
    const fromFiles = await Tokenizer.fromFile(join(folder, 'vocab.json'))
    for (const { text, ids } of cases.sentences.slice(0, 80)) {
      expect(again.encode(text)).toEqual(ids)
      expect(fromFiles.encode(text)).toEqual(ids)
    }
  })

  it('without the unknown token in its vocabulary is refused', () => {
    const model = { type: 'SymbolBPE', vocab: { a: 0 }, merges: [], unk_token: '<unk>' }
    const json = { normalizer: null, pre_tokenizer: { type: 'Moses' }, post_processor: null }
    expect(() => Tokenizer.fromJSON({ ...json, decoder: null, model })).toThrow(
      heedError('corrupt-file', { key: 'model.unk_token', value: '<unk>' }),
    )
  })
})

describe("Moses' words", () => {
  const split = makeTokenizerStep('pre_tokenizer', { type: 'Moses' }, 'test')
  const join = makeTokenizerStep('decoder', { type: 'Moses' }, 'test')

  it('are those of sacremoses for 300 random texts, and so are the texts made of them', () => {
    expect(cases.random).toHaveLength(300)
    for (const { text, words, joined } of cases.random) {
      expect(split(new AlignedText(text)).map((word) => word.text), JSON.stringify(text)).toEqual(words) // biome-ignore format: one line
      expect(join(words.map((word) => `${word}</w>`)).join(''), words.join(' ')).toBe(joined)
    }
  })
})
