// Chats, and the names that transformers and transformers.js have for options.
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { generate } from '../../src/generate/index.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { pipeline, type TextGeneration } from '../../src/pipelines/index.ts'
import { type ChatMessage, Tokenizer } from '../../src/tokenizers/index.ts'
import { heedError } from '../support/heed-error.ts'

// Random weights: what they say is noise, but the same noise each time.
const path = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))
const CHAT: ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'dog' },
]
let model: CausalLM
let tokenizer: Tokenizer
let write: TextGeneration

beforeAll(async () => {
  model = await fromPretrained(path)
  tokenizer = await Tokenizer.fromFile(path)
  write = await pipeline('text-generation', { model, tokenizer })
})

/** Calls as JavaScript may write them. */
const call = (input: unknown, options?: unknown) =>
  (write as (input: unknown, options?: unknown) => Promise<unknown>)(input, options)

/** The answer by way of the template and `generate`. */
async function answerTo(messages: ChatMessage[], maxTokens: number, more = {}): Promise<string> {
  const text = await tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true, ...more })
  const prompt = tokenizer.encode(text, { addSpecialTokens: false })
  let answer = ''
  for await (const piece of generate(model, tokenizer, prompt, { temperature: 0, maxTokens }))
    answer += piece
  return answer
}

describe('chats', () => {
  it('are extended by the answer', async () => {
    const answer = await answerTo(CHAT, 6)
    expect(answer).not.toBe('')
    const results = await write(CHAT, { maxTokens: 6 })
    expect(results).toEqual([{ generated_text: [...CHAT, { role: 'assistant', content: answer }] }])
    expect(CHAT).toHaveLength(2)
    const alone = await write(CHAT, { maxTokens: 6, returnFullText: false })
    expect(alone).toEqual([{ generated_text: answer }])
  })

  it('come in batches, and piece by piece', async () => {
    const other: ChatMessage[] = [{ role: 'user', content: 'cat' }]
    const results = await write([CHAT, other], { maxTokens: 4 })
    expect(results.map(([{ generated_text }]) => generated_text)).toEqual([
      [...CHAT, { role: 'assistant', content: await answerTo(CHAT, 4) }],
      [...other, { role: 'assistant', content: await answerTo(other, 4) }],
    ])
    const pieces: string[] = []
    const [[{ generated_text: heard }]] = await write([CHAT], {
      maxTokens: 4,
      onText: (piece) => pieces.push(piece),
    })
    expect(heard.at(-1)?.content).toBe(pieces.join(''))
  })

  it('continue the last message of the assistant, as in transformers', async () => {
    const begun: ChatMessage[] = [...CHAT, { role: 'assistant', content: 'Yes' }]
    const continued = { addGenerationPrompt: false, continueFinalMessage: true }
    const more = await answerTo(begun, 4, continued)
    const [{ generated_text: text }] = await write(begun, { maxTokens: 4 })
    expect(text).toEqual([...CHAT, { role: 'assistant', content: `Yes${more}` }])
  })

  it('have as many answers as are asked for', async () => {
    const options = { do_sample: true, num_return_sequences: 3, max_new_tokens: 3 }
    expect(await call(CHAT, options)).toHaveLength(3)
  })

  it.each([
    [undefined],
    [null],
    [3],
    [{ role: 'user', content: 'dog' }],
    [['dog', CHAT]],
    [[CHAT, undefined]],
    [[{ role: 3, content: 'dog' }]],
    [[{ content: 'dog' }]],
  ])('%j is refused', async (input) => {
    await expect(call(input)).rejects.toThrow(
      heedError('invalid-option', { remedy: "[{ role: 'user', content: 'Hello' }]" }),
    )
  })
})

describe('options', () => {
  it('are those of transformers too', async () => {
    const [{ generated_text: expected }] = await write('dog', { maxTokens: 5 })
    expect(await call('dog', { max_new_tokens: 5 })).toEqual([{ generated_text: expected }])
    expect(await call('dog', { max_new_tokens: 5, do_sample: false, temperature: 0.7 })).toEqual([
      { generated_text: expected },
    ])
    expect(await call('dog', { max_new_tokens: 5, return_full_text: false })).toEqual([
      { generated_text: expected.slice(3) },
    ])
    expect(await call('dog', { generation_config: { max_new_tokens: 5 } })).toEqual([
      { generated_text: expected },
    ])
    const [{ generated_text: penalised }] = (await call('dog', {
      max_new_tokens: 5,
      repetition_penalty: 9,
    })) as { generated_text: string }[]
    const same = { maxTokens: 5, generationConfig: { repetition_penalty: 9 } }
    expect(await write('dog', same)).toEqual([{ generated_text: penalised }])
  })

  it('take the likeliest tokens unless sampling is asked for', async () => {
    const texts = async (options: object) =>
      new Set(
        await Promise.all(
          [1, 2, 3, 4].map(async () =>
            JSON.stringify(await call('dog', { max_new_tokens: 6, ...options })),
          ),
        ),
      ).size
    expect(await texts({})).toBe(1)
    expect(await texts({ do_sample: true })).toBeGreaterThan(1)
    expect(await texts({ topK: 50 })).toBeGreaterThan(1)
  })

  it.each([
    ['streamer', {}, '`onText`'],
    ['stopping_criteria', [], '`stop`'],
    ['logits_processor', [], '`processors`'],
    ['watermarking_config', {}, 'Omit'],
    ['penalty_alpha', 0.6, 'Omit'],
  ])('%s is refused by name', async (name, value, remedy) => {
    await expect(call('dog', { [name]: value })).rejects.toThrow(
      heedError('unsupported', { key: name, mentions: ['text-generation', `\`${name}\``], remedy }),
    )
  })

  it.each([
    [{ max_new_token: 5 }, 'max_new_token'],
    [{ maxNewTokens: 5, max_new_tokens: 5 }, 'maxNewTokens'],
    [{ generationConfig: { max_new_token: 5 } }, 'max_new_token'],
  ])('%j is no option', async (options, name) => {
    await expect(call('dog', options)).rejects.toThrow(
      heedError('unknown-name', { mentions: name }),
    )
  })

  it.each([
    [{ max_new_tokens: 'five' }, 'max_new_tokens'],
    [{ top_k: -1 }, 'top_k'],
    [{ maxTokens: 5, max_new_tokens: 6 }, 'max_new_tokens'],
    [{ topK: 5, top_k: 6 }, 'top_k'],
    [{ return_full_text: 'no' }, 'returnFullText'],
    [3, 'options'],
  ])('%j is a mistake', async (options, mentions) => {
    await expect(call('dog', options)).rejects.toThrow(heedError('invalid-option', { mentions }))
  })
})
