// The first update of PPO equals that of trl 1.11 (scripts/fixtures/ppo.py).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { type Module, setValues } from '../../src/nn/index.ts'
import { type Tensor, tensor } from '../../src/tensor/index.ts'
import { generalizedAdvantages } from '../../src/train/align/advantages.ts'
import { tokenLogProbabilities } from '../../src/train/align/policy-losses.ts'
import { goalsOf } from '../../src/train/align/ppo.ts'
import { ValueHead } from '../../src/train/align/value-head.ts'
import { ppoLoss } from '../../src/train/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'

interface Fixture {
  prompts: number[][]
  answers: number[][]
  rewards: number[]
  head: number[]
  loss: number
  gradients: Record<string, number[]>
  headGradient: number[]
}
const fixture: Fixture = JSON.parse(readFileSync(join(FIXTURES, 'ppo.json'), 'utf8'))
const { prompts, answers, rewards } = fixture
const TEMPERATURE = 0.7
const options = { beta: 0.3, gamma: 0.98, lambda: 0.9 }

const ids = (values: number[][]): Tensor => tensor(values, { dtype: 'i32' })
const inputs = ids(prompts.map((prompt, i) => [...prompt, ...answers[i].slice(0, -1)]))
const targets = ids(prompts.map((prompt, i) => [...prompt.slice(1).map(() => -100), ...answers[i]]))
const counted = targets.ne(-100).to('f32')
const start = prompts[0].length - 1

const open = (): Promise<CausalLM> => fromPretrained(join(FIXTURES, 'llama/base'), 'causal-lm')
const scale = (module: Module, name: string, factor: number): void => {
  const weight = module.namedParameters().find(([path]) => path === name)?.[1]
  if (weight) setValues(weight, weight.detach().mul(factor))
}
const logs = (logits: Tensor): Tensor => tokenLogProbabilities(logits, targets, TEMPERATURE)
async function atAnswers(scores: Tensor): Promise<number[][]> {
  const values = Array.from(await scores.data(), Number)
  const [rows, length] = scores.shape
  return Array.from({ length: rows }, (_, i) => values.slice(i * length + start, (i + 1) * length))
}

it('of PPO: advantages, loss and gradients', async () => {
  const [policy, reference, valued] = await Promise.all([open(), open(), open()])
  scale(reference, 'lm_head.weight', 1.2)
  const head = new ValueHead(valued) // trl has a separate model for values
  setValues(head.linear.weight, tensor([fixture.head]))
  const [old, oldValues] = [
    logs(policy.forward(inputs)).detach(),
    head.forward(inputs).values.detach(),
  ]
  const [before, first, values] = await Promise.all(
    [old, logs(reference.forward(inputs)), oldValues].map(atAnswers),
  )
  const goals = ppoGoals(before, first, values)
  await Promise.all([old, oldValues].map((scores) => scores.data()))
  scale(policy, 'lm_head.weight', 1.5)
  scale(head, 'linear.weight', 6)
  const loss = ppoLoss({
    policy: logs(policy.forward(inputs)),
    old,
    values: head.forward(inputs).values,
    oldValues,
    advantages: padded(goals.advantages),
    returns: padded(goals.returns),
    counted,
  })
  loss.backward()
  expect(Math.abs((await loss.item()) - fixture.loss)).toBeLessThan(1e-4)
  const parameters = new Map(policy.namedParameters())
  for (const [name, wanted] of Object.entries(fixture.gradients))
    await expectClose(parameters.get(name)?.grad, wanted)
  await expectClose(head.linear.weight.grad, fixture.headGradient)
})

/** The goals by the task's own function. */
function ppoGoals(policy: number[][], reference: number[][], values: number[][]) {
  const scored = policy.map((row, i) => ({ divergences: row.map((x, t) => x - reference[i][t]), values: values[i] })) // biome-ignore format: one line
  return goalsOf({ rewards: rewards.map((reward) => [reward]), answers: scored }, options)
}

const padded = (rows: readonly (readonly number[])[]): Tensor =>
  tensor(rows.map((row) => [...new Array(start).fill(0), ...row]))

async function expectClose(gradient: Tensor | null | undefined, wanted: number[]): Promise<void> {
  const found = [...((await gradient?.data()) ?? [])].slice(0, wanted.length)
  const scale = Math.max(...wanted.map(Math.abs))
  wanted.forEach((value, i) => {
    expect(Math.abs(Number(found[i]) - value) / scale).toBeLessThan(1e-3)
  })
}

it('advantages are sums of discounted errors of values', () => {
  expect(generalizedAdvantages([0, 0, 1], [0, 0, 0], { lambda: 1 })).toEqual([1, 1, 1])
  expect(generalizedAdvantages([0, 0, 1], [0, 0, 0], { gamma: 0.5, lambda: 1 })).toEqual([0.25, 0.5, 1]) // biome-ignore format: one line
  expect(generalizedAdvantages([1, 2], [3, 5], { lambda: 0 })).toEqual([1 + 5 - 3, 2 - 5])
  expect(generalizedAdvantages([0, 0, 1], [1, 1, 1], { lambda: 1 })).toEqual([0, 0, 0])
  expect(() => generalizedAdvantages([1], [1, 2])).toThrow(/values/)
})
