// In-context learning: examples in the prompt, draws of them, permuted answers.
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { generate } from '../../src/generate/index.ts'
import { tensor } from '../../src/index.ts'
import { meanInterval } from '../../src/metrics/index.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import {
  completed,
  contextOf,
  drawsOf,
  isSameAnswer,
  layoutOf,
  permuted,
} from '../../src/train/few-shot/shots.ts'
import { fewShot, readShots } from '../../src/train/index.ts'
import { heed } from '../cli/in-process.ts'
import { heedError } from '../support/heed-error.ts'
import { scratch, writeRows } from './support.ts'

const at = scratch()
const file = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))
const encoder = fileURLToPath(new URL('../fixtures/pipelines/encoder', import.meta.url))
const words = ['sea', 'ship', 'sail', 'wind', 'rope', 'fish', 'whale']
const shots = words.map((word) => ({ prompt: `${word} ->`, answer: `${word}s` }))
const most = { most: 2, count: 3, seed: 1 }

let model: CausalLM
let tokenizer: Tokenizer
beforeAll(async () => {
  model = (await fromPretrained(file, 'causal-lm')).eval()
  tokenizer = await Tokenizer.fromFile(file)
})

describe('the prompt', () => {
  it('has the instruction, the examples and the question on lines', () => {
    const layout = layoutOf(shots, 'Plurals:')
    expect(contextOf(shots.slice(0, 2), layout)).toBe('Plurals:\nsea -> seas\nship -> ships\n')
    expect(contextOf([], layoutOf(shots, ''))).toBe('')
    expect(layout.stop).toBe('\n')
  })

  it('has an empty line between examples of several lines', () => {
    const reviews = [{ prompt: 'Fine.\nLabel: ', answer: 'good' }]
    expect(contextOf(reviews, layoutOf(reviews, ''))).toBe('Fine.\nLabel: good\n\n')
    expect(layoutOf(reviews, '').stop).toBe('\n')
    expect(layoutOf([{ prompt: 'a', answer: 'b\nc' }], '').stop).toBe('\n\n')
    expect(completed('text\n', 'label')).toBe('text\nlabel')
  })

  it('has the answer of another example when answers are permuted', () => {
    const changed = permuted(shots)
    expect(changed.map(({ prompt }) => prompt)).toEqual(shots.map(({ prompt }) => prompt))
    for (const [i, { answer }] of changed.entries()) expect(answer).not.toBe(shots[i].answer)
    expect(changed.map(({ answer }) => answer).sort()).toEqual(shots.map(({ answer }) => answer).sort()) // biome-ignore format: one line
  })

  it('is compared without case, white space and punctuation at the end', () => {
    expect(isSameAnswer(' New  York.', 'new york')).toBe(true)
    expect(isSameAnswer('-5', '5')).toBe(false)
  })
})

describe('draws', () => {
  it('take their examples from the questions, and ask the others', () => {
    const draws = drawsOf(shots, undefined, most)
    for (const { pool, asked } of draws) {
      expect(pool).toHaveLength(2)
      expect([...pool, ...asked].map(({ prompt }) => prompt).sort()).toEqual(shots.map(({ prompt }) => prompt).sort()) // biome-ignore format: one line
    }
    expect(drawsOf(shots, undefined, most)).toEqual(draws)
    expect(drawsOf(shots, undefined, { ...most, seed: 2 })).not.toEqual(draws)
  })

  it('take the first examples in their order for 0', () => {
    const [draw, ...others] = drawsOf(shots, undefined, { ...most, count: 0 })
    expect(others).toEqual([])
    expect(draw).toEqual({ pool: shots.slice(0, 2), asked: shots.slice(2) })
    const given = drawsOf(shots.slice(2), shots.slice(0, 2), { ...most, count: 0 })
    expect(given).toEqual([draw])
  })

  it('have an interval by Student', () => {
    expect(meanInterval([1])).toEqual({ mean: 1, interval: null })
    const { mean, interval } = meanInterval([1, 2, 3, 4, 5])
    expect(mean).toBe(3)
    expect(interval?.[0]).toBeCloseTo(1.0368, 3)
    const many = meanInterval(Array.from({ length: 31 }, (_, i) => i))
    expect(many.interval?.[1]).toBeCloseTo(18.336, 2) // t(30) = 2.0423
  })
})

describe('fewShot', () => {
  it('gives the answers that generation gives to the whole prompt', async () => {
    const { results, asked } = await fewShot(model, tokenizer, shots, { shots: [0, 2], draws: 0, batchSize: 3 }) // biome-ignore format: one line
    expect(results.map(({ questions }) => questions)).toEqual([5, 5])
    expect(results[1].permuted?.draws).toHaveLength(1)
    expect(results[0].permuted).toBeNull()
    for (const { prompt, predicted } of asked) {
      let text = ''
      const whole = `sea -> seas\nship -> ships\n${prompt}`
      for await (const piece of generate(model, tokenizer, whole, { temperature: 0, stop: ['\n'], maxTokens: 30 })) text += piece // biome-ignore format: one line
      expect(text.trim().startsWith(predicted)).toBe(true)
    }
  })

  it('chooses the most probable answer', async () => {
    const choices = ['whales', 'sea and ship', 'x']
    const questions = words.map((word, i) => ({ prompt: `${word} is`, answer: choices[i % 3] }))
    const { asked } = await fewShot(model, tokenizer, questions, { shots: [1], draws: 0, choices })
    for (const { prompt, predicted } of asked) {
      const context = `sea is whales\n${prompt}`
      const scores = await Promise.all(choices.map((choice) => logProbability(context, choice)))
      expect(predicted).toBe(choices[scores.indexOf(Math.max(...scores))])
    }
  })

  it('reports each draw, and the same for the same seed', async () => {
    const options = { shots: [1, 0], draws: 3, seed: 4 }
    const first = await fewShot(model, tokenizer, shots, options)
    expect(first.results.map((result) => result.shots)).toEqual([1, 0])
    expect(first.results.map(({ accuracy }) => accuracy.draws.length)).toEqual([3, 1])
    expect(first.results[0].accuracy.interval).toHaveLength(2)
    expect(await fewShot(model, tokenizer, shots, options)).toEqual(first)
  })

  it('refuses too few examples, prompts that are too long, and answers that are no choice', async () => {
    const of = (options: object, questions = shots) => fewShot(model, tokenizer, questions, options)
    await expect(of({ shots: [7] })).rejects.toThrow(heedError('invalid-option', { key: 'shots', value: 7 })) // biome-ignore format: one line
    await expect(of({ shots: [3], examples: shots.slice(0, 2) })).rejects.toThrow(heedError('invalid-option', { key: 'shots', mentions: '2' })) // biome-ignore format: one line
    const long = shots.map(({ prompt, answer }) => ({ prompt: `${'sea '.repeat(model.contextLength >> 2)}${prompt}`, answer })) // biome-ignore format: one line
    await expect(of({ shots: [5] }, long)).rejects.toThrow(heedError('invalid-option', { key: 'shots', value: 5, mentions: String(model.contextLength), remedy: 'fewer' })) // biome-ignore format: one line
    await expect(of({ choices: ['a', 'b'] })).rejects.toThrow(heedError('invalid-data', { key: 'answer', mentions: 'questions[0]' })) // biome-ignore format: one line
    await expect(of({ choices: ['seas'] })).rejects.toThrow(heedError('invalid-data'))
    await expect(of({}, [{ prompt: 'a', answer: ' ' }, ...shots])).rejects.toThrow(heedError('invalid-data', { key: 'answer' })) // biome-ignore format: one line
    await expect(of({}, [{ prompt: 'a', answer: 'b\n\nc' }, ...shots])).rejects.toThrow(heedError('invalid-data', { mentions: 'empty line' })) // biome-ignore format: one line
  })
})

async function logProbability(context: string, choice: string): Promise<number> {
  const [prompt, all] = [tokenizer.encode(context), tokenizer.encode(`${context} ${choice}`)]
  const logits = model.forward(tensor([all], { dtype: 'i32' })).logSoftmax(-1)
  const values = await logits.data()
  let sum = 0
  for (let i = prompt.length; i < all.length; i++)
    sum += Number(values[(i - 1) * model.vocabSize + all[i]])
  return sum
}

describe('heed eval --shots', () => {
  const plain = writeRows(at('words.jsonl'), words.map((word) => ({ word, plural: `${word}s` }))) // biome-ignore format: one line
  const labels = writeRows(at('labels.jsonl'), words.map((text, i) => ({ text, label: i % 2 ? 'a' : 'b' }))) // biome-ignore format: one line

  it('prints accuracy with and without permuted answers', async () => {
    const { out } = await heed('eval', file, '--data', plain, '--shots', '0,2', '--draws', '2', '--format', '{word} -> {plural}', '--show', '1') // biome-ignore format: one line
    expect(out).toMatch(/examples +questions +accuracy +95 % +permuted/)
    expect(out).toMatch(/ 0 +7 +0\.\d{3}\n +2 +5 +0\.\d{3} +0\.\d{3} to [01]\.\d{3} +0\.\d{3}/)
    expect(out).toMatch(/Wrong with 2 examples:\n.+->.+\(true: \w+s\)$/)
  })

  it('chooses among labels, and prints JSON', async () => {
    const { out } = await heed('eval', file, '--data', labels, '--examples', labels, '--shots', '1', '--draws', '2', '--limit', '4', '--json') // biome-ignore format: one line
    const { results, asked } = JSON.parse(out)
    expect(results).toMatchObject([{ shots: 1, questions: 4, accuracy: { draws: [expect.any(Number), expect.any(Number)] } }]) // biome-ignore format: one line
    expect(asked).toHaveLength(4)
    for (const { predicted } of asked) expect(['a', 'b']).toContain(predicted)
  })

  it.each([
    ['columns that are missing', ['--data', plain, '--shots', '1'], /prompt and completion.*'word'[\s\S]*--format/],
    ['a format without columns', ['--data', plain, '--shots', '1', '--format', '{word}'], /--format/],
    ['a column that is not there', ['--data', plain, '--shots', '1', '--format', '{word} {plurals}'], /words\.jsonl:1: .*'plurals'/],
    ['options without --shots', ['--data', plain, '--draws', '2'], /--draws.*--shots/],
    ['a task, which has no effect', ['--data', plain, '--shots', '1', '--task', 'chat'], /--task.*--shots/],
    ['no data', ['--shots', '1'], /--data/],
    ['numbers that are none', ['--data', plain, '--shots', '1,x'], /whole numbers/],
  ])('refuses %s', async (_, flags, mistake) => {
    expect((await heed('eval', file, ...flags)).mistake).toMatch(mistake)
  }) // biome-ignore format: short

  it('refuses a model that does not write text, and labels that are all the same', async () => {
    expect((await heed('eval', encoder, '--data', labels, '--shots', '1')).mistake).toMatch(/BERT/) // biome-ignore format: one line
    const same = writeRows(at('same.jsonl'), words.map((text) => ({ text, label: 'a' }))) // biome-ignore format: one line
    await expect(readShots(same)).rejects.toThrow(heedError('invalid-data', { key: 'label' }))
  })
})
