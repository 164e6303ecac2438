// The loss of held-out examples, for validation during a run and for evaluation.
import type { Batch } from '../data/index.ts'
import type { Module } from '../nn/index.ts'
import { holdBatch } from '../pipelines/hold-batch.ts'
import { batchesOf } from '../pipelines/run-examples.ts'
import { noGrad, type Tensor } from '../tensor/index.ts'
import { countItems, termsOf } from './micro-batches.ts'
import type { EvaluateOptions, Evaluation, Task } from './task.ts'

/**
 * Computes the mean loss over all items that count in the examples, without dropout or gradients. The result does not
 * depend on the batch size. Compiled programs are kept for later calls.
 */
export class HeldOutLoss<E = unknown> {
  private readonly task: Task<E>
  private readonly model: Module
  private readonly examples: readonly E[]
  private readonly batchSize: number
  private readonly score: (batch: Batch) => Promise<Tensor[]>

  /** @throws HeedError unless `batchSize` is a whole number of at least 1 */
  constructor(task: Task<E>, model: Module, examples: readonly E[], batchSize: number) {
    this.task = task
    this.model = model
    this.examples = task.fixDraws?.(examples) ?? examples
    this.batchSize = batchSize
    this.score = holdBatch((batch) => [...noGrad(() => termsOf(task.loss(model, batch)))])
  }

  /** Computes the mean loss with the current weights. */
  async mean(): Promise<number> {
    const { task, model, examples, batchSize } = this
    model.eval()
    if (task.heldOutLoss) return task.heldOutLoss(model, examples, batchSize)
    const sums: number[] = []
    const totals: number[] = []
    let step = 0
    for (const { chosen, length } of batchesOf(examples, task, batchSize)) {
      const some = chosen.map((i) => examples[i])
      const batch = task.collate(some, length, { seed: 0, step: step++ })
      const terms = await this.score(batch)
      const counts = task.itemCounts?.(batch) ?? countItems(batch)
      for (const [i, term] of terms.entries()) {
        totals[i] = (totals[i] ?? 0) + counts[i]
        sums[i] = (sums[i] ?? 0) + (counts[i] > 0 ? counts[i] * (await term.item()) : 0)
      }
    }
    return sums.reduce((loss, sum, i) => loss + sum / Math.max(1, totals[i]), 0)
  }
}

/** Runs `Task.evaluate` and adds the loss if the task does not report it. */
export async function evaluateExamples<E>(
  task: Task<E>,
  model: Module,
  examples: readonly E[],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const evaluation = await task.evaluate(model, examples, options)
  if ('loss' in evaluation.metrics) return evaluation
  const loss = await new HeldOutLoss(task, model, examples, options.batchSize ?? 16).mean()
  return { ...evaluation, metrics: { loss, ...evaluation.metrics } }
}
