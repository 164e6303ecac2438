// Where a text ends: each source alone and all together, in every way to write a text.
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  Chat,
  generate,
  generateBatch,
  generateBeams,
  generateSeq2SeqText,
  generateSeq2SeqTexts,
  generateTextSteps,
  PromptLookup,
} from '../../src/generate/index.ts'
import { openGGUF } from '../../src/io/gguf/gguf.ts'
import { writeGGUF } from '../../src/io/gguf/write.ts'
import { tokenIds } from '../../src/models/gguf/metadata.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { pipeline } from '../../src/pipelines/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

const MODEL = join(FIXTURES, 'gpt2', 'base')
const PROMPT = 'w03 w14 w15 w09'
const wordOf = (id: number): string => `w${String(id).padStart(2, '0')}`
const greedy = { temperature: 0, maxTokens: 12 }

/** Tokens of the greedy text that occur for the first time at the fifth place or later. */
let text: number[]
let end: number
let expected: string

beforeAll(async () => {
  const model = await fromPretrained(MODEL)
  text = []
  const tokenizer = tokenizerWith({})
  for await (const { token } of generateTextSteps(model, tokenizer, PROMPT, greedy))
    text.push(token)
  const at = text.findIndex((token, i) => i >= 3 && text.indexOf(token) === i)
  end = text[at]
  expected = text
    .slice(0, at)
    .map((id) => ` ${wordOf(id)}`)
    .join('')
})

interface Files {
  tokenizer?: object
  config?: object
  generation?: object
  options?: object
}

/** The ways to say that a text ends. */
const sources: [string, (end: number) => Files][] = [
  ['the tokenizer', (end) => ({ tokenizer: { eos_token: wordOf(end) } })],
  ['config.json', (end) => ({ config: { eos_token_id: end } })],
  ['generation_config.json, a number', (end) => ({ generation: { eos_token_id: end } })],
  ['generation_config.json, a list', (end) => ({ generation: { eos_token_id: [64, end] } })],
  ['stop_strings', (end) => ({ generation: { stop_strings: ` ${wordOf(end)}` } })],
  ['stopTokens', (end) => ({ options: { stopTokens: [end] } })],
  ['stop', (end) => ({ options: { stop: [` ${wordOf(end)}`] } })],
  [
    'a special token as stop',
    (end) => ({ tokenizer: { special: end }, options: { stop: [wordOf(end)] } }),
  ],
  [
    'all of them',
    (end) => ({
      tokenizer: { eos_token: wordOf(end) },
      config: { eos_token_id: end },
      generation: { eos_token_id: [end, 64], stop_strings: [wordOf(end), 'nothing'] },
      options: { stop: [wordOf(end)], stopTokens: [end, 63] },
    }),
  ],
  [
    'one of several that differ',
    (end) => ({
      tokenizer: { eos_token: wordOf(64) },
      config: { eos_token_id: 63 },
      generation: { eos_token_id: [62, end], stop_strings: ['nothing'] },
      options: { stop: ['never'], stopTokens: [61] },
    }),
  ],
]

function tokenizerWith(
  { special, ...config }: { special?: number; eos_token?: string },
  size = 65,
): Tokenizer {
  const names = Array.from({ length: size }, (_, id) => wordOf(id))
  const specials = names.filter((name, id) => name === config.eos_token || id === special)
  return Tokenizer.fromJSON(
    {
      added_tokens: specials.map((content) => ({
        id: names.indexOf(content),
        content,
        special: true,
      })),
      pre_tokenizer: { type: 'WhitespaceSplit' },
      model: {
        type: 'WordLevel',
        unk_token: 'w00',
        vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      },
    },
    { ...config, chat_template: '{{ messages[-1].content }}' },
  )
}

async function folderOf(
  { tokenizer, config, generation }: Files,
  source = MODEL,
  size = 65,
): Promise<string> {
  const folder = await temporaryFolder()
  const json = JSON.parse(await readFile(join(source, 'config.json'), 'utf8'))
  await copyFile(join(source, 'model.safetensors'), join(folder, 'model.safetensors'))
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...json, ...config }))
  if (generation)
    await writeFile(join(folder, 'generation_config.json'), JSON.stringify(generation))
  await tokenizerWith(tokenizer ?? {}, size).save(folder)
  return folder
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

type Writer = (
  model: CausalLM,
  tokenizer: Tokenizer,
  options: object,
  folder: string,
) => Promise<string>

/** The ways to write a text. */
const writers: [string, Writer][] = [
  ['generate', (model, tokenizer, options) => joined(generate(model, tokenizer, PROMPT, options))],
  [
    'drafts',
    (model, tokenizer, options) =>
      joined(generate(model, tokenizer, PROMPT, { ...options, drafter: new PromptLookup() })),
  ],
  ['chat', (model, tokenizer, options) => joined(new Chat(model, tokenizer).say(PROMPT, options))],
  [
    'a batch',
    async (model, tokenizer, options) =>
      (await generateBatch(model, tokenizer, [PROMPT, 'w02 w06 w05'], options))[0],
  ],
  [
    'log-probabilities',
    async (model, tokenizer, options) => {
      let text = ''
      for await (const { token } of generateTextSteps(model, tokenizer, PROMPT, options))
        text += ` ${wordOf(token)}`
      return text
    },
  ],
  [
    'a pipeline',
    async (_, __, options, folder) => {
      const write = await pipeline('text-generation', folder)
      const [{ generated_text }] = await write(PROMPT, { ...options, returnFullText: false })
      return generated_text
    },
  ],
]

describe.each(sources)('%s ends the text', (_, filesOf) => {
  it.each(writers)('of %s', async (__, write) => {
    const files = filesOf(end)
    const folder = await folderOf(files)
    const [model, tokenizer] = [await fromPretrained(folder), await Tokenizer.fromFile(folder)]
    const options = { ...greedy, ...files.options }
    expect(await write(model, tokenizer, options, folder)).toBe(expected)
    if (files.options) return
    const whole = await write(model, tokenizer, { ...options, stopAtEnd: false }, folder)
    expect(whole.length).toBeGreaterThan(expected.length)
  })

  it('of beams', async () => {
    const files = filesOf(end)
    const folder = await folderOf(files)
    const [model, tokenizer] = [await fromPretrained(folder), await Tokenizer.fromFile(folder)]
    const options = { maxTokens: 12, beams: 1, ...files.options }
    const [best] = await generateBeams(model, tokenizer, PROMPT, options)
    expect(best.text).toBe(expected)
    const several = { ...options, beams: 3, best: 3 }
    for (const { text } of await generateBeams(model, tokenizer, PROMPT, several))
      expect(text).not.toContain(wordOf(end))
  })
})

describe('an encoder-decoder', () => {
  const T5 = join(FIXTURES, 't5', 'tied')
  const source = 'w20 w04 w33 w12 w01'
  const ways: [string, Files][] = [
    ['the tokenizer', { tokenizer: { eos_token: 'w17' } }],
    ['config.json', { config: { eos_token_id: 17 } }],
    [
      'generation_config.json',
      { generation: { decoder_start_token_id: 0, eos_token_id: [46, 17] } },
    ],
    ['stop_strings', { generation: { decoder_start_token_id: 0, stop_strings: [' w17'] } }],
    ['stop', { options: { stop: [' w17'] } }],
    ['a special token as stop', { tokenizer: { special: 17 }, options: { stop: ['w17'] } }],
  ]

  it.each(ways)('ends where %s says', async (_, files) => {
    const config = { eos_token_id: null, ...files.config }
    const folder = await folderOf({ ...files, config }, T5, 48)
    const model = await fromPretrained(folder, 'seq2seq-lm')
    const tokenizer = await Tokenizer.fromFile(folder)
    const ids = tokenizer.encode(source)
    const options = { maxTokens: 8, ...files.options }
    const texts = [
      (await generateSeq2SeqTexts(model, tokenizer, [ids, ids], options))[1],
      (await generateSeq2SeqTexts(model, tokenizer, [ids], { ...options, beams: 1 }))[0],
      await joined(generateSeq2SeqText(model, tokenizer, ids, options)),
      (await (await pipeline('translation', folder))(source, options))[0].translation_text,
    ]
    expect(texts).toEqual(texts.map(() => 'w42 w42 w42'))
    const [best] = await generateSeq2SeqTexts(model, tokenizer, [ids], { ...options, beams: 3 })
    expect(best).not.toContain('w17')
  })
})

describe('a GGUF file', () => {
  it('ends texts, turns and messages', async () => {
    const path = join(await temporaryFolder(), 'ids.gguf')
    const id = (value: number) => ({ type: 'u32', value }) as const
    const named = (name: string, value: number) => ({
      [`tokenizer.ggml.${name}_token_id`]: id(value),
    })
    const idsOf = async (metadata: Parameters<typeof writeGGUF>[1]): Promise<unknown> => {
      await writeGGUF(path, metadata, [])
      const file = await openGGUF(path)
      try {
        return tokenIds(file).eos_token_id
      } finally {
        await file.close()
      }
    }
    const all = { ...named('eos', 2), ...named('eot', 32007), ...named('eom', 9) }
    expect(await idsOf(all)).toEqual([2, 32007, 9])
    expect(await idsOf({ ...named('eos', 2), ...named('eom', 9), ...named('eot', 2) })).toEqual([
      2, 9,
    ])
    expect(await idsOf(named('eot', 5))).toBe(5)
    expect(await idsOf(named('bos', 5))).toBe(null)
  })

  it('gives them to its model', async () => {
    const path = join(FIXTURES, 'gguf', 'llama.gguf')
    const [model, tokenizer] = [await fromPretrained(path), await Tokenizer.fromFile(path)]
    expect(model.generationConfig?.eos_token_id).toContain(tokenizer.eosTokenId)
  })
})
