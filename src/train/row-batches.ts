// Encodes rows as examples and groups them in batches of similar length.
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

/** A task with its definition and context. */
export interface MadeTask<E = unknown> {
  kind: Pick<TaskDefinition, 'name' | 'keepsExamples'>
  task: Task<E>
  context: TaskContext
}

/** What a task does with the examples of its rows. */
export interface Arrangement<E> {
  /** Selects the examples to use, before a part of them is held out. Default: all. */
  keep?(examples: Examples<E>): Examples<E>
  /** Combines examples for training, such as several in a row. Default: none are combined. */
  arrange?(examples: Examples<E>): Examples<E>
  /** Completes the held-out examples, such as with another one to compare with. Default: they stay as they are. */
  hold?(examples: Examples<E>): Examples<E>
  /** Computes what training needs to know of the examples: those of each step of the run, and those that are held out. */
  complete?(used: { steps: Iterable<readonly E[]>; held: Examples<E> }): Promise<void>
}

/**
 * Creates the batches of a run. All rows are encoded first, so that bad rows are reported before training starts.
 * `examplesAt` returns the examples of a step.
 */
export async function rowBatches<E>(
  setup: BatchSetup,
  made: MadeTask<E>,
  { keep = same, arrange = same, hold = same, complete }: Arrangement<E> = {},
): Promise<TrainingBatches & { examplesAt(step: number): E[] }> {
  const { data, valData, valFraction, seed, batch } = setup
  const { task } = made
  const all = await prepareExamples<E>(data, made, setup)
  const other = valData && (await prepareExamples<E>(valData, made, setup))
  const examples = other
    ? { train: keep(all.examples), held: keep(other.examples) }
    : split(keep(all.examples), valFraction, seed)
  if (examples.train.length === 0)
    throw new HeedError('invalid-data', 'Training data must give at least one example, got none', {
      key: 'data',
      value: 0,
      remedy: 'Add rows, or hold out fewer rows (`valFraction`).',
    })
  const train = bucketed(task, arrange(examples.train), batch, seed)
  const heldOut = hold(examples.held)
  const count = setup.steps(train.stepsPerEpoch)
  await complete?.({ steps: examplesOfSteps(train, count), held: heldOut })
  return {
    train: new Prefetch(train),
    examplesAt: (step) => train.examplesAt(step),
    size: { train: amountOf(examples.train, task), validation: amountOf(examples.held, task) },
    perEpoch: train.stepsPerEpoch,
    heldOut,
    async close() {
      await all.close?.()
      await other?.close?.()
    },
  }
}

const same = <T>(value: T): T => value

function* examplesOfSteps<E>(batches: BucketedBatches<E>, count: number): Generator<E[]> {
  for (let step = 0; step < count; step++) yield batches.examplesAt(step)
}

/** The amount of data in the unit of the task. */
function amountOf<E>(examples: Examples<E>, task: Task<E>): number {
  if (task.unit !== 'tokens') return examples.length
  const lengths = examples.lengths ?? firstExamples(examples).map((example) => task.length(example))
  return Array.from(lengths).reduce((sum, length) => sum + length, 0)
}

const bucketed = <E>(task: Task<E>, examples: Examples<E>, batchSize: number, seed: number) =>
  new BucketedBatches({
    examples,
    length: (example) => task.length(example),
    collate: (chosen, length, draw) =>
      task.collateForTraining
        ? task.collateForTraining(chosen, length, draw)
        : task.collate(chosen, length, draw),
    batchSize,
    seed,
  })

/** Holds out a fraction of the examples, drawn by seed; both parts keep their order. */
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
