// The loss of a step does not depend on micro-batches, and the loss of held-out data not on the size of batches.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evaluationExamples } from '../../src/train/evaluation-data.ts'
import { HeldOutLoss } from '../../src/train/held-out-loss.ts'
import { evaluateRun } from '../../src/train/index.ts'
import { openWithTask } from '../../src/train/open-run.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { linesOf, scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()
const words = 'ada grace rome oslo lamp door pear rose red green old blue is was it'.split(' ')
/** Texts of very different lengths. */
const textOf = (i: number): string =>
  Array.from({ length: 1 + ((i * 7) % 13) }, (_, j) => words[(i * 5 + j * 3) % words.length]).join(
    ' ',
  )

const rowsOf = (count: number, row: (i: number) => object): object[] =>
  Array.from({ length: count }, (_, i) => row(i))

interface Case {
  model: string
  row?: (i: number) => object
  more?: object
}

const labelled = (i: number) => ({ text: textOf(i), label: i % 3 })
const pairs = (i: number) => ({ source: textOf(i), target: textOf(i + 3).toUpperCase() })
const tagged = (i: number) => {
  const tokens = textOf(i).split(' ')
  return { tokens, tags: tokens.map((_, j) => (i + j) % 3) }
}

/** Every task, and each objective with more than one term. */
const cases: Record<string, Case> = {
  'text-classification': { model: 'bert', row: labelled },
  'text-classification, several labels': {
    model: 'bert',
    row: (i) => ({ text: textOf(i), label: i % 4 === 0 ? [] : ['a', 'b'].slice(i % 2) }),
    more: { task: 'text-classification', multiLabel: true },
  },
  'text-classification, with the next token': {
    model: 'openai-gpt',
    row: labelled,
    more: { task: 'text-classification', lmWeight: 0.5 },
  },
  'token-classification': { model: 'distilbert', row: tagged },
  'question-answering': {
    model: 'bert',
    row: (i) => ({
      question: 'who is it',
      context: `${textOf(i)} ada ${textOf(i + 1)}`,
      answers: 'ada',
    }),
  },
  'fill-mask': { model: 'bert', row: (i) => ({ text: `${textOf(i)}. ${textOf(i + 5)}.` }) },
  'fill-mask, without pairs': {
    model: 'roberta',
    row: (i) => ({ text: textOf(i) }),
    more: { task: 'fill-mask', tokenizer: 'bpe:260' },
  },
  'span-corruption': { model: 't5', row: (i) => ({ text: `ada ${textOf(i)}` }) },
  'text2text-generation': { model: 't5', row: pairs, more: { labelSmoothing: 0.1 } },
  summarization: { model: 't5', row: pairs },
  translation: { model: 'marian', row: pairs },
  'feature-extraction': {
    model: 'distilbert',
    row: (i) => ({ sentence1: textOf(i), sentence2: textOf(i + 4) }),
  },
  'text-generation': { model: 'gpt2', row: (i) => ({ text: textOf(i) }) },
}

const settings = ([name, { model, more }]: [string, Case]) => ({
  model,
  task: name.split(',')[0],
  tokenizer: 'char',
  dropout: 0,
  warmup: 0,
  layers: 1,
  heads: 2,
  dim: 16,
  context: 64,
  seed: 5,
  ...more,
})

const dataOf = (name: string, count: number, { row = () => ({}) }: Case): string =>
  writeRows(at(`${name}-${count}.jsonl`), rowsOf(count, row))

const close = (a: number, b: number): void => {
  expect(a).toBeGreaterThan(0)
  expect(Math.abs(a - b) / Math.abs(b)).toBeLessThan(1e-6)
}

describe.each(Object.entries(cases))('%s', (name, its) => {
  const keys = settings([name, its])

  it('has the same losses and gradients in one batch of 32 and in micro-batches', async () => {
    const data = [dataOf(name, 33, its)] // one row is held out
    const run = async (batch: number, accumulate: number) => {
      const out = at(`${name} ${batch}x${accumulate}`)
      const more = { data, batch, accumulate, valFraction: 0.03, steps: 2, evalEvery: 0, lr: 1e-3 }
      await trainTiny(out, { ...keys, ...more })
      return linesOf(out)
    }
    const whole = await run(32, 1)
    const parts = await run(8, 4)
    parts.forEach((line, i) => {
      close(line.loss, whole[i].loss)
      close(line.grad_norm, whole[i].grad_norm)
    })
  })

  it('has the same held-out loss for all sizes of batches, which heed eval gives too', async () => {
    const data = [dataOf(name, 8, its)]
    const valData = [dataOf(name, 7, its)]
    const losses: number[] = []
    for (const batch of [3, 7]) {
      const out = at(`${name} held ${batch}`)
      await trainTiny(out, { ...keys, data, valData, batch, steps: 1, lr: 1e-12, evalEvery: 1 })
      losses.push(linesOf(out).find((line) => line.val_loss !== undefined)?.val_loss ?? Number.NaN)
    }
    close(losses[1], losses[0])
    const run = at(`${name} held 3`)
    const opened = await openWithTask(run)
    const { task, model } = opened
    const examples = await evaluationExamples(run, opened, {})
    for (const batch of [1, 2, 4, 5, 6, 16])
      close(await new HeldOutLoss(task, model, examples, batch).mean(), losses[0])
    const evaluations = [await evaluateRun(run), await evaluateRun(join(run, 'best'), valData)]
    for (const { metrics } of evaluations) close(metrics.loss, losses[0])
  })
})

describe('image-classification', () => {
  const images = join(FIXTURES, 'old-runs', 'data', 'bars-images-idx3-ubyte')
  const keys = {
    model: 'vit',
    data: [images],
    valFraction: 0.1,
    patchSize: 4,
    layers: 1,
    dim: 16,
    warmup: 0,
    seed: 5,
    steps: 2,
    evalEvery: 2,
  }

  it.each([
    ['plain', {}],
    ['augmented and mixed', { shift: 1, flip: true, mixup: 0.5, smoothing: 0.1 }],
  ])('has the same losses in one batch and in micro-batches: %s', async (name, more) => {
    const lines: Record<string, number>[][] = []
    for (const [batch, accumulate] of [
      [16, 1],
      [4, 4],
    ]) {
      // biome-ignore format: a list
      const out = at(`images ${name} ${batch}`)
      await trainTiny(out, { ...keys, ...more, batch, accumulate })
      lines.push(linesOf(out))
    }
    lines[1].forEach((line, i) => {
      for (const key of ['loss', 'grad_norm', 'val_loss'])
        if (line[key] !== undefined) close(line[key], lines[0][i][key])
    })
  })
})

it('more micro-batches than rows, and rows that do not divide evenly, change nothing', async () => {
  const data = [dataOf('odd', 11, { model: 'bert', row: tagged })]
  const run = async (batch: number, accumulate: number) => {
    const keys = settings(['token-classification', { model: 'bert' }])
    const out = at(`odd ${batch}x${accumulate}`)
    const more = { data, batch, accumulate, valFraction: 0, steps: 2, evalEvery: 0, lr: 1e-3 }
    await trainTiny(out, { ...keys, ...more })
    return linesOf(out)
  }
  const whole = await run(16, 1)
  for (const [batch, accumulate] of [
    [1, 16],
    [3, 5],
    [4, 3],
  ]) {
    // biome-ignore format: a list
    const lines = await run(batch, accumulate)
    lines.forEach((line, i) => {
      close(line.loss, whole[i].loss)
      close(line.grad_norm, whole[i].grad_norm)
    })
  }
})
