// Preference learning: rows, losses, the model at the start as reference, and how runs are used.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { alignCommand } from '../../src/cli/align.ts'
import type { Row } from '../../src/data/index.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { Parameter, tensor } from '../../src/tensor/index.ts'
import { dpoLoss, ktoLoss, rewardLoss } from '../../src/train/align/losses.ts'
import { labelOf, preferenceOf } from '../../src/train/align/rows.ts'
import { evaluateRun, openRun } from '../../src/train/index.ts'
import { heed } from '../cli/in-process.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()
const numbers = Array.from({ length: 48 }, (_, i) => [i % 7, (i * 3) % 5])
const keys = { model: 'gpt2', warmup: 0, evalEvery: 4, saveEvery: 4, context: 192 }
const row = (values: object): Row => ({ values: { ...values }, file: 'rows.jsonl', number: 1 })

beforeAll(async () => {
  const rows = numbers.map(([a, b]) => ({ prompt: `${a} plus ${b}`, completion: `${a + b}` }))
  writeRows(at('sft.jsonl'), rows)
  writeRows(
    at('pairs.jsonl'),
    numbers.map(([a, b]) => ({ prompt: `${a} plus ${b}`, chosen: `it is ${a + b}`, rejected: `${a + b}` })), // biome-ignore format: one line
  )
  writeRows(
    at('judged.jsonl'),
    numbers.map(([a, b], i) => ({ prompt: `${a} plus ${b}`, completion: i % 2 ? `it is ${a + b}` : `${a + b}`, label: i % 2 === 1 })), // biome-ignore format: one line
  )
  await trainTiny(at('base'), {
    ...keys,
    task: 'chat',
    data: [at('sft.jsonl')],
    steps: 8,
    lr: 0.01,
  })
  await trainTiny(at('sft'), { ...keys, task: 'chat', from: at('base'), data: [at('sft.jsonl')], adapter: 'lora:r=2,targets=all-linear', steps: 4, lr: 0.02 }) // biome-ignore format: one line
})

describe('losses', () => {
  const policy = tensor([[-3, -5], [-4, -2]]) // biome-ignore format: one line
  const reference = tensor([[-4, -5], [-4, -4]]) // biome-ignore format: one line
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

  it('of DPO: sigmoid, hinge and IPO of the margin', async () => {
    const margins = [1, -2] // (policy - reference) of chosen minus that of rejected
    const mean = (of: (margin: number) => number): number => (of(margins[0]) + of(margins[1])) / 2
    const beta = 0.5
    expect(await dpoLoss({ policy, reference }, { beta }).item()).toBeCloseTo(mean((m) => -Math.log(sigmoid(beta * m))), 6) // biome-ignore format: one line
    expect(await dpoLoss({ policy, reference }, { beta, loss: 'hinge' }).item()).toBeCloseTo(mean((m) => Math.max(0, 1 - beta * m)), 6) // biome-ignore format: one line
    const smooth = mean((m) => -0.9 * Math.log(sigmoid(beta * m)) - 0.1 * Math.log(sigmoid(-beta * m))) // biome-ignore format: one line
    expect(await dpoLoss({ policy, reference }, { beta, labelSmoothing: 0.1 }).item()).toBeCloseTo(smooth, 6) // biome-ignore format: one line
    for (const loss of ['hinge', 'ipo'] as const)
      expect(() => dpoLoss({ policy, reference }, { loss, labelSmoothing: 0.1 })).toThrow(
        heedError('invalid-option', { key: 'labelSmoothing', value: 0.1, mentions: loss }),
      )
    const lengths = tensor([[2, 1], [1, 2]]) // biome-ignore format: one line
    const ipo = await dpoLoss({ policy, reference, lengths }, { beta, loss: 'ipo' }).item()
    expect(ipo).toBeCloseTo(((1 / 2 - 1) ** 2 + (0 - 2 / 2 - 1) ** 2) / 2, 6)
  })

  it('of KTO, of a policy that has not changed, is one half', async () => {
    const same = tensor([-3, -4])
    const scores = { policy: same, reference: same, desirable: tensor([1, 0]), kl: tensor(0) }
    expect(await ktoLoss(scores).item()).toBeCloseTo(0.5, 6)
    expect(await ktoLoss(scores, { desirableWeight: 3 }).item()).toBeCloseTo(1, 6)
  })

  it('of rewards counts the margin, and centres rewards', async () => {
    const rewards = new Parameter(tensor([[2, 1], [0, 0]])) // biome-ignore format: one line
    const loss = rewardLoss(rewards, { margin: tensor([0, 1]), centering: 0.1 })
    const expected = (-Math.log(sigmoid(1)) - Math.log(sigmoid(-1))) / 2 + (0.1 * 9) / 2
    expect(await loss.item()).toBeCloseTo(expected, 6)
  })
})

describe('rows', () => {
  it('have the prompt in a column, or at the beginning of both answers', () => {
    const user = { role: 'user', content: '1 plus 2' }
    const [chosen, rejected] = ['3', '4'].map((content) => ({ role: 'assistant', content }))
    const expected = { prompt: [user], chosen: [chosen], rejected: [rejected] }
    for (const values of [
      { prompt: '1 plus 2', chosen: '3', rejected: '4' },
      { prompt: [user], chosen: [chosen], rejected: [rejected] },
      { chosen: [user, chosen], rejected: [user, rejected] },
      { chosen: '1 plus 2 3', rejected: '1 plus 2 4' },
    ])
      expect(preferenceOf(row(values))).toEqual(expected)
  })

  it('that express no preference are refused', () => {
    const mistakes = [
      [{ prompt: 'a', chosen: 'b' }, { key: 'rejected' }],
      [{ prompt: 'a', chosen: 'b', rejected: '' }, { key: 'rejected' }],
      [
        { prompt: 'a', chosen: 'b', rejected: 'b' },
        { key: 'chosen', value: 'b' },
      ],
      [
        { chosen: 'b', rejected: 'c' },
        { key: 'prompt', remedy: 'prompt' },
      ],
    ] as const
    for (const [values, details] of mistakes)
      expect(() => preferenceOf(row(values))).toThrow(heedError('invalid-data', details))
    expect(() => labelOf(row({ label: 'good' }))).toThrow(heedError('invalid-data', { key: 'label' })) // biome-ignore format: one line
    expect([true, 'True', 1, '1', false, '0'].map((label) => labelOf(row({ label })))).toEqual([true, true, true, true, false, false]) // biome-ignore format: one line
  })
})

describe('a run of DPO over a base that is quantised in memory', () => {
  const quantized = { adapter: 'lora:r=2,targets=all-linear', quantize: 'q4_1', lr: 0.02 }
  const dpo = { ...keys, task: 'dpo', data: [at('pairs.jsonl')], steps: 4 }
  beforeAll(async () => {
    const chat = { ...keys, task: 'chat', data: [at('sft.jsonl')], steps: 4 }
    await trainTiny(at('wide'), { ...chat, dim: 32, lr: 0.01 })
    await trainTiny(at('sft-q4'), { ...chat, ...quantized, from: at('wide') })
  })

  it.each([
    ['a new adapter', 'wide', quantized],
    ['the adapter of a run', 'sft-q4', {}],
  ])('starts at log 2 with %s: its reference has the same blocks', async (_, from, own) => {
    const run = at(`dpo-${from}`)
    await trainTiny(run, { ...dpo, from: at(from), ...own })
    expect(Math.abs(linesOf(run)[0].loss - Math.log(2))).toBeLessThan(1e-5)
    const { base } = JSON.parse(await readFile(`${run}/task.json`, 'utf8'))
    expect(base).toMatchObject({ path: at('wide'), quantize: 'q4_1' })
    await rm(`${run}/reference.json`)
    const { loss } = (await evaluateRun(run)).metrics
    expect(loss).toBeCloseTo(Number(linesOf(run).at(-1)?.val_loss), 4)
  })
})

describe('a run of DPO over an adapter', () => {
  const dpo = {
    ...keys,
    task: 'dpo',
    from: at('sft'),
    data: [at('pairs.jsonl')],
    lr: 0.02,
    steps: 8,
  }
  beforeAll(() => trainTiny(at('dpo'), dpo))

  it('starts at log 2: the reference is the adapter at the start, not the base', () => {
    const [first] = linesOf(at('dpo'))
    expect(Math.abs(first.loss - Math.log(2))).toBeLessThan(1e-6)
  })

  it('learns the preference and logs margins and log-probabilities', () => {
    const last = linesOf(at('dpo')).findLast(({ val_loss }) => val_loss !== undefined)
    expect(last?.val_loss).toBeLessThan(0.68)
    expect(last).toMatchObject({ val_accuracy: expect.any(Number), val_margin: expect.any(Number), val_log_p_chosen: expect.any(Number), val_log_p_rejected: expect.any(Number) }) // biome-ignore format: one line
  })

  it('computes the same after it was stopped and resumed, also without its scores', async () => {
    await trainTiny(at('stopped'), dpo, { stopAt: 4 })
    await rm(at('stopped/reference.json'))
    await trainTiny(at('stopped'), dpo, { resume: true })
    const [a, b] = await Promise.all(['dpo', 'stopped'].map((run) => readFile(at(`${run}/adapter_model.safetensors`)))) // biome-ignore format: one line
    expect(a.equals(b)).toBe(true)
  })

  it('is evaluated on its data and on other files, predicts and chats', async () => {
    const own = await evaluateRun(at('dpo'))
    expect(own.metrics.accuracy).toBeGreaterThan(0.9)
    const other = await evaluateRun(at('dpo'), at('pairs.jsonl'))
    expect(other.metrics.margin).toBeGreaterThan(0)
    expect(other.metrics.loss).toBeLessThan(Math.log(2))
    const { out } = await heed('predict', at('dpo'), '--text', '1 plus 2')
    expect(JSON.parse(out)).toEqual({ answer: expect.any(String) })
    expect((await fromPretrained(at('dpo'), 'causal-lm')).vocabSize).toBeGreaterThan(0)
  })
})

it('a run with new tokens is evaluated for another task, against the model before it with these tokens', async () => {
  await writeFile(at('plain.txt'), '3 plus 4 is 7. '.repeat(60))
  await trainTiny(at('bare'), { ...keys, data: [at('plain.txt')], steps: 1 })
  await trainTiny(at('tuned'), { ...keys, task: 'chat', template: 'chatml', from: at('bare'), data: [at('sft.jsonl')], steps: 2, lr: 0.001 }) // biome-ignore format: one line
  const { metrics } = await evaluateRun(at('tuned'), at('pairs.jsonl'), { task: 'dpo' })
  expect(Number.isFinite(metrics.margin)).toBe(true)
})

it('heed align refuses another task than its method, and shows the rates of its method', async () => {
  const asked = await heed('align', 'dpo', '--task', 'kto', '--from', at('base'), '--data', at('pairs.jsonl'), '--out', at('never')) // biome-ignore format: one line
  expect(asked.code).toBe(2)
  expect(asked.mistake).toContain('--task')
  const rate = alignCommand(['dpo']).options.find(({ long }) => long === '--lr')
  expect(rate?.description).toContain('with --from: 0.000001; with an adapter: 0.00005')
})

it('DPO of all weights starts at log 2, too', async () => {
  await trainTiny(at('whole'), { ...keys, task: 'dpo', from: at('base'), data: [at('pairs.jsonl')], steps: 2, lr: 0.001 }) // biome-ignore format: one line
  expect(Math.abs(linesOf(at('whole'))[0].loss - Math.log(2))).toBeLessThan(1e-6)
})

it('DPO over a base model without a template adds its tokens, also to the model at the start', async () => {
  writeRows(at('text.jsonl'), numbers.flatMap(([a, b]) => Array.from({ length: 8 }, () => ({ text: `${a} plus ${b} it is ${a + b}` })))) // biome-ignore format: one line
  await trainTiny(at('plain'), {
    ...keys,
    data: [at('text.jsonl')],
    tokenizer: 'bpe:300',
    steps: 2,
  })
  await trainTiny(at('new'), { ...keys, task: 'dpo', template: 'chatml', from: at('plain'), data: [at('pairs.jsonl')], steps: 2, lr: 0.001 }) // biome-ignore format: one line
  const { metrics } = await evaluateRun(at('new'), at('pairs.jsonl'))
  expect(Number.isFinite(metrics.margin)).toBe(true)
})

describe('a run of KTO', () => {
  it('starts at one half and raises the reward of desirable answers', async () => {
    await trainTiny(at('kto'), { ...keys, task: 'kto', from: at('sft'), data: [at('judged.jsonl')], lr: 0.02, steps: 12 }) // biome-ignore format: one line
    expect(linesOf(at('kto'))[0].loss).toBeCloseTo(0.5, 5)
    const { metrics } = await evaluateRun(at('kto'), at('judged.jsonl'))
    expect(metrics.reward_desirable).toBeGreaterThan(metrics.reward_undesirable)
  })

  it('is refused with one row in a batch', async () => {
    await expect(
      trainTiny(at('one'), { ...keys, task: 'kto', from: at('sft'), data: [at('judged.jsonl')], batch: 1 }), // biome-ignore format: one line
    ).rejects.toThrow(heedError('invalid-option', { key: 'batch', value: 1 }))
  })
})

describe('a reward model', () => {
  it('learns which answers are better, over an adapter, and predicts rewards', async () => {
    await trainTiny(at('reward'), { ...keys, task: 'reward', from: at('base'), adapter: 'lora:r=2,targets=all-linear', data: [at('pairs.jsonl')], lr: 0.02, steps: 16 }) // biome-ignore format: one line
    const { metrics } = await evaluateRun(at('reward'))
    expect(metrics.accuracy).toBeGreaterThan(0.9)
    const { task, model } = await openRun(at('reward'))
    const [good, bad] = await task.predict(model, [
      row({ prompt: '1 plus 2', completion: 'it is 3' }),
      row({ prompt: '1 plus 2', completion: '3' }),
    ])
    expect(Number(good.reward)).toBeGreaterThan(Number(bad.reward))
  })
})
