import { HeedError } from '../util/errors.ts'
import { checkSeed, randomBelow, shuffledIndices } from '../util/random.ts'
import type { BatchSampler } from './batch.ts'
import type { TokenDataset } from './token-dataset.ts'

/** Ids (B, T), row-major: B rows of T tokens. */
export interface TokenRows {
  data: Int32Array
  shape: [batchSize: number, contextLength: number]
}

/** Rows of tokens and, for each of them, the token that comes next. */
export type TokenBatch = { readonly inputs: TokenRows; readonly targets: TokenRows }

export interface WindowOptions {
  batchSize: number
  contextLength: number
  seed?: number
}

/** Windows that start anywhere, drawn with replacement by (seed, step, row). */
export class RandomWindows implements BatchSampler {
  private readonly dataset: TokenDataset
  private readonly batchSize: number
  private readonly contextLength: number
  private readonly seed: number

  constructor(dataset: TokenDataset, { batchSize, contextLength, seed = 0 }: WindowOptions) {
    checkWindows(dataset, batchSize, contextLength)
    this.dataset = dataset
    this.batchSize = batchSize
    this.contextLength = contextLength
    this.seed = checkSeed(seed)
  }

  batch(step: number): TokenBatch {
    const places = this.dataset.length - this.contextLength
    const starts = Array.from({ length: this.batchSize }, (_, row) =>
      randomBelow(places, this.seed, step, row),
    )
    return readWindows(this.dataset, starts, this.contextLength)
  }
}

/** Windows one after the other, each once an epoch, in an order drawn by (seed, epoch). */
export class SequentialWindows implements BatchSampler {
  /** Windows in an epoch; what is left at the end of the text, shorter than one, is not used. */
  readonly windows: number
  readonly stepsPerEpoch: number
  private readonly dataset: TokenDataset
  private readonly batchSize: number
  private readonly contextLength: number
  private readonly seed: number
  private readonly shuffle: boolean
  private order: { epoch: number; indices: Uint32Array } | undefined

  /** `dropLast` (default true) leaves out an epoch's last batch when it is not full. */
  constructor(
    dataset: TokenDataset,
    options: WindowOptions & { shuffle?: boolean; dropLast?: boolean },
  ) {
    const { batchSize, contextLength, seed = 0, shuffle = true, dropLast = true } = options
    checkWindows(dataset, batchSize, contextLength)
    this.dataset = dataset
    this.batchSize = batchSize
    this.contextLength = contextLength
    this.seed = checkSeed(seed)
    this.shuffle = shuffle
    this.windows = Math.floor((dataset.length - 1) / contextLength)
    const batches = this.windows / batchSize
    this.stepsPerEpoch = dropLast ? Math.floor(batches) : Math.ceil(batches)
    if (this.stepsPerEpoch > 0) return
    const have = `${this.windows} windows of ${contextLength} tokens`
    throw new HeedError(
      'invalid-data',
      `batchSize ${batchSize} is too large: the ${dataset.name} has ${have}`,
      {
        remedy: `Choose a batchSize of at most ${this.windows}, or a shorter contextLength.`,
      },
    )
  }

  batch(step: number): TokenBatch {
    const epoch = Math.floor(step / this.stepsPerEpoch)
    const first = (step % this.stepsPerEpoch) * this.batchSize
    const rows = Math.min(this.batchSize, this.windows - first)
    const starts = Array.from(
      { length: rows },
      (_, row) => this.windowAt(epoch, first + row) * this.contextLength,
    )
    return readWindows(this.dataset, starts, this.contextLength)
  }

  private windowAt(epoch: number, place: number): number {
    if (!this.shuffle) return place
    if (this.order?.epoch !== epoch) {
      this.order = { epoch, indices: shuffledIndices(this.windows, this.seed, epoch) }
    }
    return this.order.indices[place]
  }
}

function checkWindows(dataset: TokenDataset, batchSize: number, contextLength: number): void {
  for (const [name, value] of Object.entries({ batchSize, contextLength })) {
    if (Number.isInteger(value) && value >= 1) continue
    throw new HeedError('invalid-data', `${name} ${value} is not a whole number from 1 on`)
  }
  if (dataset.length > contextLength) return
  const needed = `contextLength ${contextLength} needs at least ${contextLength + 1} tokens`
  throw new HeedError('invalid-data', `${needed}, the ${dataset.name} has ${dataset.length}`, {
    remedy:
      dataset.length > 1
        ? `Choose a contextLength of at most ${dataset.length - 1}, or give more text.`
        : 'Give more text.',
  })
}

function readWindows(dataset: TokenDataset, starts: number[], contextLength: number): TokenBatch {
  const batchSize = starts.length
  const inputs = new Int32Array(batchSize * contextLength)
  const targets = new Int32Array(batchSize * contextLength)
  const window = new Int32Array(contextLength + 1)
  starts.forEach((start, row) => {
    dataset.read(start, contextLength + 1, window)
    inputs.set(window.subarray(0, contextLength), row * contextLength)
    targets.set(window.subarray(1), row * contextLength)
  })
  const shape: TokenRows['shape'] = [batchSize, contextLength]
  return { inputs: { data: inputs, shape }, targets: { data: targets, shape } }
}
