// Until src/data/bucketed-batches.ts is there.
import type { Batch, BatchSampler } from '../data/index.ts'
import { shuffledIndices } from '../util/random.ts'

export class BucketedBatches<E> implements BatchSampler {
  readonly stepsPerEpoch: number
  private readonly options: {
    examples: readonly E[]
    length: (example: E) => number
    collate: (examples: readonly E[], length: number, draw: { seed: number; step: number }) => Batch
    batchSize: number
    seed: number
  }

  constructor(options: BucketedBatches<E>['options']) {
    this.options = options
    this.stepsPerEpoch = Math.max(1, Math.floor(options.examples.length / options.batchSize))
  }

  batch(step: number): Batch {
    const { examples, length, collate, batchSize, seed } = this.options
    const order = shuffledIndices(examples.length, seed, Math.floor(step / this.stepsPerEpoch))
    const lengths = examples.map(length)
    const longest = Math.max(...lengths)
    const sorted = [...order].sort((a, b) => Math.ceil(lengths[a] / 8) - Math.ceil(lengths[b] / 8))
    const place = shuffledIndices(this.stepsPerEpoch, seed, Math.floor(step / this.stepsPerEpoch))[
      step % this.stepsPerEpoch
    ]
    const chosen = sorted.slice(place * batchSize, (place + 1) * batchSize)
    const width = Math.min(longest, Math.ceil(Math.max(...chosen.map((i) => lengths[i])) / 16) * 16)
    return collate(
      chosen.map((i) => examples[i]),
      width,
      { seed, step },
    )
  }
}
