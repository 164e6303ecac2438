// The training loop. It holds its compiled step: a step of training builds no graph. The device runs
// one step while the host prepares the next and looks at the one before.
import type { Batch, BatchSampler } from '../data/index.ts'
import type { Module } from '../nn/index.ts'
import { LRScheduler, type Optimizer, type Schedule } from '../optim/index.ts'
import { addGradients } from '../tensor/accumulate.ts'
import { type Held, hold, noGrad, synchronize, type Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { type BatchTensors, holdBatch } from './hold-batch.ts'

export interface TrainerOptions {
  model: Module
  /** The mean loss of a batch. Graph only: it is called once for each combination of shapes. */
  loss: (batch: BatchTensors) => Tensor
  optimizer: Optimizer
  schedule: Schedule
  /** Micro-batch `i` of all: step s uses s·accumulate … (s + 1)·accumulate - 1. */
  batches: BatchSampler
  accumulate?: number
  /** The step to go on from. */
  start?: number
}

/** What is known of a step once it has run. */
export interface StepResult {
  /** Updates so far, this one included. */
  step: number
  loss: number
  gradNorm: number
  lr: number
  /** Numbers in the first array of each batch (tokens), and its rows. */
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
  private readonly whole: HeldBatch
  private readonly score: HeldBatch
  /** The step that the device is busy with. */
  private running: Promise<StepResult> | null = null

  constructor(options: TrainerOptions) {
    const { model, loss, optimizer, batches, accumulate = 1, start = 0 } = options
    this.optimizer = optimizer
    this.batches = batches
    this.accumulate = accumulate
    this.step = start
    this.scheduler = new LRScheduler(optimizer, options.schedule)
    // A warm-up's factor at 0 is 0: counted from 1, no step is wasted.
    this.scheduler.setStep(start + 1)
    const lossOf = (batch: BatchTensors, training: boolean): Tensor => {
      model.train(training)
      return loss(batch)
    }
    this.whole = holdBatch((batch) => {
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
   * Submits the next step and returns the result of the one before, or null at the first call.
   * @throws HeedError when a loss is not a number.
   */
  async advance(): Promise<StepResult | null> {
    const { lr } = this.optimizer.groups[0]
    this.optimizer.beginStep()
    const started = this.accumulate === 1 ? await this.one() : await this.several()
    this.step++
    this.scheduler.step()
    const before = this.running
    this.running = this.result(this.step, lr, started)
    this.running.catch(() => {}) // whoever asks for it gets the error
    return before
  }

  /** Waits for the step that is under way; null when there is none. */
  async drain(): Promise<StepResult | null> {
    const last = this.running ? await this.running : null
    this.running = null
    await synchronize()
    return last
  }

  /** Mean loss over the first `count` batches of other data. No dropout, no gradients. */
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

  private async one(): Promise<Started> {
    const batch = await this.batches.batch(this.step)
    const [loss, norm] = await this.whole(batch)
    return { losses: [loss.item()], norm: norm?.item(), ...sizeOf(batch) }
  }

  private async several(): Promise<Started> {
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
    super('diverged', `The loss at step ${step} is ${loss}: the training has diverged`)
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
