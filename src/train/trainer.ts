// The training loop. It holds its compiled step, so that a training step builds no graph. The device runs
// a step while the host prepares the next one and reads the result of the one before.
import { type Batch, type BatchSampler, SAMPLER } from '../data/batch.ts'
import type { Module } from '../nn/index.ts'
import { LRScheduler, type Optimizer, type Schedule } from '../optim/index.ts'
import { type BatchTensors, holdBatch } from '../pipelines/hold-batch.ts'
import { addGradients } from '../tensor/accumulate.ts'
import { type Held, hold, synchronize, type Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { having, optional, optionKinds } from '../util/options.ts'
import { type ContrastiveLoss, cachedGradients } from './cached-gradients.ts'
import {
  type LossTerms,
  microBatches,
  rowsOf,
  type Splitting,
  totalLoss,
  weightedLoss,
} from './micro-batches.ts'
import { readLater } from './read-later.ts'

export interface TrainerOptions extends Splitting {
  model: Module
  /** The mean loss of a batch, see `Task.loss`. It only builds the graph, once for each combination of shapes. */
  loss: (batch: BatchTensors) => LossTerms
  /** The two stages of `loss`, where it compares the rows of a batch with each other. */
  contrastive?: ContrastiveLoss
  optimizer: Optimizer
  schedule: Schedule
  /** The batch of each step. */
  batches: BatchSampler
  /**
   * Number of micro-batches that a batch is computed in, one after the other, which takes less memory. Loss and gradient
   * are those of the whole batch.
   */
  accumulate?: number
  /** The number of steps that have been run before. */
  start?: number
}

const TRAINER = optionKinds<TrainerOptions>({
  model: having('a Module', 'forward', 'train'),
  loss: 'function',
  contrastive: optional(having('{ represent, compare }', 'represent', 'compare')),
  optimizer: having('an Optimizer', 'update', 'beginStep'),
  schedule: 'function',
  batches: SAMPLER,
  accumulate: 'size?',
  start: 'count?',
  itemCounts: 'function?',
  sliceBatch: 'function?',
})

/** The result of a step. */
export interface StepResult {
  /** Number of updates so far, including this one. */
  step: number
  loss: number
  gradNorm: number
  lr: number
  /** Sizes of the batches: elements of their first array (tokens), and rows. */
  tokens: number
  rows: number
}

export class Trainer {
  step: number
  private readonly optimizer: Optimizer
  private readonly scheduler: LRScheduler
  private readonly batches: BatchSampler
  private readonly accumulate: number
  private readonly splitting: Splitting
  /** Adds the gradient of the whole batch to those of the parameters; the losses add up to its loss. */
  private readonly backward: (micros: readonly Batch[]) => Promise<Promise<number>[]>
  private readonly update: Held
  private readonly fullStep: HeldBatch
  /** The step that is running on the device. */
  private running: Promise<StepResult> | null = null

  constructor(options: TrainerOptions) {
    TRAINER.check('Trainer', options)
    const { model, loss, contrastive, optimizer, batches, accumulate = 1, start = 0 } = options
    this.optimizer = optimizer
    this.batches = batches
    this.accumulate = accumulate
    this.splitting = contrastive ? { ...options, itemCounts: (batch) => [rowsOf(batch)] } : options
    this.step = start
    this.scheduler = new LRScheduler(optimizer, options.schedule)
    // The factor of a warm-up at 0 is 0. Counting from 1 wastes no step.
    this.scheduler.setStep(start + 1)
    this.fullStep = holdBatch((batch) => {
      model.train()
      const value = totalLoss(loss(batch))
      value.backward()
      return [value, ...this.updated()]
    })
    this.backward = contrastive ? cachedGradients(model, contrastive) : summedGradients(model, loss)
    this.update = hold(() => this.updated())
  }

  /**
   * Submits the next step and returns the result of the previous one; null at the first call.
   * @throws DivergedError if the loss is not finite
   */
  async advance(): Promise<StepResult | null> {
    const { lr } = this.optimizer.groups[0]
    this.optimizer.beginStep()
    const started = await this.start(await this.batches.batch(this.step))
    this.step++
    this.scheduler.step()
    const before = this.running
    this.running = this.result(this.step, lr, started)
    this.running.catch(() => {}) // the error is thrown where the result is awaited
    return before
  }

  /** Waits for the running step; null if there is none. */
  async drain(): Promise<StepResult | null> {
    const last = this.running ? await this.running : null
    this.running = null
    await synchronize()
    return last
  }

  private updated(): Tensor[] {
    this.optimizer.update()
    return this.optimizer.gradNorm ? [this.optimizer.gradNorm] : []
  }

  /** Submits a step: the whole batch as one program, or its micro-batches and then the update. */
  private async start(batch: Batch): Promise<Started> {
    if (this.accumulate === 1) {
      const [loss, norm] = await this.fullStep(batch)
      return { losses: [readLater(loss)], norm: norm && readLater(norm), ...sizeOf(batch) }
    }
    const losses = await this.backward(microBatches(batch, this.accumulate, this.splitting))
    const [norm] = await this.update()
    return { losses, norm: norm && readLater(norm), ...sizeOf(batch) }
  }

  private async result(step: number, lr: number, started: Started): Promise<StepResult> {
    const losses = await Promise.all(started.losses)
    const loss = losses.reduce((a, b) => a + b, 0)
    const gradNorm = (await started.norm) ?? Number.NaN
    if (!Number.isFinite(loss)) throw new DivergedError(step, loss)
    const { tokens, rows } = started
    return { step, loss, gradNorm, lr, tokens, rows }
  }
}

/** The loss became NaN or infinite. */
export class DivergedError extends HeedError {
  override readonly name = 'DivergedError'
  readonly step: number

  constructor(step: number, loss: number) {
    super('diverged', `The training diverged: the loss at step ${step} is ${loss}`)
    this.step = step
  }
}

/** The gradient of a loss that is a mean over items: the weighted sum of those of the micro-batches. */
function summedGradients(
  model: Module,
  loss: TrainerOptions['loss'],
): (micros: readonly Batch[]) => Promise<Promise<number>[]> {
  const forwardBackward = holdBatch((batch) => {
    model.train()
    const value = weightedLoss(loss(batch), batch)
    addGradients(value)
    return [value]
  })
  return async (micros) => {
    const losses: Promise<number>[] = []
    for (const micro of micros) {
      const [value] = await forwardBackward(micro)
      losses.push(readLater(value))
    }
    return losses
  }
}

type HeldBatch = (batch: Batch) => Promise<Tensor[]>

interface Started {
  losses: Promise<number>[]
  norm: Promise<number> | undefined
  tokens: number
  rows: number
}

function sizeOf(batch: Batch): { tokens: number; rows: number } {
  const [{ data }] = Object.values(batch)
  return { tokens: data.length, rows: rowsOf(batch) }
}
