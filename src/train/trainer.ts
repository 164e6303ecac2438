// The training loop. The compiled step is held, so that no graph is built again. While the device runs a step, the host
// prepares the next step and reads the result of the previous one.
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

/** Options of `Trainer`. */
export interface TrainerOptions extends Splitting {
  /** The model to train. */
  model: Module
  /** Returns the mean loss of a batch; see `Task.loss`. Called only to build the graph, once for each set of shapes. */
  loss: (batch: BatchTensors) => LossTerms
  /** The two stages of a loss that compares the rows of a batch with each other. */
  contrastive?: ContrastiveLoss
  /** Updates the parameters. Its learning rate is the peak of the schedule. */
  optimizer: Optimizer
  /** Factor of the learning rate by step. */
  schedule: Schedule
  /** Returns the batch of each step. */
  batches: BatchSampler
  /**
   * Number of micro-batches into which each batch is split, to save memory. Loss and gradient are the same as for the
   * whole batch. Default 1.
   */
  accumulate?: number
  /** Number of steps that have been run before. Default 0. */
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
  /** Loss of the step. */
  loss: number
  /** Norm of the gradient of all parameters, before clipping. */
  gradNorm: number
  /** Learning rate of the step. */
  lr: number
  /** Size of the batch: the elements of its first array (tokens), and its rows. */
  tokens: number
  /** Number of rows of the batch. */
  rows: number
}

/** A training loop for a model and a loss function: call `advance()` for each step, then `drain()`. */
export class Trainer {
  /** Number of steps submitted so far. */
  step: number
  private readonly optimizer: Optimizer
  private readonly scheduler: LRScheduler
  private readonly batches: BatchSampler
  private readonly accumulate: number
  private readonly splitting: Splitting
  /** Adds the gradient of the whole batch to the gradients of the parameters; the losses add up to its loss. */
  private readonly backward: (micros: readonly Batch[]) => Promise<Promise<number>[]>
  private readonly update: Held
  private readonly fullStep: HeldBatch
  /** The step that is running on the device. */
  private running: Promise<StepResult> | null = null

  /** Creates a loop that starts at step `start`. Programs are compiled at the first step. */
  constructor(options: TrainerOptions) {
    TRAINER.check('Trainer', options)
    const { model, loss, contrastive, optimizer, batches, accumulate = 1, start = 0 } = options
    this.optimizer = optimizer
    this.batches = batches
    this.accumulate = accumulate
    this.splitting = contrastive ? { ...options, itemCounts: (batch) => [rowsOf(batch)] } : options
    this.step = start
    this.scheduler = new LRScheduler(optimizer, options.schedule)
    // The warm-up factor of step 0 is 0, so counting from 1 avoids a wasted step.
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

  /** Submits a step: the whole batch as one program, or its micro-batches followed by the update. */
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

/** Thrown when the loss becomes NaN or infinite. */
export class DivergedError extends HeedError {
  override readonly name = 'DivergedError'
  /** The step whose loss is not finite, counted from 1. */
  readonly step: number

  /** Creates the error for a step and its loss. */
  constructor(step: number, loss: number) {
    super('diverged', `Training diverged: the loss at step ${step} is ${loss}`)
    this.step = step
  }
}

/** The gradient of a loss that is a mean over items: the weighted sum of the gradients of the micro-batches. */
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
