// Losses that compare rows with each other in micro-batches: the gradient of the whole batch, dropout included.
import { expect, it } from 'vitest'
import type { Batch } from '../../src/data/index.ts'
import { Dropout, Embedding, Linear, Module } from '../../src/nn/index.ts'
import { SGD, schedules } from '../../src/optim/index.ts'
import { arange, cat, F, manualSeed, type Tensor, tensor } from '../../src/tensor/index.ts'
import type { ContrastiveLoss } from '../../src/train/cached-gradients.ts'
import { microBatches } from '../../src/train/micro-batches.ts'
import { Trainer } from '../../src/train/trainer.ts'

import { allDevices, onEach } from '../support/devices.ts'

const ROWS = 11
const STEPS = 3

/** Pairs of ids, of which each is a vector after two layers with dropout. */
class Encoder extends Module {
  embedding = new Embedding(40, 8)
  dropout = new Dropout(0.3)
  linear = new Linear(8, 6)

  forward(ids: Tensor): Tensor {
    const x = this.dropout.forward(this.embedding.forward(ids)) // (B, 2, C)
    return F.normalize(this.dropout.forward(this.linear.forward(x).tanh()), { axis: -1 })
  }
}

const contrastive: ContrastiveLoss<Encoder> = {
  represent: (model, { ids }) => model.forward(ids),
  compare: (vectors) => {
    const cosines = vectors.select(1, 0).matmul(vectors.select(1, 1).transpose(0, 1))
    return F.crossEntropy(cosines.div(0.1), arange(vectors.shape[0]))
  },
}

const batchOf = (step: number): Batch => {
  const ids = Int32Array.from({ length: ROWS * 2 }, (_, i) => (i * 7 + step * 3) % 40)
  return { ids: { data: ids, shape: [ROWS, 2] } }
}

const made = (): { model: Encoder; optimizer: SGD } => {
  manualSeed(3)
  const model = new Encoder()
  manualSeed(4)
  return { model, optimizer: new SGD(model.parameters(), { lr: 0.5, maxGradNorm: 1e9 }) }
}

/** Losses, gradient norms and the weights after a few steps. */
async function trained(accumulate: number): Promise<number[]> {
  const { model, optimizer } = made()
  const trainer = new Trainer({
    model,
    loss: (batch) => contrastive.compare(contrastive.represent(model, batch)),
    contrastive: contrastive as ContrastiveLoss,
    optimizer,
    schedule: schedules.constant({}),
    batches: { batch: async (step) => batchOf(step) },
    accumulate,
  })
  const numbers: number[] = []
  for (let step = 0; step < STEPS; step++) {
    await trainer.advance()
    const result = await trainer.drain()
    numbers.push(result?.loss ?? 0, result?.gradNorm ?? 0)
  }
  for (const parameter of model.parameters()) numbers.push(...(await parameter.data()))
  return numbers
}

/** The same in one graph, in which each micro-batch draws as it does in micro-batches. */
async function expected(accumulate: number): Promise<number[]> {
  const { model, optimizer } = made()
  const numbers: number[] = []
  for (let step = 0; step < STEPS; step++) {
    const micros = microBatches(batchOf(step), accumulate, {})
    const vectors = micros.map(({ ids: { data, shape } }) =>
      model.train().forward(tensor(data, { dtype: 'i32' }).reshape(...shape)),
    )
    const loss = contrastive.compare(cat(vectors, 0))
    loss.backward()
    await optimizer.step({ keep: [loss] })
    numbers.push(await loss.item(), (await optimizer.gradNorm?.item()) ?? 0)
  }
  for (const parameter of model.parameters()) numbers.push(...(await parameter.data()))
  return numbers
}

onEach(allDevices, () => {
  it.each([2, 3, 4, 11, 20])('%i micro-batches replay their dropout', async (accumulate) => {
    const [numbers, wanted] = [await trained(accumulate), await expected(accumulate)]
    expect(numbers).toHaveLength(wanted.length)
    numbers.forEach((x, i) => {
      expect(Math.abs(x - wanted[i])).toBeLessThan(1e-6 * Math.max(1, Math.abs(wanted[i])))
    })
  })
})
