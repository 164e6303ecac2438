import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SentenceEncoder } from '../../src/models/index.ts'
import { pipeline } from '../../src/pipelines/index.ts'
import { openRun } from '../../src/train/open-run.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, weightsOf, writeRows } from './support.ts'

const at = scratch()

const names = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald']
const cities = ['Paris', 'Oslo', 'Rome', 'Lima', 'Cairo']
const rowAt = (values: Record<string, unknown>) => ({ values, file: 'x.jsonl', number: 1 })
const keys = { model: 'bert', dim: 32, lr: 3e-3, warmup: 5, dropout: 0, evalEvery: 20 }

describe('tagging', () => {
  const rows = Array.from({ length: 120 }, (_, i) => {
    const [name, city] = [names[i % 6], cities[(i * 3 + (i >> 2)) % 5]]
    const far = i % 2 === 0
    return {
      tokens: [...(far ? ['yesterday'] : []), name, 'Lovelace', 'went', 'to', city, '.'],
      tags: [...(far ? ['O'] : []), 'B-PER', 'I-PER', 'O', 'O', 'B-LOC', 'O'],
    }
  })
  const data = [writeRows(at('tags.jsonl'), rows)]
  const settings = { ...keys, task: 'token-classification', data, epochs: 12 }

  it.each([
    ['bert', 'wordpiece:300'],
    ['roberta', 'bpe:280'],
    ['distilbert', 'char'],
  ])('is learnt by %s from %s', async (model, tokenizer) => {
    const out = at(`tags-${model}`)
    const { evaluation } = await trainTiny(out, { ...settings, model, tokenizer, context: 64 })
    expect(evaluation?.metrics.f1).toBeGreaterThan(0.95)
    const opened = await openRun(out)
    const tokens = 'Grace Lovelace went to Rome .'.split(' ')
    const [row] = await opened.task.predict(opened.model, [rowAt({ tokens })])
    expect(row).toMatchObject({
      tokens,
      tags: ['B-PER', 'I-PER', 'O', 'O', 'B-LOC', 'O'],
      entities: [
        { type: 'PER', start: 0, end: 2, text: 'Grace Lovelace' },
        { type: 'LOC', start: 4, end: 5, text: 'Rome' },
      ],
    })
  })

  it('is read by the pipeline, and goes on bit for bit', async () => {
    const tag = await pipeline('token-classification', at('tags-bert'))
    const found = await tag('Ada Lovelace went to Oslo .', { aggregation: 'first' })
    expect(found.map((one) => [one.entity_group, one.word])).toEqual([
      ['PER', 'ada lovelace'],
      ['LOC', 'oslo'],
    ])
    const short = { ...settings, epochs: 1, dropout: 0.2, evalEvery: 5, saveEvery: 3 }
    await trainTiny(at('whole'), short)
    await trainTiny(at('parts'), short, { stopAt: 5 })
    await trainTiny(at('parts'), short, { resume: true })
    expect(await weightsOf(at('parts'))).toEqual(await weightsOf(at('whole')))
    expect(linesOf(at('parts'))).toEqual(linesOf(at('whole')))
  })

  it('labels the first token of each word and no other, and cuts what is too long', async () => {
    const { task } = await openRun(at('tags-distilbert')) // a character a token
    const words = Array.from({ length: 30 }, (_, i) => names[i % 6])
    const examples = await task.encode(rowAt({ tokens: words, tags: words.map(() => 'O') }))
    const parts = examples as { words: string[]; ids: number[] }[]
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.flatMap(({ words }) => words)).toEqual(words)
    const batch = task.collate(examples, 64, { seed: 0, step: 0 })
    const labelled = [...batch.labels.data].filter((label) => label !== -100)
    expect(labelled).toHaveLength(words.length)
  })

  it('names rows that are wrong', async () => {
    const wrong = [rows[0], { tokens: ['a', 'b'], tags: ['O'] }, { tokens: 7, tags: ['O'] }]
    const file = writeRows(at('wrong.jsonl'), wrong)
    await expect(trainTiny(at('none'), { ...settings, data: [file] })).rejects.toThrow(
      heedError('invalid-data', {
        mentions: ['wrong.jsonl:2', 'got 2', ' 1 ', 'wrong.jsonl:3', "'tokens'", 'got 7'],
      }),
    )
  })
})

describe('question answering', () => {
  const rows = Array.from({ length: 150 }, (_, i) => {
    const [name, city] = [names[i % 6], cities[(i * 3 + (i >> 2)) % 5]]
    const context = i % 2 ? `${name} lives in ${city}.` : `In ${city} lives ${name}.`
    return Math.floor(i / 6) % 3
      ? {
          question: 'who?',
          context,
          answers: { text: [name], answer_start: [context.indexOf(name)] },
        }
      : { question: 'where?', context, answers: city }
  })
  const data = [writeRows(at('squad.jsonl'), rows)]
  const settings = { ...keys, task: 'question-answering', data, context: 32, epochs: 15 }

  it('is learnt by bert, and answered by the pipeline', async () => {
    const out = at('answers')
    const { evaluation } = await trainTiny(out, settings)
    expect(evaluation?.metrics.exact_match).toBeGreaterThan(0.9)
    const { task, model } = await openRun(out)
    const values = { question: 'where?', context: 'Alan lives in Lima.' }
    const [row] = await task.predict(model, [rowAt(values)])
    expect(row).toMatchObject({ answer: 'Lima', start: 14, end: 18 })
    const ask = await pipeline('question-answering', out)
    expect(await ask('who?', 'In Oslo lives Donald.')).toMatchObject({ answer: 'Donald' })
  })

  it('marks the answer in the window that has it', async () => {
    const { task } = await openRun(at('answers'))
    const context = Array.from({ length: 40 }, (_, i) => `${names[i % 5]} is here.`).join(' ')
    const start = context.length + 1
    const row = rowAt({
      question: 'who?',
      context: `${context} Donald lives in Rome.`,
      answers: { text: ['Donald'], answer_start: [start] },
    })
    const examples = (await task.encode(row)) as { start: number; end: number; ids: number[] }[]
    expect(examples.length).toBeGreaterThan(2)
    const marked = examples.filter(({ start }) => start > 0)
    expect(marked.length).toBeGreaterThan(0)
    expect(marked.length).toBeLessThan(3) // windows overlap by half
    expect(marked).toContain(examples.at(-1))
  })

  it('finds an answer behind characters that take two places', async () => {
    const { task } = await openRun(at('answers'))
    const answers = { text: ['Ada', 'Ada'], answer_start: [3, 2] } // as JavaScript and Python count
    const row = rowAt({ question: 'who?', context: '\u{1f40b} Ada lives in Rome.', answers })
    const [example] = (await task.encode(row)) as { answers: unknown }[]
    expect(example.answers).toEqual([3, 3].map((start) => ({ text: 'Ada', start })))
  })

  it('names rows whose answer is not in the text', async () => {
    const file = writeRows(at('wrong-answers.jsonl'), [
      { question: 'who?', context: 'Ada is here.', answers: 'Alan' },
      { question: 'who?', context: 'Ada is here.', answers: { text: [], answer_start: [] } },
    ])
    await expect(trainTiny(at('none'), { ...settings, data: [file] })).rejects.toThrow(
      heedError('invalid-data', { mentions: [':1: ', '"Alan"', ':2: ', "'answers'"] }),
    )
  })
})

describe('sentence pairs', () => {
  const things = ['whale', 'ship', 'storm', 'harpoon', 'captain', 'island', 'sail', 'oil']
  const others = ['cetacean', 'vessel', 'tempest', 'spear', 'master', 'isle', 'canvas', 'fuel']
  const rows = Array.from({ length: 192 }, (_, i) => {
    const [a, b] = [i % 8, (i >> 3) % 8]
    return {
      sentence1: `the ${things[a]} and the ${things[b]}`,
      sentence2: `${others[a]} with ${others[b]}`,
    }
  })
  const data = [writeRows(at('pairs.jsonl'), rows.slice(0, 64).concat(rows.slice(0, 64)))]
  const settings = { ...keys, task: 'feature-extraction', data, batch: 16, epochs: 30 }

  it('get vectors by which they are found, in a folder of sentence-transformers', async () => {
    const out = at('pairs')
    const { evaluation } = await trainTiny(out, settings)
    expect(evaluation?.metrics.mrr).toBeGreaterThan(0.8)
    expect(existsSync(join(out, '1_Pooling/config.json'))).toBe(true)
    const encoder = await SentenceEncoder.fromPretrained(out)
    const texts = ['the whale and the ship', 'cetacean with vessel', 'isle with canvas']
    const [query, right, wrong] = await encoder.embed(texts)
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i], 0)
    expect(dot(query, query)).toBeCloseTo(1, 4)
    expect(dot(query, right)).toBeGreaterThan(dot(query, wrong) + 0.2)
    const { task, model } = await openRun(out)
    const [row] = await task.predict(model, [rowAt({ sentence1: texts[0] })])
    expect((row.embedding as number[])[3]).toBeCloseTo(query[3], 5)
  })
})
