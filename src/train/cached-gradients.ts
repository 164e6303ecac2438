// Contrastive losses in micro-batches: the gradient cache (Gao et al., 2021, "Scaling Deep Contrastive Learning Batch
// Size under Memory Limited Setup").
import type { Batch } from '../data/index.ts'
import type { Module } from '../nn/index.ts'
import { type BatchTensors, holdBatch } from '../pipelines/hold-batch.ts'
import { addGradients } from '../tensor/accumulate.ts'
import {
  defaultGenerator,
  type HeldInput,
  hold,
  noGrad,
  type Tensor,
  valueAndGrad,
} from '../tensor/index.ts'
import { rowsOf } from './micro-batches.ts'
import { readLater } from './read-later.ts'

/** A contrastive loss in two stages. Only the second stage compares rows with each other. */
export interface ContrastiveLoss<M = Module> {
  /** Computes the representations of the rows of a batch, (B, …). Each must depend only on its own row. */
  represent(model: M, batch: BatchTensors): Tensor
  /** Computes the scalar loss of the representations of all rows of a step. */
  compare(representations: Tensor): Tensor
}

/**
 * Computes the gradient of a step in micro-batches, where each row is compared with all rows of the step. The first pass
 * computes the representations without gradients, then the loss and its gradient with respect to them. The second pass
 * runs each micro-batch again with its part of that gradient. It repeats the random numbers of the first pass, so that
 * dropout drops the same elements. Gradients are added to those of the parameters; the result is the loss.
 */
export function cachedGradients(
  model: Module,
  { represent, compare }: ContrastiveLoss,
): (micros: readonly Batch[]) => Promise<Promise<number>[]> {
  const first = holdBatch((batch) => [noGrad(() => represent(model.train(), batch))])
  const gradient = hold((representations) => {
    const { value, grads } = valueAndGrad(compare)(representations)
    return [value, ...grads]
  })
  const second = holdBatch(({ [GRADIENT]: grad, ...batch }) => {
    // d(loss)/dθ = Σ d(loss)/d(representation) · d(representation)/dθ
    const value = represent(model.train(), batch).mul(grad).sum()
    addGradients(value)
    return [value]
  })
  return async (micros) => {
    const generator = defaultGenerator()
    const before = generator.getState()
    const representations: Tensor[] = []
    for (const micro of micros) representations.push(...(await first(micro)))
    const after = generator.getState()
    const [loss, grads] = await gradient(await joined(representations))
    const all = (await grads.data()) as Float32Array
    generator.setState(before)
    let start = 0
    for (const micro of micros) {
      const shape = [rowsOf(micro), ...grads.shape.slice(1)]
      const end = start + shape.reduce((size, n) => size * n, 1)
      await second({ ...micro, [GRADIENT]: { data: all.subarray(start, end), shape } })
      start = end
    }
    generator.setState(after)
    return [readLater(loss)]
  }
}

/** Concatenates the representations of all micro-batches as one input. */
async function joined(representations: readonly Tensor[]): Promise<HeldInput> {
  const values = await Promise.all(representations.map((tensor) => tensor.data()))
  const data = new Float32Array(values.reduce((size, { length }) => size + length, 0))
  let start = 0
  for (const some of values) {
    data.set(some, start)
    start += some.length
  }
  const rows = representations.reduce((count, { shape }) => count + shape[0], 0)
  return { data, shape: [rows, ...representations[0].shape.slice(1)] }
}

/** Name of the input with the gradient of the representations; it cannot clash with an array of a batch. */
const GRADIENT = 'gradient of the representations'
