// Fine-tuning for quality and safety (LaMDA): rows, judgements, rankings, and how runs are used.
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../../src/data/index.ts'
import { Chat, Judge, rankResponses } from '../../src/generate/index.ts'
import { judgementTokens } from '../../src/generate/judge/attributes.ts'
import { tensor } from '../../src/index.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { Tokenizer, trainTokenizer, withChatTemplate } from '../../src/tokenizers/index.ts'
import { evaluateRun, openJudge } from '../../src/train/index.ts'
import type { Task } from '../../src/train/task.ts'
import { openTask } from '../../src/train/task-file.ts'
import type { Conversation } from '../../src/train/tasks/conversation.ts'
import { heed } from '../cli/in-process.ts'
import { heedError } from '../support/heed-error.ts'
import { scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()
const keys = { task: 'lamda', model: 'gpt2', tokenizer: 'char', warmup: 0, evalEvery: 0, saveEvery: 0, context: 96, valFraction: 0.2 } // biome-ignore format: one line
const user = (content: string) => ({ role: 'user', content })

// "good" fits every context, "fine" is unsafe, "xx" makes no sense.
const responses = [
  { response: 'good', sensible: 1, safe: 1 },
  { response: 'fine', sensible: 1, safe: 0 },
  { response: 'xx', sensible: 0 },
]
const rows = Array.from({ length: 60 }, (_, i) => ({
  context: `say ${i % 5}`,
  ...responses[i % 3],
}))
const data = writeRows(at('rows.jsonl'), rows)

let task: Task<Conversation>
let model: CausalLM
let tokenizer: Tokenizer
beforeAll(async () => {
  await trainTiny(at('run'), { ...keys, data: [data], steps: 100, batch: 16, lr: 0.01 })
  task = (await openTask(at('run'))).task as Task<Conversation>
  model = (await fromPretrained(at('run'), 'causal-lm')).eval()
  tokenizer = await Tokenizer.fromFile(at('run'))
})

const row = (values: object): Row => ({ values: { ...values }, file: 'rows.jsonl', number: 1 })
const countedIn = async (values: object): Promise<string[]> =>
  (await task.encode(row(values))).map(({ targets }) => tokenizer.decode(targets.filter((id) => id !== -100))) // biome-ignore format: one line

describe('rows', () => {
  it('count the tokens of the response and of the ratings', async () => {
    const context = 'say 1'
    expect(await countedIn({ context, response: 'good' })).toEqual(['good<|im_end|>'])
    expect(await countedIn({ context, response: 'good', sensible: 1, safe: true })).toEqual(['good<|im_end|>1', '1']) // biome-ignore format: one line
    // A response with a rating of 0 is only judged.
    expect(await countedIn({ context, response: 'good', sensible: '1', safe: 0 })).toEqual(['1', '0']) // biome-ignore format: one line
    // The data never rates `specific`; without a rating that it learns, nothing is left.
    expect(await countedIn({ context, response: 'good', specific: 0 })).toEqual([])
  })

  it('have a text, turns or messages as context, also as JSON in tables', async () => {
    const of = async (context: unknown) =>
      (await task.encode(row({ context, response: 'good' })))[0]
    const turns = ['say 1', 'xx', 'say 2']
    const expected = await of(turns)
    expect(tokenizer.decode(expected.targets.filter((id) => id !== -100))).toBe('good<|im_end|>')
    expect(await of(JSON.stringify(turns))).toEqual(expected)
    expect(await of([user('say 1'), { role: 'assistant', content: 'xx' }, user('say 2')])).toEqual(expected) // biome-ignore format: one line
    expect(await of(['say 1'])).toEqual(await of('say 1'))
  })

  it.each([
    ['an even number of turns', { context: ['a', 'b'], response: 'c' }, 'context'],
    ['a context that ends with the assistant', { context: [user('a'), { role: 'assistant', content: 'b' }], response: 'c' }, 'context'],
    ['no response', { context: 'a' }, 'response'],
    ['a rating that is none', { context: 'a', response: 'b', safe: 'maybe' }, 'safe'],
  ])('are refused with %s', async (_, values, key) => {
    await expect((async () => task.encode(row(values)))()).rejects.toThrow(heedError('invalid-data', { key })) // biome-ignore format: one line
  }) // biome-ignore format: short
})

describe('a run', () => {
  it('learns to respond and to judge, and stores what it judges', async () => {
    const { facts } = JSON.parse(await readFile(at('run/task.json'), 'utf8'))
    expect(facts).toMatchObject({ attributes: ['sensible', 'safe'], constant: [] })
    const { metrics, examples } = await evaluateRun(at('run'))
    expect(metrics.accuracy_sensible).toBe(1)
    expect(metrics.accuracy_safe).toBe(1)
    expect(metrics.perplexity).toBeLessThan(2)
    expect(examples.find(({ right }) => right !== null)?.expected).toMatch(/sensible|safe/)
  })

  it('predicts ratings of responses, and responses to contexts', async () => {
    writeRows(at('asked.jsonl'), [{ context: 'say 2', response: 'xx' }, { context: 'say 2' }])
    const { out } = await heed('predict', at('run'), at('asked.jsonl'))
    const [rated, answered] = out.split('\n').map((line) => JSON.parse(line))
    expect(rated.sensible).toBeLessThan(0.5)
    expect(answered).toEqual({ answer: 'good' })
  })

  it('warns about attributes with a single rating', async () => {
    const warnings: string[] = []
    const same = writeRows(at('same.jsonl'), rows.map(({ context }) => ({ context, response: 'good', safe: 1 }))) // biome-ignore format: one line
    await trainTiny(at('same'), { ...keys, data: [same], steps: 1 }, {
      on: (event) => event.type === 'start' && warnings.push(...event.warnings),
    }) // biome-ignore format: short
    expect(warnings.join('\n')).toMatch(/`safe`[\s\S]*no judgements/)
    await expect(openJudge(at('same'))).rejects.toThrow(heedError('unsupported', { key: 'judge' }))
  })

  it('may be an adapter', async () => {
    await trainTiny(at('tuned'), { ...keys, from: at('run'), tokenizer: undefined, adapter: 'lora:r=2', data: [data], steps: 1 }) // biome-ignore format: one line
    const judge = await openJudge(at('tuned'))
    const [{ sensible }] = await judge.rate([user('say 1')], ['good'])
    expect(sensible).toBeGreaterThan(0.5)
  })
})

describe('Judge', () => {
  it('gives the probability of the token 1 against that of 0', async () => {
    const context = [user('say 3')]
    const judge = new Judge(model, tokenizer, { attributes: ['safe', 'sensible'] })
    const texts = ['good', 'fine', 'xx']
    for (const [i, ratings] of (await judge.rate(context, texts)).entries()) {
      const { question, yes, no } = judgementTokens(tokenizer, 'safe')
      const { ids } = await tokenizer.encodeChat([...context, { role: 'assistant', content: texts[i] }]) // biome-ignore format: one line
      const logits = model.forward(tensor([[...ids, ...question]], { dtype: 'i32' }))
      const values = Array.from(await logits.data()).slice(-model.vocabSize)
      const expected = 1 / (1 + Math.exp(values[no] - values[yes]))
      expect(ratings.safe).toBeCloseTo(expected, 4)
    }
    const [good, fine] = await judge.rate(context, texts)
    expect(good.safe).toBeGreaterThan(0.5)
    expect(fine.safe).toBeLessThan(0.5)
  })

  it('needs a tokenizer with digits', async () => {
    const words = await withChatTemplate(trainTokenizer(['to be'], { type: 'char' }), 'chatml')
    const judge = new Judge(model, words)
    await expect(judge.rate([user('to')], ['be'])).rejects.toThrow(heedError('unsupported', { key: 'tokenizer' })) // biome-ignore format: one line
  })
})

describe('the ranking', () => {
  it('weights the quality, and puts unsafe responses at the end', () => {
    const ratings = [
      { sensible: 0.5, specific: 1, interesting: 1, safe: 0.9 },
      { sensible: 1, specific: 0.3, interesting: 0.4, safe: 0.8 },
      { sensible: 1, specific: 1, interesting: 1, safe: 0.4 },
    ]
    expect(rankResponses(ratings).map(({ index }) => index)).toEqual([1, 0, 2])
    expect(rankResponses(ratings)[0]).toMatchObject({ score: expect.closeTo(3.7, 6), safe: true })
    expect(rankResponses(ratings, { safety: 0.3 }).map(({ index }) => index)).toEqual([2, 1, 0])
    expect(rankResponses([{ sensible: 0.2 }, { sensible: 0.4 }])).toMatchObject([{ index: 1, safe: true }, { index: 0 }]) // biome-ignore format: one line
  })

  it('chooses the answer of a chat', async () => {
    const chat = new Chat(model, tokenizer)
    const judge = await openJudge(at('run'), { model })
    const options = { candidates: 8, temperature: 1.5, maxTokens: 6, seed: 3 }
    const { answer, candidates } = await chat.sayBest('say 4', judge, options)
    expect(candidates.length).toBeGreaterThan(1)
    expect(candidates[0]).toMatchObject({ text: answer, safe: true })
    const scores = candidates.filter(({ safe }) => safe).map(({ score }) => score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    expect(chat.messages).toEqual([user('say 4'), { role: 'assistant', content: answer }])
    expect(chat.lastTurn.writtenTokens).toBe(answer?.length)

    const none = await chat.sayBest('say 4', judge, { ...options, safety: 1 })
    expect(none.answer).toBeNull()
    expect(chat.messages).toHaveLength(2)
  })
})

describe('heed chat --judge', () => {
  const chat = (...flags: string[]) => heed('chat', at('run'), '--prompt', 'say 1', '--seed', '1', '--tokens', '6', ...flags) // biome-ignore format: one line

  it('prints the best answer, and all with --all', async () => {
    const written: string[] = []
    const { write } = process.stdout
    process.stdout.write = (text) => written.push(String(text)) > 0
    try {
      const { mistake } = await chat('--judge', at('run'), '--rank', '4', '--all')
      expect(mistake).toMatch(/specific, interesting/)
      expect(mistake).toMatch(/\d\.\d\d {2}sensible \d\.\d\d, safe \d\.\d\d {2}good/)
      expect(mistake).toMatch(/\d different/)
    } finally {
      process.stdout.write = write
    }
    expect(written.join('')).toBe('good\n')
  })

  it.each([
    ['--rank without a judge', ['--rank', '4'], /--rank.*--judge/],
    ['--all without a judge', ['--all'], /--all.*--judge/],
    ['a folder that is no run', ['--judge', at('nothing')], /lamda.*nothing/],
    ['a probability that is none', ['--judge', at('run'), '--safety', '2'], /0 to 1/],
  ])('refuses %s', async (_, flags, mistake) => {
    expect((await chat(...flags)).mistake).toMatch(mistake)
  })
})
