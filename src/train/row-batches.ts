// Rows as examples, in batches of similar lengths.
import {
  BucketedBatches,
  type Examples,
  firstExamples,
  Prefetch,
  selectExamples,
} from '../data/index.ts'
import { HeedError } from '../util/errors.ts'
import { deriveSeed, shuffledIndices } from '../util/random.ts'
import { prepareExamples } from './encoding/prepare-examples.ts'
import type { BatchSetup, Task, TaskContext, TaskDefinition, TrainingBatches } from './task.ts'

/** A task, and what it has been made of. */
export interface MadeTask {
  kind: TaskDefinition
  task: Task
  context: TaskContext
}

/** All rows are encoded first, so that mistakes in them are reported before training begins. */
export async function rowBatches(setup: BatchSetup, made: MadeTask): Promise<TrainingBatches> {
  const { data, valData, valFraction, seed, batch } = setup
  const { task } = made
  const all = await prepareExamples(data, made, setup)
  const other = valData && (await prepareExamples(valData, made, setup))
  const context = other
    ? { train: all.examples, held: other.examples }
    : split(all.examples, valFraction, seed)
  if (context.train.length === 0)
    throw new HeedError('invalid-option', 'No example is left to learn from')
  const train = bucketed(task, context.train, batch, seed, true)
  const looked = context.held.length > 0 ? bucketed(task, context.held, batch, seed) : null
  return {
    train: new Prefetch(train),
    size: { train: amountOf(context.train, task), validation: amountOf(context.held, task) },
    perEpoch: train.stepsPerEpoch,
    validation: looked && { batches: looked, count: looked.stepsPerEpoch },
    heldOut: context.held,
    async close() {
      await all.close?.()
      await other?.close?.()
    },
  }
}

/** In the task's unit. */
function amountOf(examples: Examples<unknown>, task: Task): number {
  if (task.unit !== 'tokens') return examples.length
  const lengths = examples.lengths ?? firstExamples(examples).map((one) => task.length(one))
  return Array.from(lengths).reduce((sum, length) => sum + length, 0)
}

const bucketed = (
  task: Task,
  examples: Examples<unknown>,
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
function split<E>(
  all: Examples<E>,
  fraction: number,
  seed: number,
): { train: Examples<E>; held: Examples<E> } {
  const count = Math.min(all.length - 1, Math.round(all.length * fraction))
  const drawn = shuffledIndices(all.length, deriveSeed(seed, 'split'), 0).subarray(0, count)
  const held = new Set(drawn)
  const numbers = Uint32Array.from({ length: all.length }, (_, i) => i)
  return {
    train: selectExamples(
      all,
      numbers.filter((i) => !held.has(i)),
    ),
    held: selectExamples(all, drawn.toSorted()),
  }
}
