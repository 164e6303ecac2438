// General text among the text of a domain, against forgetting (replay; Ibrahim et al., 2024, "Simple and Scalable Strategies
// to Continually Pre-train Large Language Models").
import { existsSync } from 'node:fs'
import { isGlob } from '../../data/find-files.ts'
import {
  type BatchSampler,
  type Examples,
  RandomWindows,
  selectExamples,
  type TokenBatch,
  type TokenDataset,
  type TokenRows,
} from '../../data/index.ts'
import { HeedError } from '../../util/errors.ts'
import { deriveSeed } from '../../util/random.ts'

/** A text and its share of the training. */
export interface Mix {
  path: string
  share: number
}

/** Reads FILE:SHARE; undefined if it is something else. */
export function readMix(text: string): Mix | undefined {
  const [, path, share] = /^(.+):([\d.]+)$/.exec(text) ?? []
  const value = Number(share)
  return path !== undefined && value > 0 && value < 1 ? { path, share: value } : undefined
}

/** The text to mix in. @throws HeedError if it is not there */
export function mixOf({ mix }: { mix?: string }): Mix | undefined {
  const read = mix === undefined ? undefined : readMix(mix)
  if (read === undefined || existsSync(read.path) || isGlob(read.path)) return read
  throw new HeedError('missing-file', `\`mix\` must name a file or folder of text, got ${read.path}, which is not there`, {
    key: 'mix',
    value: mix,
    remedy: 'Check the path. The share of the training follows after a colon: general.txt:0.1.',
  }) // biome-ignore format: one line
}

interface Windows {
  batchSize: number
  contextLength: number
  seed: number
}

/**
 * Random windows of two texts. Over all steps, the share of the rows that comes from `general` is exact: of 8 rows with a
 * share of 0.1, it is none in every fifth step and one in the others. They are the last rows of a batch.
 */
export class MixedWindows implements BatchSampler {
  readonly #domain: RandomWindows
  readonly #general: RandomWindows
  readonly #share: number
  readonly #rows: number

  /** @throws HeedError if one of the texts is not longer than a window */
  constructor(domain: TokenDataset, general: TokenDataset, windows: Windows, { path, share }: Mix) {
    if (general.length <= windows.contextLength)
      throw new HeedError('invalid-data', `The text to mix in must have more than ${windows.contextLength} tokens for training, got ${general.length} in ${path}`, {
        key: 'mix',
        value: path,
        remedy: 'Name a longer text, or a smaller `context`.',
      }) // biome-ignore format: one line
    this.#domain = new RandomWindows(domain, windows)
    this.#general = new RandomWindows(general, {
      ...windows,
      seed: deriveSeed(windows.seed, 'mix'),
    })
    this.#share = share
    this.#rows = windows.batchSize
  }

  batch(step: number): TokenBatch {
    const upTo = (steps: number): number => Math.floor(steps * this.#rows * this.#share + 1e-9)
    const count = upTo(step + 1) - upTo(step)
    const { inputs, targets } = this.#domain.batch(step)
    if (count === 0) return { inputs, targets }
    const general = this.#general.batch(step)
    return {
      inputs: withRows(inputs, general.inputs, count),
      targets: withRows(targets, general.targets, count),
    }
  }
}

/** Replaces the last `count` rows. */
function withRows({ data, shape }: TokenRows, others: TokenRows, count: number): TokenRows {
  const [rows, length] = shape
  const mixed = data.slice()
  mixed.set(others.data.subarray(0, count * length), (rows - count) * length)
  return { data: mixed, shape }
}

/** The examples of both, one after the other: all of the first, and up to as many of the second, evenly spaced. */
export function both<E>(first: Examples<E>, second: Examples<E>): Examples<E> {
  const count = Math.min(first.length, second.length)
  const numbers = Uint32Array.from({ length: count }, (_, i) =>
    Math.floor((i * second.length) / count),
  )
  const others = selectExamples(second, numbers)
  const at = (i: number): E | undefined =>
    i < first.length ? first.at(i) : others.at(i - first.length)
  const lengths = Uint32Array.from([
    ...Array.from(first.lengths ?? []),
    ...Array.from(others.lengths ?? []),
  ])
  return { length: first.length + count, lengths, at }
}
