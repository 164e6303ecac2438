// Rows as examples, those of like length together in batches.
import { BucketedBatches, openRows, Prefetch } from '../data/index.ts'
import { HeedError } from '../util/errors.ts'
import { deriveSeed, shuffledIndices } from '../util/random.ts'
import { encodeRows } from './examples.ts'
import type { Supply, SupplySetup, Task } from './task.ts'

/** All rows are encoded first, so that what is wrong with one shows before training begins. */
export async function rowSupply(setup: SupplySetup, task: Task): Promise<Supply> {
  const { data, valData, valFraction, seed } = setup
  const encoded = async (paths: readonly string[]): Promise<unknown[]> => {
    const source = await openRows(paths, setup.rowOptions)
    return encodeRows(task, source, (rows) => setup.onProgress?.('Encoding rows', rows))
  }
  const all = await encoded(data)
  const parts = valData
    ? { train: all, held: await encoded(valData) }
    : split(all, valFraction, seed)
  if (parts.train.length === 0) throw new HeedError('No example is left to learn from')
  const train = bucketed(task, parts.train, setup.batch, seed, true)
  const looked = parts.held.length > 0 ? bucketed(task, parts.held, setup.batch, seed) : null
  const amount = (examples: readonly unknown[]): number =>
    task.unit === 'tokens'
      ? examples.reduce((sum: number, example) => sum + task.length(example), 0)
      : examples.length
  return {
    train: new Prefetch(train),
    size: { train: amount(parts.train), validation: amount(parts.held) },
    perEpoch: train.stepsPerEpoch,
    validation: looked && { batches: looked, count: looked.stepsPerEpoch },
    heldOut: parts.held,
  }
}

const bucketed = (
  task: Task,
  examples: unknown[],
  batchSize: number,
  seed: number,
  training = false,
) =>
  new BucketedBatches({
    examples,
    length: (example) => task.length(example),
    collate: (chosen, length, draw) =>
      training && task.collateForTraining
        ? task.collateForTraining(chosen, length, draw)
        : task.collate(chosen, length, draw),
    batchSize,
    seed,
  })

/** A share drawn by seed; what is left keeps its order. */
function split<E>(all: E[], fraction: number, seed: number): { train: E[]; held: E[] } {
  const count = Math.min(all.length - 1, Math.round(all.length * fraction))
  const drawn = shuffledIndices(all.length, deriveSeed(seed, 'split'), 0).subarray(0, count)
  const held = new Set(drawn)
  return {
    train: all.filter((_, i) => !held.has(i)),
    held: [...drawn].sort((a, b) => a - b).map((i) => all[i]),
  }
}
