// Losses and gradients of one batch each equal those of trl 1.16 (scripts/fixtures/preferences.py).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CausalLM, fromPretrained, type SequenceClassifier } from '../../src/models/index.ts'
import { setValues } from '../../src/nn/index.ts'
import { noGrad, type Tensor, tensor } from '../../src/tensor/index.ts'
import { logProbabilitiesOf } from '../../src/train/align/answers.ts'
import { dpoLoss, ktoLoss, rewardLoss } from '../../src/train/align/losses.ts'
import { FIXTURES } from '../fixtures/cases.ts'

interface Case {
  batch: Record<string, number[][]> & { label?: boolean[] }
  loss: number
  gradients: Record<string, number[]>
}
const cases: Record<string, Case> = JSON.parse(readFileSync(join(FIXTURES, 'preferences.json'), 'utf8')) // biome-ignore format: one line

const reference = await fromPretrained(join(FIXTURES, 'llama/base'), 'causal-lm')

/** The policy of the fixture: the same model with a scaled output layer. */
async function policyModel(): Promise<CausalLM> {
  const model = await fromPretrained(join(FIXTURES, 'llama/base'), 'causal-lm')
  const weight = model.namedParameters().find(([name]) => name === 'lm_head.weight')?.[1]
  if (weight) setValues(weight, weight.detach().mul(1.5))
  return model
}

const ids = (rows: number[][]): Tensor => tensor(rows, { dtype: 'i32' })

/** The inputs and targets of rows whose tokens are counted where the mask is 1. */
function shifted(input: number[][], mask: number[][]): [Tensor, Tensor] {
  const targets = input.map((row, i) => row.slice(1).map((id, j) => (mask[i][j + 1] ? id : -100)))
  return [ids(input.map((row) => row.slice(0, -1))), ids(targets)]
}

const scores = (model: CausalLM, input: number[][], mask: number[][]): Tensor =>
  logProbabilitiesOf(model, ...shifted(input, mask))

async function expectSame(
  model: CausalLM | SequenceClassifier,
  loss: Tensor,
  { loss: expected, gradients }: Case,
): Promise<void> {
  loss.backward()
  expect(Math.abs((await loss.item()) - expected)).toBeLessThan(1e-3 * Math.max(1, expected))
  const parameters = new Map(model.namedParameters())
  for (const [name, values] of Object.entries(gradients)) {
    const found = [...(await (parameters.get(name)?.grad?.data() ?? []))].slice(0, values.length)
    const scale = Math.max(...values.map(Math.abs))
    values.forEach((value, i) => {
      expect(Math.abs(found[i] - value) / scale).toBeLessThan(1e-3)
    })
  }
}

it('of supervised fine-tuning on answers', async () => {
  const model = await policyModel()
  const { batch } = cases.sft
  const targets = batch.labels.map((row) => row.slice(1))
  const inputs = batch.input_ids.map((row) => row.slice(0, -1))
  await expectSame(model, model.loss(ids(inputs), ids(targets)), cases.sft)
})

describe.each(['sigmoid', 'hinge', 'ipo'] as const)('of DPO', (loss) => {
  it(loss, async () => {
    const model = await policyModel()
    const { input_ids, completion_mask } = cases[`dpo-${loss}`].batch
    const pairs = (of: Tensor): Tensor => of.reshape(2, 2).t() // chosen of both rows come first
    const count = (mask: number[]): number => mask.reduce((a, b) => a + b, 0)
    const found = dpoLoss(
      {
        policy: pairs(scores(model, input_ids, completion_mask)),
        reference: pairs(noGrad(() => scores(reference, input_ids, completion_mask))),
        lengths: pairs(tensor(completion_mask.map(count))),
      },
      { beta: 0.3, loss },
    )
    await expectSame(model, found, cases[`dpo-${loss}`])
  })
})

it('of KTO', async () => {
  const model = await policyModel()
  const { batch } = cases.kto
  const { input_ids, completion_mask, KL_input_ids, KL_completion_mask, label = [] } = batch
  const kl = noGrad(() =>
    scores(model, KL_input_ids, KL_completion_mask)
      .sub(scores(reference, KL_input_ids, KL_completion_mask))
      .mean()
      .clamp({ min: 0 }),
  )
  const loss = ktoLoss(
    {
      policy: scores(model, input_ids, completion_mask),
      reference: noGrad(() => scores(reference, input_ids, completion_mask)),
      desirable: tensor(label.map(Number)),
      kl,
    },
    { beta: 0.3, desirableWeight: 1.5 },
  )
  await expectSame(model, loss, cases.kto)
})

it('of reward models', async () => {
  const model = await fromPretrained(
    join(FIXTURES, 'llama/classifier'),
    'sequence-classification',
    {
      config: { id2label: { 0: 'reward' }, label2id: { reward: 0 }, pad_token_id: 0 },
    },
  )
  const score = model.namedParameters().find(([name]) => name === 'score.weight')?.[1]
  const width = score?.shape[1] ?? 0
  const weights = Array.from({ length: width }, (_, i) => -1 + (2 * i) / (width - 1))
  if (score) setValues(score, tensor([weights]))
  const { input_ids, attention_mask } = cases.reward.batch
  const attentionMask = tensor(attention_mask).ne(0)
  const rewards = model.forward(ids(input_ids), { attentionMask })
  await expectSame(model, rewardLoss(rewards.reshape(2, 2).t(), { centering: 0.1 }), cases.reward)
})
