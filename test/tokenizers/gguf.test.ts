import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { GGUFValue } from '../../src/io/gguf/gguf.ts'
import { writeGGUF } from '../../src/io/gguf/write.ts'
import { mergesOfScores } from '../../src/tokenizers/formats/gguf-merges.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/gguf/', import.meta.url))

const string = (value: string): GGUFValue => ({ type: 'string', value })
const strings = (value: string[]): GGUFValue => ({ type: 'array', of: 'string', value })
const types = (value: number[]): GGUFValue => ({ type: 'array', of: 'i32', value })
const scores = (value: number[]): GGUFValue => ({ type: 'array', of: 'f32', value })
const T = 'tokenizer.ggml'

interface Expected {
  encoded: { text: string; ids: number[] }[]
  dog: number[]
}

describe.each(['llama', 'qwen2', 'qwen3', 'gemma'])('the tokenizer of %s.gguf', (name) => {
  const load = () => Tokenizer.fromFile(join(FIXTURES, `${name}.gguf`))
  const expected = async (): Promise<Expected> =>
    JSON.parse(await readFile(join(FIXTURES, `${name}.json`), 'utf8'))

  it("gives llama.cpp's ids, and text back", async () => {
    const tokenizer = await load()
    const { encoded, dog } = await expected()
    for (const { text, ids } of encoded) {
      expect(tokenizer.encode(text, { addSpecialTokens: false }), text).toEqual(ids)
      const normal = name === 'qwen2' ? text.normalize('NFC') : text
      expect(tokenizer.decode(ids)).toBe(normal)
    }
    expect(tokenizer.encode('dog')).toEqual(dog)
  })

  it('knows special tokens and the chat template', async () => {
    const tokenizer = await load()
    const [bos, eos] = [tokenizer.tokenToId('<|user|>'), tokenizer.tokenToId('<|end|>')]
    expect([tokenizer.bosTokenId, tokenizer.eosTokenId]).toEqual([bos, eos])
    expect(tokenizer.isSpecial(eos as number)).toBe(true)
    const chat = await tokenizer.applyChatTemplate([{ role: 'user', content: 'dog' }], {
      addGenerationPrompt: true,
    })
    expect(chat).toBe('<|user|>user: dog<|end|><|user|>assistant: ')
  })

  it('is the same as its tokenizer.json', async () => {
    const tokenizer = await load()
    const folder = await temporaryFolder()
    await tokenizer.save(folder)
    const saved = await Tokenizer.fromFile(folder)
    for (const { text, ids } of (await expected()).encoded)
      expect(saved.encode(text, { addSpecialTokens: false })).toEqual(ids)
    expect(saved.config.chat_template).toBe(tokenizer.config.chat_template)
  })
})

describe('merges of scores', () => {
  it('join the best union first, and only what stands for text', () => {
    const tokens = ['<s>', 'a', 'b', 'ab', 'aba', 'ba', '<', 's>', '😀', 'a😀']
    const scores = [9, 0, 0, 5, 7, 6, 0, 0, 0, 1]
    expect(mergesOfScores(tokens, scores, (id) => id > 0)).toEqual([
      ['a', 'ba'],
      ['ab', 'a'],
      ['b', 'a'],
      ['a', 'b'],
      ['a', '😀'],
    ])
  })
})

describe('kinds', () => {
  const fixture = async (name: string) =>
    JSON.parse(await readFile(join(FIXTURES, `../tokenizers/${name}.json`), 'utf8'))
  const load = async (metadata: Record<string, GGUFValue>): Promise<Tokenizer> => {
    const path = join(await temporaryFolder(), 'x.gguf')
    const entries = Object.entries(metadata).map(([key, value]) => [`${T}.${key}`, value])
    await writeGGUF(path, Object.fromEntries(entries), [])
    return Tokenizer.fromFile(path)
  }

  it('bert is WordPiece, whose tokens mark the beginnings of words', async () => {
    const { tokenizer: json, cases } = await fixture('bert')
    const vocab: Record<string, number> = json.model.vocab
    const tokens = Object.keys(vocab).sort((a, b) => vocab[a] - vocab[b])
    const isSpecial = (token: string) => /^\[[A-Z]+\]$/.test(token)
    const marked = (token: string) => (token.startsWith('##') ? token.slice(2) : `▁${token}`)
    const tokenizer = await load({
      model: string('bert'),
      tokens: strings(tokens.map((token) => (isSpecial(token) ? token : marked(token)))),
      token_type: types(tokens.map((token) => (isSpecial(token) ? 3 : 1))),
      cls_token_id: { type: 'u32', value: vocab['[CLS]'] },
      seperator_token_id: { type: 'u32', value: vocab['[SEP]'] },
      unknown_token_id: { type: 'u32', value: vocab['[UNK]'] },
    })
    for (const { text, pair, ids } of cases)
      if (pair === undefined && !/\S{21}/.test(text)) expect(tokenizer.encode(text)).toEqual(ids)
    expect(tokenizer.sepTokenId).toBe(vocab['[SEP]'])
  })

  it('t5 is Unigram, with an end', async () => {
    const pieces = [
      ['<pad>', 0, 3],
      ['</s>', 0, 3],
      ['<unk>', 0, 2],
      ['▁a', -1, 1],
    ] as const
    const more = [
      ['b', -2, 1],
      ['▁ab', -2, 1],
      ['c', -2, 1],
    ] as const
    const all = [...pieces, ...more]
    const tokenizer = await load({
      model: string('t5'),
      tokens: strings(all.map(([token]) => token)),
      scores: scores(all.map(([, score]) => score)),
      token_type: types(all.map(([, , type]) => type)),
      eos_token_id: { type: 'u32', value: 1 },
      unknown_token_id: { type: 'u32', value: 2 },
    })
    expect(tokenizer.encode('ab  cx a')).toEqual([5, 2, 6, 2, 3, 1])
    expect(tokenizer.decode([5, 3])).toBe('ab a')
  })

  it('gemma4 is BPE with merges and without words', async () => {
    const bytes = Array.from({ length: 256 }, (_, i) => {
      return `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`
    })
    const tokens = [...bytes, '<unk>', 'a', 'b', '▁', 'a▁', 'a▁b', '\n']
    const tokenizer = await load({
      model: string('gemma4'),
      tokens: strings(tokens),
      token_type: types(
        tokens.map((token) => (token === '<unk>' ? 2 : token.startsWith('<') ? 6 : 1)),
      ),
      merges: strings(['a ▁', 'a▁ b']),
    })
    expect(tokenizer.encode('a b\né')).toEqual([261, 262, 0xc3, 0xa9])
    expect(tokenizer.decode([261, 262, 0xc3, 0xa9])).toBe('a b\né')
  })

  const text = "Hi  it's 1234, été+日本 x\r\n"
  // As in llama.cpp: each pattern splits what the ones before have left, also within words.
  const WORDS: [name: string | undefined, words: string][] = [
    [undefined, "Hi| | it|'|s| |123|4|,| été|+|日本| x|\r\n"],
    ['falcon', "Hi| | it|'|s| |123|4|,| été|+|日本| x|\r\n"],
    ['deepseek-llm', "Hi| | it|'|s| |1234|,| é|t|é|+|日本| x|\r|\n"],
    ['deepseek-coder', "Hi| | it|'|s| |1|2|3|4|,| été|+|日本| x|\r|\n"],
    ['deepseek-v3', "Hi| | it|'s| |123|4|,| été|+|日本| x|\r\n"],
    ['mpt', "Hi| | it|'s| 1234|,| été|+|日本| x|\r\n"],
    ['qwen35', "Hi| | it|'s| |1|2|3|4|,| été|+日本| x|\r\n"],
  ]
  it.each(WORDS)('the pre-tokenizer %s splits into words', async (name, words) => {
    const bytes = [
      ...new Set(Object.keys((await fixture('llama3')).tokenizer.model.vocab).join('')),
    ]
    const tokenizer = await load({
      model: string('gpt2'),
      ...(name !== undefined && { pre: string(name) }),
      tokens: strings(bytes),
      merges: strings([]),
    })
    const { offsets, wordIds } = tokenizer.encodeWithOffsets(text, { addSpecialTokens: false })
    const found: string[] = []
    offsets.forEach(([, end], i) => {
      if (wordIds[i] === wordIds[i - 1]) found.pop()
      const first = wordIds.indexOf(wordIds[i])
      found.push(text.slice(offsets[first][0], end))
    })
    expect(found.join('|')).toBe(words)
  })
})

describe('a tokenizer that is not usable', () => {
  const plain: Record<string, GGUFValue> = {
    [`${T}.model`]: string('gpt2'),
    [`${T}.pre`]: string('gpt-2'),
    [`${T}.tokens`]: strings(['a', 'b', 'ab']),
    [`${T}.merges`]: strings(['a b']),
  }
  const load = async (changes: Record<string, GGUFValue | undefined>): Promise<Tokenizer> => {
    const path = join(await temporaryFolder(), 'x.gguf')
    const metadata = Object.entries({ ...plain, ...changes }).filter(([, value]) => value)
    await writeGGUF(path, Object.fromEntries(metadata as [string, GGUFValue][]), [])
    return Tokenizer.fromFile(path)
  }

  it('loads when nothing is changed', async () => {
    expect((await load({})).encode('aab')).toEqual([0, 2])
  })

  it.each<[string, Record<string, GGUFValue | undefined>, RegExp]>([
    ['none', { [`${T}.model`]: undefined }, /tokenizer/],
    ['no tokens', { [`${T}.tokens`]: undefined }, /tokenizer/],
    ['another kind', { [`${T}.model`]: string('rwkv') }, /gpt2.*, got "rwkv"/],
    ['a kind by prototype', { [`${T}.model`]: string('toString') }, /got "toString"/],
    ['another cut', { [`${T}.pre`]: string('klingon') }, /`tokenizer.ggml.pre` .* got "klingon"/],
    ['types of others', { [`${T}.token_type`]: types([1, 1]) }, /3 tokens, got 2/],
    ['a token twice', { [`${T}.tokens`]: strings(['a', 'b', 'a']) }, /got "a" twice/],
    ['a merge of nothing', { [`${T}.merges`]: strings(['a c']) }, /merges\[0\]/],
    ['tokens that are numbers', { [`${T}.tokens`]: types([1]) }, /tokenizer\.ggml\.tokens.* list /],
    ['no scores', { [`${T}.model`]: string('llama') }, /\b3 tokens, got none/],
    [
      'scores of others',
      { [`${T}.model`]: string('llama'), [`${T}.scores`]: scores([1]) },
      /\b3 tokens, got 1/,
    ],
  ])('%s', async (_what, changes, mentions) => {
    const error = await load(changes).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(HeedError)
    expect((error as Error).message).toMatch(mentions)
  })

  it('leaves out a beginning or end that the vocabulary does not have', async () => {
    const id: GGUFValue = { type: 'u32', value: 77 }
    const bos = {
      [`${T}.bos_token_id`]: id,
      [`${T}.add_bos_token`]: { type: 'bool', value: true } as const,
    }
    const tokenizer = await load(bos)
    expect(tokenizer.bosTokenId).toBeUndefined()
    expect(tokenizer.encode('ab')).toEqual([2])
  })
})
