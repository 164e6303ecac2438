// Examples through a model, without gradients: what evaluation and prediction have in common.
import type { TypedArray } from '../../graph/dtype.ts'
import type { Module } from '../../nn/index.ts'
import { noGrad, type Tensor } from '../../tensor/index.ts'
import { roomFor } from '../../util/room-for.ts'
import { type BatchTensors, holdBatch } from '../hold-batch.ts'
import type { Task } from '../task.ts'

/**
 * What `read` makes of each example's row, in the order of the examples. Those of like length go
 * together, filled up to one of few lengths, so that few programs serve all.
 */
export async function runExamples<E, R>(
  task: Pick<Task<E>, 'length' | 'collate'>,
  model: Module,
  examples: readonly E[],
  batchSize: number,
  forward: (batch: BatchTensors) => Tensor[],
  read: (outputs: readonly TypedArray[], row: number, example: E, width: number) => R,
): Promise<R[]> {
  model.eval()
  const run = holdBatch((batch) => noGrad(() => forward(batch)))
  const lengths = examples.map((example) => task.length(example))
  const longest = lengths.reduce((a, b) => Math.max(a, b), 1)
  const order = examples.map((_, i) => i).sort((a, b) => lengths[b] - lengths[a])
  const rows = Math.min(batchSize, examples.length)
  const results = new Array<R>(examples.length)
  for (let start = 0, step = 0; start < order.length; start += rows, step++) {
    const chosen = order.slice(start, start + rows)
    const width = Math.min(longest, roomFor(lengths[chosen[0]], 8))
    // The last batch is filled up with its last example: as many rows, no further program.
    const filled = Array.from({ length: rows }, (_, i) => examples[chosen[i] ?? chosen.at(-1)])
    const outputs = await run(task.collate(filled, width, { seed: 0, step }))
    const values = await Promise.all(outputs.map((output) => output.data()))
    chosen.forEach((i, row) => {
      results[i] = read(values, row, examples[i], width)
    })
  }
  return results
}
