import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { deriveSeed, shuffledIndices } from '../util/random.ts'
import type { Batch, BatchSampler } from './batch.ts'
import { bucketLengths } from './bucket-lengths.ts'
import { type Examples, firstExamples } from './examples/examples.ts'
import { findSegment } from './token-source.ts'

/** Options of `BucketedBatches`. */
export interface BucketedOptions<E> {
  /** A list or another collection. Only the examples of one batch are read at a time. */
  examples: Examples<E>
  /** Number of tokens of an example; used if `examples.lengths` is missing. Return a constant for a fixed shape. */
  length: (example: E) => number
  /** Makes a batch of examples, padded to `length`. */
  collate: (
    examples: readonly E[],
    length: number,
    draw: { seed: number; step: number },
  ) => Batch | Promise<Batch>
  /** Number of examples in a batch. */
  batchSize: number
  /** Seed of the order of examples and of `collate`. Default 0. */
  seed?: number
  /** Maximum number of different batch lengths. A program is compiled for each. Default 8. */
  buckets?: number
}

const BUCKETED = optionKinds<BucketedOptions<unknown>>({
  examples: 'collection',
  length: 'function',
  collate: 'function',
  batchSize: 'size',
  seed: 'count?',
  buckets: 'size?',
})

/**
 * Groups examples of similar length into batches, each padded to one of a few lengths. An epoch visits every example
 * once in an order drawn from (seed, epoch); an incomplete last batch is dropped.
 */
export class BucketedBatches<E> implements BatchSampler {
  /** Number of batches in an epoch. */
  readonly stepsPerEpoch: number
  /** Lengths to which batches are padded, in ascending order. */
  readonly lengths: readonly number[]
  private readonly options: BucketedOptions<E>
  private readonly seed: number
  private readonly batchSize: number
  private readonly members: readonly (readonly number[])[]
  private plan: { epoch: number; batches: readonly Planned[] } | undefined

  /**
   * If there are fewer examples than `batchSize`, one batch holds them all.
   * @throws HeedError if there are no examples
   */
  constructor(options: BucketedOptions<E>) {
    BUCKETED.check('BucketedBatches', options)
    const { examples, length, batchSize, buckets = 8, seed = 0 } = options
    if (examples.length === 0)
      throw new HeedError('invalid-data', '`examples` must hold at least one example, got none', {
        key: 'examples',
        value: 0,
        expected: 'at least one example',
        remedy: 'Check that the rows can be encoded as examples.',
      })
    this.options = options
    this.seed = seed
    this.batchSize = Math.min(batchSize, examples.length)
    this.stepsPerEpoch = Math.floor(examples.length / this.batchSize)
    const each = Array.from(examples.lengths ?? firstExamples(examples).map(length))
    for (const size of each) checkArgument('BucketedBatches', 'length(example)', size, 'count')
    this.lengths = bucketLengths(each, buckets)
    const members: number[][] = this.lengths.map(() => [])
    each.forEach((size, i) => {
      members[this.lengths[0] >= size ? 0 : findSegment(this.lengths, size - 1e-9) + 1].push(i)
    })
    this.members = members
  }

  batch(step: number): Batch | Promise<Batch> {
    const { length } = this.planned(step)
    return this.options.collate(this.examplesAt(step), length, { seed: this.seed, step })
  }

  /** Returns the examples of the batch of a step. */
  examplesAt(step: number): E[] {
    const { examples } = this.options
    return Array.from(this.planned(step).chosen, (i) => examples.at(i) as E)
  }

  private planned(step: number): Planned {
    checkArgument('BucketedBatches', 'step', step, 'count')
    return this.planFor(Math.floor(step / this.stepsPerEpoch))[step % this.stepsPerEpoch]
  }

  private planFor(epoch: number): readonly Planned[] {
    if (this.plan?.epoch !== epoch) this.plan = { epoch, batches: this.makePlan(epoch) }
    return this.plan.batches
  }

  /** Examples that do not fill a batch move to the next longer bucket. */
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
