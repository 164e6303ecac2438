// Supervised fine-tuning on conversations: formats of rows, counted tokens, templates, packing, and how runs are used.
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../../src/data/index.ts'
import { Chat } from '../../src/generate/index.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import type { Task } from '../../src/train/task.ts'
import { openTask } from '../../src/train/task-file.ts'
import type { Conversation } from '../../src/train/tasks/conversation.ts'
import { heed } from '../cli/in-process.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()
const pairs = Array.from({ length: 40 }, (_, i) => {
  const [a, b] = [i % 7, (i * 3) % 5]
  return { prompt: `${a} plus ${b}`, completion: `${a + b} of course` }
})
const keys = { task: 'chat', model: 'gpt2', warmup: 0, lr: 0.01, evalEvery: 0, context: 192 }
const warningsOf = async (out: string, more: Record<string, unknown>): Promise<string[]> => {
  const warnings: string[] = []
  await trainTiny(out, { ...keys, ...more }, {
    on: (event) => event.type === 'start' && warnings.push(...event.warnings),
  }) // biome-ignore format: one line
  return warnings
}

let task: Task<readonly Conversation[]>
const row = (values: object): Row => ({ values: { ...values }, file: 'rows.jsonl', number: 1 })
const encode = async (values: object): Promise<Conversation> =>
  (await task.encode(row(values)))[0][0]

beforeAll(async () => {
  writeRows(at('pairs.jsonl'), pairs)
  const text = Array.from({ length: 8 }, () => pairs.map(({ prompt, completion }) => ({ text: `${prompt} user assistant ${completion}` }))) // biome-ignore format: one line
  writeRows(at('text.jsonl'), text.flat())
  await trainTiny(at('base'), { model: 'gpt2', data: [at('text.jsonl')], steps: 2, context: 192, tokenizer: 'bpe:300' }) // biome-ignore format: one line
  await trainTiny(at('run'), { ...keys, from: at('base'), template: 'chatml', data: [at('pairs.jsonl')], epochs: 4 }) // biome-ignore format: one line
  task = (await openTask(at('run'))).task as Task<readonly Conversation[]>
})

describe('a run over a base model', () => {
  it('adds the tokens of the template to tokenizer and model, and learns', async () => {
    const tokenizer = await Tokenizer.fromFile(at('run'))
    expect(tokenizer.idToToken(Number(tokenizer.eosTokenId))).toBe('<|im_end|>')
    const config = JSON.parse(await readFile(at('run/config.json'), 'utf8'))
    expect(config).toMatchObject({ vocab_size: tokenizer.vocabSize, eos_token_id: tokenizer.eosTokenId }) // biome-ignore format: one line
    const lines = linesOf(at('run')).filter(({ loss }) => loss !== undefined)
    expect(lines.at(-1)?.loss).toBeLessThan(lines[0].loss * 0.8)
  })

  it('answers in chat and predict, and is evaluated', async () => {
    const model = await fromPretrained(at('run'), 'causal-lm')
    const tokenizer = await Tokenizer.fromFile(at('run'))
    const chat = new Chat(model, tokenizer)
    let answer = ''
    for await (const piece of chat.say('1 plus 2', { temperature: 0, maxTokens: 8 }))
      answer += piece
    const { out } = await heed('predict', at('run'), '--text', '1 plus 2')
    const predicted = JSON.parse(out).answer
    expect(predicted.slice(0, answer.length)).toBe(answer)
    const { out: evaluated } = await heed('eval', at('run'), '--data', at('pairs.jsonl'))
    for (const name of ['loss', 'perplexity', 'token_accuracy']) expect(evaluated).toContain(name)
  })

  it('is trained further without a template, also with an adapter that keeps the new tokens', async () => {
    const data = [at('pairs.jsonl')]
    await trainTiny(at('more'), { ...keys, from: at('run'), data, steps: 2 })
    const adapter = 'lora:r=2,targets=all-linear'
    await trainTiny(at('tuned'), { ...keys, from: at('base'), template: 'chatml', adapter, data, steps: 2 }) // biome-ignore format: one line
    const model = await fromPretrained(at('tuned'), 'causal-lm')
    expect(model.vocabSize).toBe((await Tokenizer.fromFile(at('tuned'))).vocabSize)
    const { modules_to_save: saved } = JSON.parse(await readFile(at('tuned/adapter_config.json'), 'utf8')) // biome-ignore format: one line
    expect(saved).toEqual(['transformer.wte', 'lm_head'])
  })

  it('is refused without a chat template', async () => {
    await expect(
      trainTiny(at('none'), { ...keys, from: at('base'), data: [at('pairs.jsonl')] }),
    ).rejects.toThrow(heedError('unsupported', { key: 'template', remedy: 'chatml' }))
  })
})

it('a new model gets the template chatml', async () => {
  await trainTiny(at('new'), { ...keys, data: [at('pairs.jsonl')], steps: 2 })
  expect((await Tokenizer.fromFile(at('new'))).config.chat_template).toContain('<|im_start|>')
})

describe('rows', () => {
  it('mean the same in each format', async () => {
    const user = { role: 'user', content: '1 plus 2' }
    const assistant = { role: 'assistant', content: '3' }
    const expected = await encode({ prompt: '1 plus 2', completion: '3' })
    expect(expected.targets.filter((id) => id !== -100).length).toBeGreaterThan(1)
    for (const values of [
      { messages: [user, assistant] },
      { messages: JSON.stringify([user, assistant]) }, // in a table
      { prompt: [user], completion: [assistant] },
      { conversations: [{ from: 'human', value: '1 plus 2' }, { from: 'gpt', value: '3' }] }, // biome-ignore format: one line
      { instruction: '1 plus 2', input: '', output: '3' },
      { instruction: '1 plus 2', output: 3 },
    ])
      expect(await encode(values)).toEqual(expected)
    const both = await encode({ instruction: 'Add.', input: '1, 2', output: '3' })
    expect(both).toEqual(await encode({ prompt: 'Add.\n\n1, 2', completion: '3' }))
  })

  it('count the tokens of the answers, with the end of each', async () => {
    const tokenizer = await Tokenizer.fromFile(at('run'))
    const { targets } = await encode({
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'one' },
        { role: 'user', content: 'b' },
        { role: 'assistant', content: 'two' },
      ],
    })
    expect(tokenizer.decode(targets.filter((id) => id !== -100))).toBe('one<|im_end|>two<|im_end|>')
  })

  it('that are no conversation are refused, with what to do', async () => {
    const mistakes = [
      [{ text: 'a' }, { key: 'messages', mentions: "'text'", remedy: 'Alpaca' }],
      [{ messages: [] }, { key: 'messages' }],
      [{ messages: 'hello' }, { key: 'messages', mentions: 'hello' }],
      [{ messages: [{ role: 'bot', content: 'a' }] }, { key: 'messages[0]', value: 'bot' }],
      [{ messages: [{ role: 'user', content: 'a' }] }, { key: 'messages', mentions: 'user' }],
      [{ messages: [{ role: 'assistant', content: 'a' }] }, { key: 'messages' }],
      [{ prompt: 'a', completion: ' ' }, { key: 'completion' }],
      [{ prompt: 'a' }, { key: 'completion' }],
      [{ prompt: 'a', completion: [{ role: 'assistant', content: '' }] }, { key: 'messages' }],
      [{ instruction: 'a', output: null }, { key: 'output' }],
    ] as const
    for (const [values, details] of mistakes)
      await expect(async () => encode(values)).rejects.toThrow(heedError('invalid-data', details))
  })

  it('that are too long are dropped or cut at the start, and counted', async () => {
    const long = { prompt: 'many words '.repeat(60), completion: '3' }
    const endless = { prompt: 'a', completion: 'many words '.repeat(60) }
    writeRows(at('long.jsonl'), [...pairs, long, endless])
    const more = { from: at('run'), data: [at('long.jsonl')], steps: 1, valFraction: 0 }
    expect(await warningsOf(at('dropped'), more)).toEqual([expect.stringMatching(/\b2\b.*42.*192/)])
    const cut = await warningsOf(at('cut'), { ...more, tooLong: 'cut' })
    expect(cut).toEqual([expect.stringMatching(/\b1\b.*42.*192/), expect.stringMatching(/\b1\b.*42.*192/)]) // biome-ignore format: one line
    writeRows(at('endless.jsonl'), [endless])
    await expect(
      trainTiny(at('empty'), { ...keys, ...more, data: [at('endless.jsonl')], tooLong: 'cut' }),
    ).rejects.toThrow(heedError('invalid-data', { key: 'context', value: 192 }))
  })
})

describe('packing', () => {
  it('gives the loss of the conversations one by one', async () => {
    const examples = await Promise.all(pairs.slice(0, 3).map((values) => encode(values)))
    const model = await fromPretrained(at('run'), 'causal-lm')
    const alone = await task.evaluate(model, examples.map((one) => [one])) // biome-ignore format: one line
    const together = await task.evaluate(model, [examples])
    expect(together.metrics.loss).toBeCloseTo(alone.metrics.loss, 6)
    expect(together.metrics.token_accuracy).toBe(alone.metrics.token_accuracy)
  })

  it('needs fewer rows in an epoch', async () => {
    const steps: number[] = []
    for (const packing of [false, true])
      await trainTiny(at(`packing-${packing}`), { ...keys, from: at('run'), data: [at('pairs.jsonl')], packing, epochs: 1, batch: 2 }, {
        on: (event) => event.type === 'start' && steps.push(event.steps),
      }) // biome-ignore format: one line
    expect(steps[1]).toBeLessThan(steps[0] / 1.5)
  })
})

it('heed data shows which tokens are counted', async () => {
  const { out, mistake } = await heed('data', at('pairs.jsonl'), '--run', at('run'))
  expect(mistake).toBe('')
  expect(out).toMatch(/\[0\].*\[ of\].*\[<\|im_end\|>\]/)
})
