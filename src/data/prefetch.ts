import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { macrotask } from '../util/macrotask.ts'
import { type Batch, type BatchSampler, SAMPLER } from './batch.ts'

const checkPrefetch = argumentKinds('Prefetch', {
  inner: SAMPLER,
  ahead: 'count',
})

/** Prepares batches ahead of time, while the device computes. */
export class Prefetch implements BatchSampler {
  /** Total time in milliseconds that callers have waited for batches. */
  waited = 0
  private readonly inner: BatchSampler
  private readonly ahead: number
  private readonly made = new Map<number, Promise<Batch>>()

  /** Prepares batches of `inner` up to `ahead` steps before they are needed. Default 2. */
  constructor(inner: BatchSampler, ahead = 2) {
    checkPrefetch(inner, ahead)
    this.inner = inner
    this.ahead = ahead
  }

  async batch(step: number): Promise<Batch> {
    checkArgument('Prefetch', 'step', step, 'count')
    const asked = performance.now()
    const made = this.made.get(step) ?? Promise.resolve(this.inner.batch(step))
    for (const old of this.made.keys())
      if (old <= step || old > step + this.ahead) this.made.delete(old)
    const batch = await made
    this.waited += performance.now() - asked
    this.prepare(step + 1, step + this.ahead)
    return batch
  }

  /** Makes batches one after the other, each in a separate macrotask, so that the current step is submitted first. */
  private prepare(first: number, last: number): void {
    let before: Promise<unknown> = Promise.resolve()
    for (let step = first; step <= last; step++) {
      const made = this.made.get(step) ?? before.then(macrotask).then(() => this.inner.batch(step))
      made.catch(() => {}) // reported when the batch is requested
      this.made.set(step, made)
      before = made.catch(() => {})
    }
  }
}
