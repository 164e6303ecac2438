// The training loop. It holds its compiled step: a step of training builds no graph. The device runs
// one step while the host prepares the next and looks at the one before.
import type { BatchSampler, TokenBatch } from '../data/index.ts'
import type { CausalLM } from '../models/index.ts'
import { type AdamW, LRScheduler, type Schedule } from '../optim/index.ts'
import { addGradients } from '../tensor/accumulate.ts'
import {
  type Held,
  type HeldInput,
  hold,
  noGrad,
  synchronize,
  type Tensor,
} from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'

export interface TrainerOptions {
  model: CausalLM
  optimizer: AdamW
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
  tokens: number
}

export class Trainer {
  step: number
  private readonly optimizer: AdamW
  private readonly scheduler: LRScheduler
  private readonly batches: BatchSampler
  private readonly accumulate: number
  private readonly forwardBackward: Held
  private readonly update: Held
  private readonly whole: Held
  private readonly score: Held
  /** The step that the device is busy with. */
  private running: Promise<StepResult> | null = null

  constructor({ model, optimizer, schedule, batches, accumulate = 1, start = 0 }: TrainerOptions) {
    this.optimizer = optimizer
    this.batches = batches
    this.accumulate = accumulate
    this.step = start
    this.scheduler = new LRScheduler(optimizer, schedule)
    // A warm-up's factor at 0 is 0: counted from 1, no step is wasted.
    this.scheduler.setStep(start + 1)
    this.whole = hold((ids, targets) => {
      const loss = model.train().loss(ids, targets)
      loss.backward()
      return [loss, ...this.updated()]
    })
    this.forwardBackward = hold((ids, targets) => {
      const loss = model.train().loss(ids, targets).div(accumulate)
      addGradients(loss)
      return [loss]
    })
    this.update = hold(() => this.updated())
    this.score = hold((ids, targets) => [noGrad(() => model.eval().loss(ids, targets))])
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
      const [loss] = await this.score(...inputsOf(batches.batch(i)))
      total += await loss.item()
    }
    return total / count
  }

  private updated(): Tensor[] {
    this.optimizer.update()
    return this.optimizer.gradNorm ? [this.optimizer.gradNorm] : []
  }

  private async one(): Promise<Started> {
    const batch = this.batches.batch(this.step)
    const [loss, norm] = await this.whole(...inputsOf(batch))
    return { losses: [loss.item()], norm: norm?.item(), tokens: batch.inputs.length }
  }

  private async several(): Promise<Started> {
    const losses: Promise<number>[] = []
    let tokens = 0
    for (let i = 0; i < this.accumulate; i++) {
      const batch = this.batches.batch(this.step * this.accumulate + i)
      const [loss] = await this.forwardBackward(...inputsOf(batch))
      losses.push(loss.item())
      tokens += batch.inputs.length
    }
    const [norm] = await this.update()
    return { losses, norm: norm?.item(), tokens }
  }

  private async result(step: number, lr: number, started: Started): Promise<StepResult> {
    const losses = await Promise.all(started.losses)
    const loss = losses.reduce((a, b) => a + b, 0)
    const gradNorm = (await started.norm) ?? Number.NaN
    if (!Number.isFinite(loss)) throw new DivergedError(step, loss)
    return { step, loss, gradNorm, lr, tokens: started.tokens }
  }
}

/** The loss became NaN or infinite. */
export class DivergedError extends HeedError {
  override readonly name = 'DivergedError'
  readonly step: number

  constructor(step: number, loss: number) {
    super(`The loss at step ${step} is ${loss}: the training has diverged`)
    this.step = step
  }
}

interface Started {
  losses: Promise<number>[]
  norm: Promise<number> | undefined
  tokens: number
}

function inputsOf({ inputs, targets, batchSize, contextLength }: TokenBatch): HeldInput[] {
  const shape = [batchSize, contextLength]
  return [
    { data: inputs, shape },
    { data: targets, shape },
  ]
}
