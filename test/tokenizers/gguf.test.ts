import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { GGUFValue } from '../../src/io/gguf/gguf.ts'
import { writeGGUF } from '../../src/io/gguf/write.ts'
import { mergesOfScores } from '../../src/tokenizers/formats/gguf-merges.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

const FIXTURES = new URL('../fixtures/gguf/', import.meta.url).pathname

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

describe('a tokenizer that is not usable', () => {
  const string = (value: string): GGUFValue => ({ type: 'string', value })
  const strings = (value: string[]): GGUFValue => ({ type: 'array', of: 'string', value })
  const types = (value: number[]): GGUFValue => ({ type: 'array', of: 'i32', value })
  const scores = (value: number[]): GGUFValue => ({ type: 'array', of: 'f32', value })
  const T = 'tokenizer.ggml'
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
    ['none', { [`${T}.model`]: undefined }, /must contain a tokenizer/],
    ['no tokens', { [`${T}.tokens`]: undefined }, /must contain a tokenizer/],
    ['another kind', { [`${T}.model`]: string('rwkv') }, /must be gpt2 or llama, got "rwkv"/],
    ['a kind by prototype', { [`${T}.model`]: string('toString') }, /got "toString"/],
    ['another cut', { [`${T}.pre`]: string('viking') }, /`tokenizer.ggml.pre` .* got "viking"/],
    ['no cut', { [`${T}.pre`]: undefined }, /`tokenizer.ggml.pre` .* got undefined/],
    ['types of others', { [`${T}.token_type`]: types([1, 1]) }, /3 tokens, got 2/],
    ['a token twice', { [`${T}.tokens`]: strings(['a', 'b', 'a']) }, /got "a" twice/],
    ['a merge of nothing', { [`${T}.merges`]: strings(['a c']) }, /merges\[0\].* two tokens/],
    ['tokens that are numbers', { [`${T}.tokens`]: types([1]) }, /must be a list of strings/],
    ['no scores', { [`${T}.model`]: string('llama') }, /score for each of the 3 tokens, got none/],
    [
      'scores of others',
      { [`${T}.model`]: string('llama'), [`${T}.scores`]: scores([1]) },
      /score for each of the 3 tokens, got 1/,
    ],
  ])('%s', async (_what, changes, message) => {
    const error = await load(changes).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(HeedError)
    expect((error as Error).message).toMatch(message)
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
