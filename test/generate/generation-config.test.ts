import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { generationKeysPage } from '../../scripts/generation-keys.ts'
import { parseGenerationConfig } from '../../src/generate/config/generation-config.ts'
import { settingsOf } from '../../src/generate/config/settings.ts'
import {
  createSampler,
  type GenerationSettings,
  generateBatch,
  generateBeams,
  generateSeq2SeqTexts,
} from '../../src/generate/index.ts'
import { processed } from '../../src/generate/processors/processor.ts'
import { type JsonObject, readJsonObject } from '../../src/io/files/json.ts'
import { fromPretrained, GENERATION_KEYS, savePretrained } from '../../src/models/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

interface TextCase {
  key: string
  model: 'gpt2/base' | 't5/tied'
  inputs: (number[] | null)[]
  configs: GenerationSettings[]
  /** By config, input and sequence. */
  texts: number[][][][]
}
interface DrawCase {
  key: string
  logits: (number | null)[]
  configs: GenerationSettings[]
  probabilities: (number[] | null)[]
}
const { keys, texts, draws } = (await readJsonObject(
  join(FIXTURES, 'generation_config.json'),
)) as unknown as { keys: string[][]; texts: TextCase[]; draws: DrawCase[] }

/** Words w00, w01 … without special tokens, so that only the config ends a text. */
const wordTokenizer = (size: number): Tokenizer =>
  Tokenizer.fromJSON({
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: {
      type: 'WordLevel',
      unk_token: 'w00',
      vocab: Object.fromEntries(Array.from({ length: size }, (_, id) => [wordOf(id), id])),
    },
  })
const wordOf = (id: number): string => `w${String(id).padStart(2, '0')}`
const textOf = (ids: readonly number[]): string => ids.map(wordOf).join(' ')

/** A copy of a fixture's model with this generation_config.json. */
async function folderWith(model: string, config: object): Promise<string> {
  const folder = await temporaryFolder()
  const json = await readJsonObject(join(FIXTURES, model, 'config.json'))
  await copyFile(join(FIXTURES, model, 'model.safetensors'), join(folder, 'model.safetensors'))
  // Heed also ends at the tokens of this file.
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...json, eos_token_id: null }))
  await writeFile(join(folder, 'generation_config.json'), JSON.stringify(config))
  return folder
}

describe('the keys of GenerationConfig', () => {
  it('have an answer each', () => {
    expect(keys[0]).toHaveLength(73)
    const missing = keys[0].filter((key) => !Object.hasOwn(GENERATION_KEYS, key))
    expect(missing).toEqual([])
  })

  it('are listed in the documentation', async () => {
    const page = await readFile(new URL('../../docs/generation-config.md', import.meta.url), 'utf8')
    expect(page).toBe(generationKeysPage())
    for (const key of keys[0]) expect(page).toContain(`- \`${key}\``)
  })

  it('are tested where they are obeyed', () => {
    const obeyed = Object.keys(GENERATION_KEYS).filter((key) => GENERATION_KEYS[key] === 'obeyed')
    const tested = new Set([...texts, ...draws].map(({ key }) => key))
    expect(obeyed.filter((key) => !tested.has(key))).toEqual([])
  })

  it.each(texts)('$key changes the text of $model as in transformers', async (one) => {
    const tokenizer = wordTokenizer(one.model === 'gpt2/base' ? 65 : 48)
    for (const [i, config] of one.configs.entries()) {
      const expected = one.texts[i].flat().map(textOf)
      expect(await writtenBy(one, config, tokenizer)).toEqual(expected)
    }
    expect(one.texts[0]).not.toEqual(one.texts[1])
  })

  it.each(draws)('$key changes probabilities as in transformers', ({ logits, ...one }) => {
    const scores = Float32Array.from(logits, (score) => score ?? Number.NaN)
    const text = { tokens: [3, 14, 15, 9], promptLength: 4, maxTokens: 20 }
    for (const [i, config] of one.configs.entries()) {
      const { write } = settingsOf(
        { generationConfig: config as JsonObject },
        {},
        { promptLength: 4, samples: false },
      )
      const { maxTokens: _, stopTokens: __, processors, signal: ___, ...sampling } = write
      const draw = (): Map<number, number> => {
        const sampler = createSampler(sampling)
        const { tokens, weights } = sampler.candidates(processed(scores, processors ?? [], text))
        const sum = weights.reduce((all, weight) => all + weight, 0)
        return new Map(Array.from(tokens, (token, at) => [token, weights[at] / sum]))
      }
      const expected = one.probabilities[i]
      if (expected === null)
        expect(draw).toThrow(heedError('invalid-state', { mentions: 'got NaN' }))
      else
        for (const [token, p] of expected.entries())
          expect(draw().get(token) ?? 0, `token ${token}`).toBeCloseTo(p, 4)
    }
  })
})

async function writtenBy(
  { key, model: name, inputs }: TextCase,
  config: GenerationSettings,
  tokenizer: Tokenizer,
): Promise<string[]> {
  const folder = await folderWith(name, config)
  const trimmed = (all: readonly string[]): string[] => all.map((text) => text.trim())
  if (name === 't5/tied') {
    const model = await fromPretrained(folder, 'seq2seq-lm')
    return generateSeq2SeqTexts(model, tokenizer, inputs as number[][]).then(trimmed)
  }
  const model = await fromPretrained(folder)
  const prompts = inputs.map((ids) => textOf(ids ?? []))
  // Nothing says that tokens are drawn; transformers takes the likeliest then.
  const greedy = config.num_beams === undefined ? { temperature: 0 } : {}
  if (key !== 'num_return_sequences')
    return generateBatch(model, tokenizer, prompts, greedy).then(trimmed)
  const found: string[] = []
  for (const prompt of prompts)
    for (const { text } of await generateBeams(model, tokenizer, prompt)) found.push(text)
  return trimmed(found)
}

describe('generation_config.json', () => {
  const folderOfMany = (): Promise<string> =>
    folderWith('gpt2/base', {
      eos_token_id: [5, 9],
      penalty_alpha: 0.6,
      token_healing: false,
      num_beam_groups: 1,
      use_cache: false,
      house_rule: 1,
      watermarking_config: null,
    })

  it('is attached to the model, with the end tokens of config.json, and saved with it', async () => {
    const folder = await folderOfMany()
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, eos_token_id: 7 }))
    const model = await fromPretrained(folder)
    expect(model.generationConfig?.eos_token_id).toEqual([5, 9, 7])
    const saved = await temporaryFolder()
    await savePretrained(model, saved)
    expect((await fromPretrained(saved)).generationConfig).toEqual(model.generationConfig)
  })

  it('names what is ignored, once for each model', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    try {
      const model = await fromPretrained(await folderOfMany())
      const tokenizer = wordTokenizer(65)
      for (let i = 0; i < 2; i++)
        await generateBatch(model, tokenizer, ['w03'], { maxTokens: 1, temperature: 0 })
      expect(warn.mock.calls).toEqual([
        [
          'heed: penalty_alpha, house_rule of generation_config.json are not supported and ignored.',
        ],
      ])
      model.generationConfig = { num_beams: 2, do_sample: true }
      await generateBatch(model, tokenizer, ['w03'], { maxTokens: 1 })
      expect(warn).toHaveBeenLastCalledWith(
        'heed: num_beams of generation_config.json is not supported and ignored.',
      )
    } finally {
      warn.mockRestore()
    }
  })

  it('gives way to options, by either name', async () => {
    const model = await fromPretrained(await folderWith('gpt2/base', { max_new_tokens: 9 }))
    const tokenizer = wordTokenizer(65)
    const count = async (options: object): Promise<number> => {
      const [text] = await generateBatch(model, tokenizer, ['w03 w14'], options)
      return text.trim().split(' ').length
    }
    expect(await count({ defaults: { maxTokens: 20 } })).toBe(9)
    expect(await count({ maxTokens: 3 })).toBe(3)
    expect(await count({ generationConfig: { max_new_tokens: 4 } })).toBe(4)
    model.generationConfig = {}
    expect(await count({ defaults: { maxTokens: 11 } })).toBe(11)
  })

  it.each([
    ['num_beams', 0],
    ['bad_words_ids', [[]]],
    ['temperature', 'hot'],
    ['early_stopping', 'soon'],
    ['sequence_bias', [[1, 2]]],
  ])('is refused where %s is %j', (key, value) => {
    expect(() => parseGenerationConfig({ [key]: value } as GenerationSettings)).toThrow(
      heedError('invalid-config', {
        key: expect.stringMatching(new RegExp(`^${key}`)),
        mentions: ['generation_config.json', `\n  \`${key}`],
      }),
    )
  })

  it('may have null for every key', () => {
    const nulls = Object.fromEntries(keys[0].map((key) => [key, null]))
    const { write, search } = settingsOf(
      { generationConfig: nulls },
      {},
      { promptLength: 1, samples: false },
    )
    expect(write).toMatchObject({ maxTokens: 100, stopTokens: [], processors: [], temperature: 0 })
    expect(search).toEqual({ beams: 1, lengthPenalty: 1, earlyStopping: false, best: 1 })
  })

  it('refuses a prompt as long as max_length', async () => {
    const model = await fromPretrained(await folderWith('gpt2/base', { max_length: 3 }))
    await expect(generateBatch(model, wordTokenizer(65), ['w03 w14 w15'])).rejects.toThrow(
      heedError('invalid-option', {
        key: 'maxTokens',
        value: 3,
        mentions: ['max_length', 'generation_config.json', '(3)'],
      }),
    )
  })
})

it('names the call where its setting is wrong, and the file where that of the model is', () => {
  const context = { promptLength: 1, samples: true }
  const both = (files: JsonObject, generationConfig: GenerationSettings) => () =>
    settingsOf({ generationConfig: files }, { generationConfig }, context)
  expect(both({}, { repetition_penalty: 0 })).toThrow(heedError('invalid-option', { key: 'repetition_penalty', value: 0 })) // biome-ignore format: one line
  expect(both({ top_p: 2 }, { repetition_penalty: 0 })).toThrow(
    heedError('invalid-option', { key: 'repetition_penalty', value: 0 }),
  )
  expect(both({ repetition_penalty: 0 }, {})).toThrow(heedError('invalid-config', { key: 'repetition_penalty', mentions: ['generation_config.json', 'got 0'] })) // biome-ignore format: one line
  expect(both({ repetition_penalty: 0 }, { repetition_penalty: 2 })).not.toThrow()
})
