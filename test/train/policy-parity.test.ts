// Advantages, losses and gradients of GRPO and RLOO equal those of trl 1.16 (scripts/fixtures/policies.py).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { setValues } from '../../src/nn/index.ts'
import { noGrad, type Tensor, tensor } from '../../src/tensor/index.ts'
import { groupAdvantages, leaveOneOutAdvantages } from '../../src/train/align/advantages.ts'
import { grpoLoss, grpoLosses, rlooLoss, tokenLogProbabilities } from '../../src/train/align/policy-losses.ts' // biome-ignore format: one line
import { FIXTURES } from '../fixtures/cases.ts'

interface Case {
  advantages: number[]
  loss: number
  gradients: Record<string, number[]>
}
interface Fixture {
  prompts: number[][]
  answers: number[][][]
  rewards: number[][]
  cases: Record<string, Case>
}
const { prompts, answers, rewards, cases }: Fixture = JSON.parse(readFileSync(join(FIXTURES, 'policies.json'), 'utf8')) // biome-ignore format: one line
const MAX_TOKENS = 5
const TEMPERATURE = 0.7
const BETA = 0.3

/** The model of the fixture with a scaled output layer. */
async function scaledModel(factor: number): Promise<CausalLM> {
  const model = await fromPretrained(join(FIXTURES, 'llama/base'), 'causal-lm')
  const weight = model.namedParameters().find(([name]) => name === 'lm_head.weight')?.[1]
  if (weight) setValues(weight, weight.detach().mul(factor))
  return model
}

const rows = answers.flatMap((group, i) => group.map((answer) => ({ prompt: prompts[i], answer })))
const length = Math.max(...rows.map(({ prompt, answer }) => prompt.length + answer.length - 1))
const fill = (row: number[], value: number): number[] => [...row, ...new Array(length - row.length).fill(value)] // biome-ignore format: one line
const ids = (values: number[][]): Tensor => tensor(values, { dtype: 'i32' })
const inputs = ids(rows.map(({ prompt, answer }) => fill([...prompt, ...answer.slice(0, -1)], 0)))
const targets = ids(rows.map(({ prompt, answer }) => fill([...prompt.slice(1).map(() => -100), ...answer], -100))) // biome-ignore format: one line
const counted = targets.ne(-100).to('f32')
const scores = (model: CausalLM): Tensor => tokenLogProbabilities(model.forward(inputs), targets, TEMPERATURE) // biome-ignore format: one line

const old = noGrad(await scaledModel(1).then((model) => () => scores(model)))
const reference = noGrad(await scaledModel(1.2).then((model) => () => scores(model)))

async function expectSame(
  name: string,
  advantages: number[],
  lossOf: (policy: Tensor, advantages: Tensor) => Tensor,
): Promise<void> {
  const { advantages: expected, loss: wanted, gradients } = cases[name]
  advantages.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 4)
  })
  const model = await scaledModel(1.5)
  const loss = lossOf(scores(model), tensor(advantages))
  loss.backward()
  expect(Math.abs((await loss.item()) - wanted)).toBeLessThan(1e-4)
  const parameters = new Map(model.namedParameters())
  for (const [key, values] of Object.entries(gradients)) {
    const found = [...(await (parameters.get(key)?.grad?.data() ?? []))].slice(0, values.length)
    const scale = Math.max(...values.map(Math.abs))
    values.forEach((value, i) => {
      expect(Math.abs(found[i] - value) / scale).toBeLessThan(1e-3)
    })
  }
}

it.each(grpoLosses)('of GRPO, %s', (loss) =>
  expectSame(`grpo-${loss}`, groupAdvantages(rewards).flat(), (policy, advantages) =>
    grpoLoss(
      { policy, old, reference, advantages, counted },
      { loss, beta: BETA, maxTokens: MAX_TOKENS },
    ),
  ),
)

it.each(['batch', 'none'] as const)('of GRPO with rewards scaled by %s', (scale) =>
  expectSame(`grpo-${scale}`, groupAdvantages(rewards, scale).flat(), (policy, advantages) =>
    grpoLoss({ policy, old, advantages, counted }),
  ),
)

it('of RLOO', async () => {
  const divergences = await old.sub(reference).sum(-1).data()
  const penalised = rewards.map((group, i) => group.map((reward, j) => reward - BETA * divergences[i * group.length + j])) // biome-ignore format: one line
  await expectSame('rloo', leaveOneOutAdvantages(penalised).flat(), (policy, advantages) =>
    rlooLoss({ policy, old, advantages, counted }),
  )
})
