import { HeedError } from '../util/errors.ts'
import { checkSeed, deriveSeed, shuffledIndices } from '../util/random.ts'
import type { Batch, BatchSampler } from './batch.ts'
import { bucketLengths } from './bucket-lengths.ts'
import { type Examples, firstExamples } from './examples/examples.ts'
import { findSegment } from './token-source.ts'

export interface BucketedOptions<E> {
  /** A list, or another collection; only those of a batch are asked for at once. */
  examples: Examples<E>
  /** Tokens of an example, where the collection does not tell; constant where shapes do not vary. */
  length: (example: E) => number
  /** Makes a batch of examples that are padded to `length`. */
  collate: (
    examples: readonly E[],
    length: number,
    draw: { seed: number; step: number },
  ) => Batch | Promise<Batch>
  batchSize: number
  seed?: number
  /** The most lengths that batches may have: one program for each. Default 8. */
  buckets?: number
}

/**
 * Batches of examples of like length, each padded to one of a few lengths. In an epoch every example
 * comes once, in an order drawn by (seed, epoch); fewer than a batch of them are left over.
 */
export class BucketedBatches<E> implements BatchSampler {
  readonly stepsPerEpoch: number
  /** What batches are padded to, the shortest first. */
  readonly lengths: readonly number[]
  private readonly options: BucketedOptions<E>
  private readonly seed: number
  private readonly batchSize: number
  private readonly members: readonly (readonly number[])[]
  private plan: { epoch: number; batches: readonly Planned[] } | undefined

  /** Fewer examples than `batchSize` make one batch of all. */
  constructor(options: BucketedOptions<E>) {
    const { examples, length, batchSize, buckets = 8, seed = 0 } = options
    for (const [name, value] of Object.entries({ batchSize, buckets }))
      if (!Number.isInteger(value) || value < 1)
        throw new HeedError('invalid-data', `${name} ${value} is not a whole number from 1 on`)
    if (examples.length === 0)
      throw new HeedError('invalid-data', 'there are no examples to make batches of')
    this.options = options
    this.seed = checkSeed(seed)
    this.batchSize = Math.min(batchSize, examples.length)
    this.stepsPerEpoch = Math.floor(examples.length / this.batchSize)
    const each = Array.from(examples.lengths ?? firstExamples(examples).map(length))
    this.lengths = bucketLengths(each, buckets)
    const members: number[][] = this.lengths.map(() => [])
    each.forEach((one, i) => {
      members[this.lengths[0] >= one ? 0 : findSegment(this.lengths, one - 1e-9) + 1].push(i)
    })
    this.members = members
  }

  batch(step: number): Batch | Promise<Batch> {
    const { examples, collate } = this.options
    const { chosen, length } = this.planFor(Math.floor(step / this.stepsPerEpoch))[
      step % this.stepsPerEpoch
    ]
    const { seed } = this
    return collate(
      Array.from(chosen, (i) => examples.at(i) as E),
      length,
      { seed, step },
    )
  }

  private planFor(epoch: number): readonly Planned[] {
    if (this.plan?.epoch !== epoch) this.plan = { epoch, batches: this.makePlan(epoch) }
    return this.plan.batches
  }

  /** What does not fill a batch goes on to the next bucket, with more padding. */
  private makePlan(epoch: number): Planned[] {
    const batches: Planned[] = []
    let rest: number[] = []
    this.members.forEach((members, bucket) => {
      const all = [...rest, ...members]
      const seed = deriveSeed(this.seed, `bucket ${bucket}`)
      const order = Array.from(shuffledIndices(all.length, seed, epoch), (i) => all[i])
      const full = order.length - (order.length % this.batchSize)
      for (let start = 0; start < full; start += this.batchSize) {
        const chosen = order.slice(start, start + this.batchSize)
        batches.push({ chosen, length: this.lengths[bucket] })
      }
      rest = order.slice(full)
    })
    const order = shuffledIndices(batches.length, deriveSeed(this.seed, 'batches'), epoch)
    return Array.from(order, (i) => batches[i])
  }
}

interface Planned {
  chosen: readonly number[]
  length: number
}
