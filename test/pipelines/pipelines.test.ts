// Against transformers' pipelines on tiny models; scripts/fixtures/pipelines.py made what is expected.
import { readFileSync } from 'node:fs'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manualSeed } from '../../src/index.ts'
import { fromPretrained, GPT2, savePretrained } from '../../src/models/index.ts'
import { type Aggregation, pipeline, taskNames } from '../../src/pipelines/index.ts'
import { Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { expectCloseResult } from '../support/close.ts'
import { heedError } from '../support/heed-error.ts'

const folder = (name: string): string => join(FIXTURES, 'pipelines', name)
const expected = JSON.parse(readFileSync(folder('expected.json'), 'utf8'))
const TEXTS: string[] = expected.texts

describe('fill-mask', () => {
  it('guesses as transformers does, alone and in batches', async () => {
    const fill = await pipeline('fill-mask', folder('masked-lm'))
    for (const [i, text] of expected.masked.entries())
      expectCloseResult(await fill(text), expected.fill[i])
    expectCloseResult(await fill(expected.masked), expected.fill)
    expectCloseResult(await fill(expected.masked, { batchSize: 1 }), expected.fill)
    expectCloseResult(await fill('The [MASK] of a [MASK]', { topK: 2 }), expected.fillTwo)
    expectCloseResult(await fill(['The [MASK] of a [MASK]', expected.masked[1]], { topK: 2 }), [
      expected.fillTwo,
      expected.fill[1].slice(0, 2),
    ])
    await expect(fill('Nothing here')).rejects.toThrow(
      heedError('invalid-data', { remedy: '[MASK]' }),
    )
  })
})

describe('text-classification', () => {
  it('scores as transformers does', async () => {
    const classify = await pipeline('text-classification', folder('sequence'))
    expectCloseResult(await classify(TEXTS, { topK: null }), expected.classify)
    expectCloseResult(
      await classify(TEXTS),
      expected.classify.map(([best]: unknown[]) => best),
    )
    expectCloseResult(await classify(TEXTS[0], { topK: 2 }), expected.classify[0].slice(0, 2))
    expectCloseResult(await classify(TEXTS[2], { topK: null }), expected.classify[2])
  })

  it('takes labels apart that do not exclude each other', async () => {
    const dir = await temporaryFolder()
    await cp(folder('sequence'), dir, { recursive: true })
    const path = join(dir, 'config.json')
    const config = JSON.parse(await readFile(path, 'utf8'))
    await writeFile(path, JSON.stringify({ ...config, problem_type: 'multi_label_classification' }))
    const classify = await pipeline('sentiment-analysis' as 'text-classification', dir)
    expectCloseResult(await classify(TEXTS, { topK: null }), expected.classifyMulti)
  })
})

describe('token-classification', () => {
  it.each(['none', 'simple', 'first', 'average', 'max'])('tags: %s', async (name) => {
    const tag = await pipeline('token-classification', folder('token'))
    const aggregation = name as Aggregation
    expectCloseResult(await tag(TEXTS, { aggregation }), expected.tag[name])
    expectCloseResult(await tag(TEXTS[1], { aggregation }), expected.tag[name][1])
  })

  it('leaves out what it is told to', async () => {
    const tag = await pipeline('token-classification', folder('token'))
    const all = await tag(TEXTS[1], { ignoreLabels: [] })
    expect(all.length).toBe((await tokens(TEXTS[1])).length)
    await expect(tag('a', { aggregation: 'word' as 'max' })).rejects.toThrow(
      heedError('invalid-option', { key: 'aggregation', remedy: 'none, simple' }),
    )
  })
})

const tokens = async (text: string): Promise<number[]> =>
  (await Tokenizer.fromFile(folder('token'))).encode(text, { addSpecialTokens: false })

describe('question-answering', () => {
  it('answers as transformers did', async () => {
    const answer = await pipeline('question-answering', folder('question'))
    for (const [i, [question, context]] of expected.questions.entries()) {
      expectCloseResult(await answer(question, context, { topK: 3 }), expected.answers[i])
      expectCloseResult(await answer(question, context), expected.answers[i][0])
    }
  })

  it('reads long texts in windows', async () => {
    const answer = await pipeline('question-answering', folder('question'))
    const [question, context] = expected.questions[0]
    const padding = 'The ship of a captain. '.repeat(12)
    const long = padding + context + padding
    const found = await answer(question, long, { topK: 5 })
    expect(found).toHaveLength(5)
    for (const { answer, start, end } of found) expect(long.slice(start, end)).toBe(answer)
    expect(new Set(found.map(({ start, end }) => `${start} ${end}`)).size).toBe(5)
    await expect(answer(question, ' ')).rejects.toThrow(
      heedError('invalid-data', { mentions: 'context' }),
    )
    await expect(answer('who '.repeat(60), context)).rejects.toThrow(
      heedError('invalid-data', { mentions: '16 tokens' }),
    )
  })
})

describe('feature-extraction', () => {
  it('pools and normalises, whatever stands together', async () => {
    const embed = await pipeline('feature-extraction', folder('encoder'))
    const { mean, cls, normalized } = expected.features
    for (const batchSize of [1, 3, 16]) {
      const pooled = await embed(TEXTS, { pooling: 'mean', batchSize })
      expectCloseResult(await pooled.tolist(), mean)
    }
    expectCloseResult(await (await embed(TEXTS, { pooling: 'cls' })).tolist(), cls)
    const unit = await embed(TEXTS, { pooling: 'mean', normalize: true })
    expectCloseResult(await unit.tolist(), normalized)
    expectCloseResult(await (await embed(TEXTS[0])).tolist(), expected.states)
    const all = await embed(TEXTS)
    expect(all.shape.slice(0, 2)).toEqual([4, Math.max(...(await lengths()))])
    expectCloseResult(((await all.tolist()) as number[][][])[0].slice(0, 7), expected.states[0])
  })

  it('cuts what is too long, unless it is not to', async () => {
    const embed = await pipeline('feature-extraction', folder('encoder'))
    const long = 'whale '.repeat(100)
    expect((await embed(long)).shape).toEqual([1, 64, 16])
    await expect(embed(long, { truncate: false })).rejects.toThrow(
      heedError('invalid-option', { value: 102, mentions: '64 tokens' }),
    )
    await expect(embed([])).rejects.toThrow(heedError('invalid-option', { mentions: /\bone\b/ }))
  })
})

async function lengths(): Promise<number[]> {
  const tokenizer = await Tokenizer.fromFile(folder('encoder'))
  return TEXTS.map((text) => tokenizer.encode(text).length)
}

describe('text-generation', () => {
  it('goes on with one text or several', async () => {
    manualSeed(4)
    const tokenizer = trainTokenizer(['to be or not to be, that is the question'], {
      type: 'char',
    })
    const model = new GPT2({
      vocab_size: tokenizer.vocabSize,
      n_embd: 16,
      n_layer: 1,
      n_head: 2,
      n_positions: 32,
    })
    const dir = await temporaryFolder()
    await savePretrained(model, dir, { tokenizer })
    const write = await pipeline('text-generation', dir)
    const options = { maxTokens: 5, temperature: 0 }
    const pieces: string[] = []
    const [{ generated_text: one }] = await write('to b', {
      ...options,
      onText: (p) => pieces.push(p),
    })
    expect(one).toBe(`to b${pieces.join('')}`)
    const all = await write(['to b', 'that'], options)
    expect(all[0]).toEqual([{ generated_text: one }])
    expect(all[1][0].generated_text).toMatch(/^that.{5}$/)
    const [alone] = await write('to b', { ...options, returnFullText: false })
    expect(`to b${alone.generated_text}`).toBe(one)
  })
})

describe('pipeline', () => {
  it('names the tasks, and refuses a model that is for something else', async () => {
    await expect(pipeline('fill-masks' as 'fill-mask', '.')).rejects.toThrow(
      heedError('unknown-name', { remedy: 'fill-mask?' }),
    )
    await expect(pipeline('__proto__' as 'fill-mask', '.')).rejects.toThrow(
      heedError('unknown-name'),
    )
    expect(taskNames()).toContain('feature-extraction')
    await expect(pipeline('token-classification', folder('masked-lm'))).rejects.toThrow(
      heedError('unsupported', { key: 'task', mentions: 'classifier.weight' }),
    )
  })

  it('takes a name of the hub, from the cache without a request', async () => {
    const cacheDir = await temporaryFolder()
    const options = { cacheDir, localFilesOnly: true }
    await expect(pipeline('fill-mask', 'org/model', options)).rejects.toThrow(
      heedError('missing-file', { key: 'localFilesOnly', value: 'org/model' }),
    )
    await cp(folder('masked-lm'), join(cacheDir, 'org--model'), { recursive: true })
    const here = await pipeline('fill-mask', folder('masked-lm'))
    const cached = await pipeline('fill-mask', 'org/model', options)
    expect(await cached('a [MASK]')).toEqual(await here('a [MASK]'))
  })

  it('takes a model that is there, and a tokenizer that fits it', async () => {
    const model = await fromPretrained(folder('encoder'), 'encoder')
    const tokenizer = await Tokenizer.fromFile(folder('encoder'))
    const embed = await pipeline('feature-extraction', { model, tokenizer })
    expect((await embed('a', { pooling: 'cls' })).shape).toEqual([1, 16])
    const large: Tokenizer = Object.create(tokenizer, { vocabSize: { value: 1000 } })
    await expect(pipeline('feature-extraction', { model, tokenizer: large })).rejects.toThrow(
      heedError('invalid-config'),
    )
  })
})
