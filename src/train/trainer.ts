// The training loop. It holds its compiled step, so that a training step builds no graph. The device runs
// a step while the host prepares the next one and reads the result of the one before.
import type { Batch, BatchSampler } from '../data/index.ts'
import type { Module } from '../nn/index.ts'
import { LRScheduler, type Optimizer, type Schedule } from '../optim/index.ts'
import { type BatchTensors, holdBatch } from '../pipelines/hold-batch.ts'
import { addGradients } from '../tensor/accumulate.ts'
import { type Held, hold, noGrad, synchronize, type Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'

export interface TrainerOptions {
  model: Module
  /** The mean loss of a batch. It only builds the graph, once for each combination of shapes. */
  loss: (batch: BatchTensors) => Tensor
  optimizer: Optimizer
  schedule: Schedule
  /** Step s uses the micro-batches s·accumulate … (s + 1)·accumulate - 1. */
  batches: BatchSampler
  accumulate?: number
  /** The number of steps that have been run before. */
  start?: number
}

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
  private readonly forwardBackward: HeldBatch
  private readonly update: Held
  private readonly fullStep: HeldBatch
  private readonly score: HeldBatch
  /** The step that is running on the device. */
  private running: Promise<StepResult> | null = null

  constructor(options: TrainerOptions) {
    const { model, loss, optimizer, batches, accumulate = 1, start = 0 } = options
    this.optimizer = optimizer
    this.batches = batches
    this.accumulate = accumulate
    this.step = start
    this.scheduler = new LRScheduler(optimizer, options.schedule)
    // The factor of a warm-up at 0 is 0. Counting from 1 wastes no step.
    this.scheduler.setStep(start + 1)
    const lossOf = (batch: BatchTensors, training: boolean): Tensor => {
      model.train(training)
      return loss(batch)
    }
    this.fullStep = holdBatch((batch) => {
      const value = lossOf(batch, true)
      value.backward()
      return [value, ...this.updated()]
    })
    this.forwardBackward = holdBatch((batch) => {
      const value = lossOf(batch, true).div(accumulate)
      addGradients(value)
      return [value]
    })
    this.update = hold(() => this.updated())
    this.score = holdBatch((batch) => [noGrad(() => lossOf(batch, false))])
  }

  /**
   * Submits the next step and returns the result of the previous one; null at the first call.
   * @throws DivergedError if the loss is not finite
   */
  async advance(): Promise<StepResult | null> {
    const { lr } = this.optimizer.groups[0]
    this.optimizer.beginStep()
    const started = this.accumulate === 1 ? await this.single() : await this.accumulated()
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

  /** Mean loss over the first `count` batches, without dropout and gradients. */
  async evaluate(batches: BatchSampler, count: number): Promise<number> {
    let total = 0
    for (let i = 0; i < count; i++) {
      const [loss] = await this.score(await batches.batch(i))
      total += await loss.item()
    }
    return total / count
  }

  private updated(): Tensor[] {
    this.optimizer.update()
    return this.optimizer.gradNorm ? [this.optimizer.gradNorm] : []
  }

  private async single(): Promise<Started> {
    const batch = await this.batches.batch(this.step)
    const [loss, norm] = await this.fullStep(batch)
    return { losses: [loss.item()], norm: norm?.item(), ...sizeOf(batch) }
  }

  private async accumulated(): Promise<Started> {
    const losses: Promise<number>[] = []
    const size = { tokens: 0, rows: 0 }
    for (let i = 0; i < this.accumulate; i++) {
      const batch = await this.batches.batch(this.step * this.accumulate + i)
      const [loss] = await this.forwardBackward(batch)
      losses.push(loss.item())
      const { tokens, rows } = sizeOf(batch)
      size.tokens += tokens
      size.rows += rows
    }
    const [norm] = await this.update()
    return { losses, norm: norm?.item(), ...size }
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

type HeldBatch = (batch: Batch) => Promise<Tensor[]>

interface Started {
  losses: Promise<number>[]
  norm: Promise<number> | undefined
  tokens: number
  rows: number
}

function sizeOf(batch: Batch): { tokens: number; rows: number } {
  const [{ data, shape }] = Object.values(batch)
  return { tokens: data.length, rows: shape[0] }
}
