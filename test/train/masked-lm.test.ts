import { describe, expect, it } from 'vitest'
import { pipeline } from '../../src/pipelines/index.ts'
import { addSpecialTokens, trainTokenizer } from '../../src/tokenizers/index.ts'
import { Draws } from '../../src/train/draws.ts'
import { openRun } from '../../src/train/open-run.ts'
import { segmentPairs, sentencesOf } from '../../src/train/tasks/documents.ts'
import { fillMask } from '../../src/train/tasks/fill-mask.ts'
import { Masking } from '../../src/train/tasks/masking.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, weightsOf, writeRows } from './support.ts'

const at = scratch()

// two kinds of documents, so that it can be told whether two segments are of one
const kinds = [
  ['the cat', 'a dog', 'the bird', 'my fish'].flatMap((who) =>
    ['eats', 'sleeps', 'plays'].map((does) => `${who} ${does} all day.`),
  ),
  ['seven', 'eight', 'nine', 'ten'].flatMap((n) =>
    ['plus', 'minus', 'times'].map((op) => `${n} ${op} two makes much.`),
  ),
]
const documents = Array.from({ length: 40 }, (_, d) => ({
  text: Array.from({ length: 12 }, (_, i) => kinds[d % 2][(i * (1 + d) + d) % 12]).join(' '),
}))
const data = [writeRows(at('documents.jsonl'), documents)]
const keys = {
  task: 'fill-mask',
  data,
  tokenizer: 'wordpiece:300',
  steps: 150,
  warmup: 10,
  dropout: 0,
}
const learning = { ...keys, lr: 3e-3, steps: 400, dim: 32 }

const words = Array.from({ length: 600 }, (_, i) => `word${i} `).join('')
const tokenizer = addSpecialTokens(trainTokenizer([words], { type: 'wordpiece', vocabSize: 700 }), {
  names: { mask_token: '[MASK]' },
})

describe('masking', () => {
  it('chooses 15 % of a million tokens, of these 80, 10 and 10 %, never a special one', () => {
    const masking = new Masking(tokenizer, tokenizer.maskTokenId as number, 0.15)
    const text = tokenizer.encode(words.slice(0, 2000)) // with [CLS] and [SEP]
    const counts = { tokens: 0, chosen: 0, masked: 0, other: 0, same: 0 }
    for (let step = 0; counts.tokens < 1e6; step++) {
      const { ids, labels } = masking.apply(text, new Draws({ seed: 5, step }, 'masking'))
      text.forEach((id, i) => {
        if (tokenizer.isSpecial(id)) {
          expect([ids[i], labels[i]]).toEqual([id, -100])
          return
        }
        counts.tokens++
        if (labels[i] === -100) {
          if (ids[i] !== id) throw new Error('a token that was not chosen has changed')
          return
        }
        counts.chosen++
        if (labels[i] !== id) throw new Error('the label is not what stood there')
        if (ids[i] === tokenizer.maskTokenId) counts.masked++
        else if (tokenizer.isSpecial(ids[i])) throw new Error('a special token was put in')
        else if (ids[i] === id) counts.same++
        else counts.other++
      })
    }
    const share = (count: number): number => count / counts.chosen
    // four standard errors; the random token is the same one now and then
    expect(Math.abs(counts.chosen / counts.tokens - 0.15)).toBeLessThan(4 * Math.sqrt(0.1275 / 1e6))
    expect(Math.abs(share(counts.masked) - 0.8)).toBeLessThan(4 * Math.sqrt(0.16 / 150_000))
    expect(Math.abs(share(counts.other) - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / 150_000) + 2e-4)
    expect(Math.abs(share(counts.same) - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / 150_000) + 2e-4)
  })

  it('is a function of seed and step, and chooses something in the shortest text', () => {
    const masking = new Masking(tokenizer, tokenizer.maskTokenId as number, 0.15)
    const short = tokenizer.encode('word1')
    const apply = (seed: number, step: number) =>
      masking.apply(short, new Draws({ seed, step }, 'masking'))
    for (let step = 0; step < 50; step++) {
      expect(apply(1, step)).toEqual(apply(1, step))
      expect(apply(1, step).labels.some((label) => label >= 0)).toBe(true)
    }
  })
})

describe('documents', () => {
  it('are cut in sentences, and lines that were broken are joined', () => {
    const text = 'One is\nhere. “Two?” Three!\n\nA title\n \nFour, e.g. five.'
    const parts = ['One is here.', '“Two?”', 'Three!', 'A title', 'Four, e.g.', 'five.']
    expect(sentencesOf(text)).toEqual(parts)
  })

  it('become pairs of neighbouring segments that fit', () => {
    const text = Array.from({ length: 60 }, (_, i) => `word${i} word${i + 1}.`).join(' ')
    const pairs = segmentPairs(text, tokenizer, 24, (n) => (n % 3) / 3)
    for (const { first, second } of pairs) {
      expect(first.length).toBeGreaterThan(0)
      expect(second.length).toBeGreaterThan(0)
      expect(first.length + second.length).toBeLessThanOrEqual(24)
    }
    const all = pairs.flatMap(({ first, second }) => [...first, ...second])
    const whole = tokenizer.encode(text, { addSpecialTokens: false })
    expect(all).toEqual(whole.slice(0, all.length))
  })

  it('exchange half of the second segments, always with another document', async () => {
    const out = at('pairs')
    await trainTiny(out, { ...keys, model: 'bert', steps: 1 })
    const { task } = await openRun(out)
    const rows = documents.map((values, i) => ({ values, file: 'a', number: i + 1 }))
    const examples = (await Promise.all(rows.map((row) => task.encode(row)))).flat()
    const bySecond = new Map(
      (examples as { second: number[]; document: string }[]).map((e) => [e.second, e]),
    )
    expect(bySecond.size).toBe(examples.length)
    let exchanged = 0
    for (let step = 0; step < 40; step++) {
      const batch = task.collate(examples, 32, { seed: 3, step })
      exchanged += [...batch.next_sentence.data].reduce((a, b) => a + b, 0)
    }
    const n = 40 * examples.length
    expect(Math.abs(exchanged / n - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / n))
  })
})

describe('masked language modeling', () => {
  it('with next-sentence prediction is learnt by bert, and fills masks', async () => {
    const out = at('bert')
    const { evaluation } = await trainTiny(out, { ...learning, model: 'bert' })
    expect(evaluation?.metrics.accuracy).toBeGreaterThan(0.5)
    const { task, model } = await openRun(out)
    // an exchanged segment is of the same kind every other time: 0.75 is all that can be known
    const rows = documents.map((values, i) => ({ values, file: 'a', number: i + 1 }))
    const all = (await Promise.all(rows.map((row) => task.encode(row)))).flat()
    const { metrics } = await task.evaluate(model, all)
    expect(metrics.next_sentence_accuracy).toBeGreaterThan(0.65)
    const values = { text: 'the cat eats all [MASK].' }
    const [row] = await task.predict(model, [{ values, file: 'x', number: 1 }])
    expect(row.tokens).toEqual(['day'])
    const fill = await pipeline('fill-mask', out)
    expect(await fill('seven plus two [MASK] much.', { topK: 1 })).toMatchObject([
      { token_str: 'makes' },
    ])
  })

  it.each([
    ['distilbert', 'wordpiece:300'],
    ['roberta', 'bpe:400'],
  ])('alone is learnt by %s', async (model, tokenizer) => {
    const { evaluation } = await trainTiny(at(model), { ...learning, model, tokenizer })
    expect(evaluation?.metrics.accuracy).toBeGreaterThan(0.5)
    expect(evaluation?.metrics).not.toHaveProperty('next_sentence_accuracy')
  })

  it('goes on bit for bit where it stopped, and serves a classifier', async () => {
    const settings = { ...keys, model: 'bert', steps: 12, dropout: 0.1, evalEvery: 5, saveEvery: 4 }
    await trainTiny(at('whole'), settings)
    await trainTiny(at('parts'), settings, { stopAt: 7 })
    await trainTiny(at('parts'), settings, { resume: true })
    expect(await weightsOf(at('parts'))).toEqual(await weightsOf(at('whole')))
    expect(linesOf(at('parts'))).toEqual(linesOf(at('whole')))
    const rows = documents.map(({ text }, i) => ({ text, label: ['pets', 'sums'][i % 2] }))
    const file = writeRows(at('labels.jsonl'), rows)
    const tuning = { task: 'text-classification', data: [file], model: 'bert', from: at('whole') }
    const { evaluation } = await trainTiny(at('tuned'), { ...tuning, epochs: 8, lr: 3e-3 })
    expect(evaluation?.metrics.accuracy).toBe(1)
  })

  it('says what a tokenizer lacks', () => {
    const bare = trainTokenizer(['some text'], { type: 'char' })
    const parts = { facts: {}, preprocessor: bare, modelType: 'bert', contextLength: 32 }
    const options = {
      textColumn: 'text',
      unit: 'file',
      nextSentence: null,
      maskShare: 0.15,
    } as const
    expect(() => fillMask.create({ ...parts, options })).toThrow(
      heedError('unsupported', { mentions: ['mask', 'cls', 'sep'] }),
    )
  })
})
