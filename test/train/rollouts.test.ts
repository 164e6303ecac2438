// Training on rewards of sampled answers: GRPO, RLOO and PPO.

import { readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { defaultDevice } from '../../src/index.ts'
import { Parameter, tensor } from '../../src/tensor/index.ts'
import { groupAdvantages, leaveOneOutAdvantages } from '../../src/train/align/advantages.ts'
import { grpoLoss, rlooLoss } from '../../src/train/align/policy-losses.ts'
import { openReward } from '../../src/train/align/reward-source.ts'
import { evaluateRun, reportRun } from '../../src/train/index.ts'
import type { TrainEvent } from '../../src/train/train-model.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()
const keys = { model: 'gpt2', warmup: 0, schedule: 'constant', evalEvery: 0, saveEvery: 0, context: 96, batch: 4 } // biome-ignore format: one line
const tuned = { ...keys, from: at('base'), data: [at('prompts.jsonl')], answers: 8, maxNewTokens: 6, valFraction: 0.2 } // biome-ignore format: one line

beforeAll(async () => {
  // The base writes one of four letters after each prompt; the reward prefers one of them.
  const letters = ['a', 'b', 'c', 'd']
  const prompts = Array.from({ length: 20 }, (_, i) => `say ${i % 5}`)
  writeRows(at('sft.jsonl'), prompts.flatMap((prompt) => letters.map((completion) => ({ prompt, completion })))) // biome-ignore format: one line
  writeRows(at('prompts.jsonl'), prompts.map((prompt) => ({ prompt, answer: 'c' }))) // biome-ignore format: one line
  await trainTiny(at('base'), { ...keys, task: 'chat', data: [at('sft.jsonl')], steps: 60, batch: 16, lr: 0.01, valFraction: 0 }) // biome-ignore format: one line
})

describe('losses', () => {
  const counted = tensor([[0, 1, 1], [1, 0, 0]]) // biome-ignore format: one line
  const advantages = tensor([1, -1])

  it('have a ratio of 1 without old log-probabilities, so that GRPO and RLOO are sums of advantages', async () => {
    const policy = tensor([[0, -1, -2], [-3, 0, 0]]) // biome-ignore format: one line
    const scores = { policy, advantages, counted }
    const of = (loss: 'dapo' | 'grpo' | 'bnpo' | 'dr_grpo') => grpoLoss(scores, { loss }).item()
    expect(await of('dapo')).toBeCloseTo(-1 / 3, 6)
    expect(await of('bnpo')).toBeCloseTo(-1 / 3, 6)
    expect(await of('grpo')).toBeCloseTo(0, 6)
    expect(await of('dr_grpo')).toBeCloseTo(-1 / 6, 6)
    expect(await rlooLoss(scores).item()).toBeCloseTo(0, 6)
  })

  it('have no gradient for equal rewards', async () => {
    const policy = new Parameter(tensor([[-1, -1, -2], [-3, -1, -1]])) // biome-ignore format: one line
    const [group] = groupAdvantages([[0.1, 0.1]])
    expect(group).toEqual([0, 0])
    expect(leaveOneOutAdvantages([[0.1, 0.1, 0.1]])).toEqual([[0, 0, 0]])
    grpoLoss({ policy, advantages: tensor(group), counted }).backward()
    expect(Array.from((await policy.grad?.data()) ?? [1]).map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('never have a negative divergence', async () => {
    const policy = tensor([[-1, -1.5, -2], [-3, -1, -1]]) // biome-ignore format: one line
    const reference = tensor([[-1, -1, -2.5], [-1, -1, -1]]) // biome-ignore format: one line
    const none = { policy, reference, advantages: tensor([0, 0]), counted }
    expect(await grpoLoss(none, { beta: 0.5 }).item()).toBeGreaterThan(0)
    expect(await grpoLoss({ ...none, reference: policy }, { beta: 0.5 }).item()).toBe(0)
  })
})

describe.each([
  { name: 'grpo', more: { lr: 0.003 }, reaches: 0.85 },
  { name: 'rloo', more: { lr: 0.003 }, reaches: 0.85 },
  { name: 'grpo', more: { lr: 0.004, iterations: 3, saveEvery: 4 }, reaches: 0.6 },
  { name: 'ppo', more: { lr: 0.002, answers: 8, iterations: 2, saveEvery: 3 }, reaches: 0.6 },
  // So few weights of so small a model do not learn the letter in 20 steps.
  { name: 'grpo', more: { lr: 0.005, adapter: 'lora:r=4,targets=all-linear', beta: 0.01 }, reaches: 0.25 }, // biome-ignore format: one line
])('$name with $more', ({ name, more, reaches }) => {
  const config = { ...tuned, task: name, steps: 20, ...more }
  const run = `${name}-${more.lr}`

  it('learns to give the answer with the reward', async () => {
    await trainTiny(at(run), config)
    const lines = linesOf(at(run))
    expect(lines[0].reward).toBeLessThan(0.6)
    const last = lines.slice(-4).reduce((sum, { reward }) => sum + reward / 4, 0)
    expect(last).toBeGreaterThan(reaches)
    const [first] = lines
    if (first.value_error !== undefined) expect(lines.at(-1)?.value_error).toBeLessThan(first.value_error) // biome-ignore format: one line
    if ('iterations' in more) {
      expect(lines[1].reward).toBe(first.reward) // the same answers
      expect(first.clipped).toBeUndefined()
      expect(Math.max(...lines.map(({ clipped = 0 }) => clipped))).toBeGreaterThan(0)
      expect(readdirSync(at(`${run}/rollouts`)).length).toBeLessThan(5)
    }
    expect(first).toMatchObject({ reward_std: expect.any(Number), ...(name !== 'ppo' && { equal_groups: expect.any(Number) }), entropy: expect.any(Number), truncated: expect.any(Number), answer_tokens: expect.any(Number) }) // biome-ignore format: one line
    if (first.kl !== undefined) {
      expect(Math.abs(first.kl)).toBeLessThan(1e-6) // the reference is the model at the start
      expect(first.sampling_gap).toBeLessThan(1e-5)
      for (const { kl } of lines) expect(kl).toBeGreaterThan(-1e-6)
      expect(lines.at(-1)?.kl).toBeGreaterThan(0.01)
    }
    const { metrics } = await evaluateRun(at(run))
    expect(metrics.reward).toBeGreaterThanOrEqual(reaches > 0.5 ? 1 : 0)
    expect(metrics.loss).toBe(-metrics.reward)
  })

  it('computes the same after it was stopped and resumed', async () => {
    await trainTiny(at(`${run}-2`), config, { stopAt: 10 })
    await trainTiny(at(`${run}-2`), config, { resume: true })
    const file = 'adapter' in more ? 'adapter_model.safetensors' : 'model.safetensors'
    const [a, b] = await Promise.all([run, `${run}-2`].map((one) => readFile(at(`${one}/${file}`))))
    expect(a.equals(b)).toBe(true)
  })
})

it('micro-batches give the same loss as a whole batch', async () => {
  for (const loss of ['dapo', 'grpo', 'dr_grpo']) {
    const config = { ...tuned, task: 'grpo', loss, lr: 1e-4, steps: 1 }
    await trainTiny(at(`whole-${loss}`), config)
    await trainTiny(at(`parts-${loss}`), { ...config, batch: 2, accumulate: 2 })
    const [whole, parts] = ['whole', 'parts'].map((kind) => linesOf(at(`${kind}-${loss}`))[0])
    expect(parts.reward).toBe(whole.reward)
    expect(parts.loss).toBeCloseTo(whole.loss, 5)
    expect(parts.grad_norm).toBeCloseTo(whole.grad_norm, 4)
  }
})

it('an adapter over a quantised base is compared with that base, and the gap of its kernels is logged', async () => {
  const gguf = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))
  await writeFile(at('long.mjs'), 'export default (prompt, answer) => answer.length\n')
  await writeFile(at('plain.jinja'), "{% for m in messages %}{{ m.content }} {% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}") // biome-ignore format: one line
  await trainTiny(at('quantised'), { ...tuned, model: 'llama', from: gguf, template: at('plain.jinja'), task: 'grpo', reward: at('long.mjs'), adapter: 'lora:r=4,targets=all-linear', beta: 0.01, lr: 0.01, steps: 3 }) // biome-ignore format: one line
  const [first, ...later] = linesOf(at('quantised'))
  expect(first.kl).toBe(0)
  for (const { kl, sampling_gap } of later) {
    expect(kl).toBeGreaterThan(0)
    expect(sampling_gap).toBeGreaterThan(0)
    expect(sampling_gap).toBeLessThan(0.01)
  }
})

it('a run on rewards has a report, with answers of before and after', async () => {
  await trainTiny(at('shown'), { ...tuned, task: 'grpo', lr: 1e-4, steps: 1 })
  await reportRun(at('shown'), { out: at('shown.html') })
  const page = await readFile(at('shown.html'), 'utf8')
  expect(/say.{1,20}\d/.test(page) && page.includes('attention')).toBe(true)
})

it('live memory stays the same over many steps', async () => {
  const live: number[] = []
  const on = (event: TrainEvent): void => {
    if (event.type !== 'step') return
    ;(globalThis as { gc?: () => void }).gc?.()
    live.push(defaultDevice().memory().live)
  }
  await trainTiny(at('long'), { ...tuned, task: 'grpo', beta: 0.01, lr: 1e-4, steps: 60 }, { on })
  const least = (from: number): number => Math.min(...live.slice(from, from + 15))
  expect(least(0)).toBeGreaterThan(0)
  expect(least(45)).toBeLessThan(1.05 * least(15))
})

it('a reward without variance is reported after 20 steps, and changes nothing', async () => {
  await writeFile(at('same.mjs'), 'export default () => 0.5\n')
  const warnings: string[] = []
  const on = (event: TrainEvent): void => {
    if (event.type === 'warning') warnings.push(event.text)
  }
  await trainTiny(at('same'), { ...tuned, task: 'grpo', reward: at('same.mjs'), lr: 0.1, steps: 21 }, { on }) // biome-ignore format: one line
  expect(warnings).toHaveLength(1)
  for (const line of linesOf(at('same'))) expect(line).toMatchObject({ grad_norm: 0, equal_groups: 1, reward: 0.5 }) // biome-ignore format: one line
})

describe('rewards', () => {
  const prompt = { ids: [1], messages: [{ role: 'user', content: 'say' }], values: { answer: 'c' }, place: 'row 3 of a.jsonl', cut: false } // biome-ignore format: one line
  const judged = [{ prompt, answer: 'c' }]

  it('that throw, hang or are not numbers name the row', async () => {
    const mistakes: [string, object][] = [
      ['export default () => { throw new Error("broken") }', { mentions: ['row 3 of a.jsonl', 'broken'] }], // biome-ignore format: one line
      ['export default () => new Promise(() => {})', { mentions: ['row 3 of a.jsonl', '0.05'] }],
      ['export default () => NaN', { mentions: ['row 3 of a.jsonl', 'NaN'] }],
      ['export default async () => "good"', { mentions: ['row 3 of a.jsonl', 'good'] }],
    ]
    for (const [i, [text, details]] of mistakes.entries()) {
      await writeFile(at(`reward${i}.mjs`), `${text}\n`)
      const judge = await openReward(at(`reward${i}.mjs`), 0.05)
      await expect(judge(judged)).rejects.toThrow(heedError('invalid-data', { key: 'reward', value: 'c', ...details })) // biome-ignore format: one line
    }
  })

  it('come from modules, names and reward runs', async () => {
    await writeFile(at('good.mjs'), 'export default async (prompt, answer, row) => prompt === "say" && answer === row.answer ? 2 : 1\n') // biome-ignore format: one line
    expect(await (await openReward(at('good.mjs'), 1))(judged)).toEqual([2])
    expect(await (await openReward('exact-match', 1))(judged)).toEqual([1])
    writeRows(at('pairs.jsonl'), Array.from({ length: 20 }, (_, i) => ({ prompt: `say ${i % 5}`, chosen: 'c', rejected: 'a' }))) // biome-ignore format: one line
    await trainTiny(at('reward'), { ...keys, task: 'reward', from: at('base'), data: [at('pairs.jsonl')], steps: 8, lr: 0.01 }) // biome-ignore format: one line
    const judge = await openReward(at('reward'), 1)
    const [good, bad, none] = await judge(['c', 'a', ''].map((answer) => ({ prompt, answer })))
    expect(good).toBeGreaterThan(bad)
    expect(none).toBeTypeOf('number')
  })

  it('that do not exist are refused', async () => {
    await expect(openReward('exact-mach', 1)).rejects.toThrow(heedError('unknown-name', { key: 'reward' })) // biome-ignore format: one line
    await expect(openReward(at('base'), 1)).rejects.toThrow(heedError('invalid-option', { key: 'reward', value: at('base') })) // biome-ignore format: one line
    await expect(openReward(at('absent.mjs'), 1)).rejects.toThrow(heedError('missing-file'))
    await writeFile(at('none.mjs'), 'export const reward = 1\n')
    await expect(openReward(at('none.mjs'), 1)).rejects.toThrow(heedError('invalid-option', { key: 'reward' })) // biome-ignore format: one line
  })
})
