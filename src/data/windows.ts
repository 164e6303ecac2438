import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { invalidOption } from '../util/errors.ts'
import { having, optionKinds } from '../util/options.ts'
import { randomBelow, shuffledIndices } from '../util/random.ts'
import type { BatchSampler } from './batch.ts'
import type { TokenDataset } from './token-dataset.ts'

/** Token ids of shape (B, T), row-major: B rows of T tokens. */
export interface TokenRows {
  /** The ids. */
  data: Int32Array
  /** [B, T]. */
  shape: [batchSize: number, contextLength: number]
}

/** Inputs (B, T), and as targets (B, T) the next token of each position. */
export type TokenBatch = {
  /** Ids of the windows, i32 (B, T). */
  readonly inputs: TokenRows
  /** Ids of the next tokens, i32 (B, T). */
  readonly targets: TokenRows
}

/** Options of `RandomWindows` and `SequentialWindows`. */
export interface WindowOptions {
  /** Number of windows in a batch. */
  batchSize: number
  /** Number of tokens in a window. */
  contextLength: number
  /** Random seed. Default 0. */
  seed?: number
}

/** Options of `SequentialWindows`. */
export interface SequentialOptions extends WindowOptions {
  /** Shuffle the windows in each epoch. Default true. */
  shuffle?: boolean
  /** Skip the last batch of an epoch when it is not full. Default true. */
  dropLast?: boolean
}

const WINDOWS = { batchSize: 'size', contextLength: 'size', seed: 'count?' } as const
const DATASET = having('a TokenDataset', 'read', 'split')
const checkRandom = argumentKinds('RandomWindows', {
  dataset: DATASET,
  options: optionKinds<WindowOptions>(WINDOWS),
})
const checkSequential = argumentKinds('SequentialWindows', {
  dataset: DATASET,
  options: optionKinds<SequentialOptions>({ ...WINDOWS, shuffle: 'flag?', dropLast: 'flag?' }),
})

/** Samples windows at random positions with replacement, drawn from (seed, step, row). */
export class RandomWindows implements BatchSampler {
  private readonly dataset: TokenDataset
  private readonly batchSize: number
  private readonly contextLength: number
  private readonly seed: number

  /** Samples from a data set. @throws HeedError if it is not longer than a window */
  constructor(dataset: TokenDataset, options: WindowOptions) {
    checkRandom(dataset, options)
    const { batchSize, contextLength, seed = 0 } = options
    checkLength(dataset, contextLength)
    this.dataset = dataset
    this.batchSize = batchSize
    this.contextLength = contextLength
    this.seed = seed
  }

  /** Returns the batch of a step: i32 (batchSize, contextLength) each. */
  batch(step: number): TokenBatch {
    checkArgument('RandomWindows', 'step', step, 'count')
    const places = this.dataset.length - this.contextLength
    const starts = Array.from({ length: this.batchSize }, (_, row) =>
      randomBelow(places, this.seed, step, row),
    )
    return readWindows(this.dataset, starts, this.contextLength)
  }
}

/** Visits consecutive windows once per epoch, in an order drawn from (seed, epoch). */
export class SequentialWindows implements BatchSampler {
  /** Number of windows per epoch. The rest of the text, shorter than a window, is not used. */
  readonly windows: number
  /** Number of batches in an epoch. */
  readonly stepsPerEpoch: number
  private readonly dataset: TokenDataset
  private readonly batchSize: number
  private readonly contextLength: number
  private readonly seed: number
  private readonly shuffle: boolean
  private order: { epoch: number; indices: Uint32Array } | undefined

  /** Divides a data set into windows. @throws HeedError if it has fewer windows than a batch needs */
  constructor(dataset: TokenDataset, options: SequentialOptions) {
    checkSequential(dataset, options)
    const { batchSize, contextLength, seed = 0, shuffle = true, dropLast = true } = options
    checkLength(dataset, contextLength)
    this.dataset = dataset
    this.batchSize = batchSize
    this.contextLength = contextLength
    this.seed = seed
    this.shuffle = shuffle
    this.windows = Math.floor((dataset.length - 1) / contextLength)
    const batches = this.windows / batchSize
    this.stepsPerEpoch = dropLast ? Math.floor(batches) : Math.ceil(batches)
    if (this.stepsPerEpoch > 0) return
    throw invalidOption({
      key: 'batchSize',
      value: batchSize,
      expected: `at most the number of windows of ${contextLength} tokens in the ${dataset.name} set (${this.windows})`,
      try: { batchSize: [this.windows] },
    })
  }

  /** Returns the batch of a step: i32 (batchSize, contextLength) each; fewer rows in an incomplete last batch. */
  batch(step: number): TokenBatch {
    checkArgument('SequentialWindows', 'step', step, 'count')
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

function checkLength(dataset: TokenDataset, contextLength: number): void {
  if (dataset.length > contextLength) return
  throw invalidOption({
    key: 'contextLength',
    value: contextLength,
    expected: `less than the number of tokens of the ${dataset.name} set (${dataset.length})`,
    ...(dataset.length > 1
      ? { try: { contextLength: [dataset.length - 1] } }
      : { remedy: 'Give more text.' }),
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
