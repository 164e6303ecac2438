// Runs a model on examples without gradients; batches examples for pipelines, evaluation and prediction.
import type { Batch } from '../data/index.ts'
import type { TypedArray } from '../graph/dtype.ts'
import type { Module } from '../nn/index.ts'
import { noGrad, type Tensor } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { invalidOption } from '../util/errors.ts'
import { having, optionKinds, ruleOf } from '../util/options.ts'
import { roomFor } from '../util/room-for.ts'
import { type BatchTensors, holdBatch } from './hold-batch.ts'

/** The source of random choices in a batch: masking and augmentation depend only on (seed, step). */
export interface Draw {
  /** Seed of the run. */
  seed: number
  /** Number of the batch, counted from 0. */
  step: number
}

/** How examples become batches. */
export interface Batching<E> {
  /** The length of an example. Examples of similar length share a batch. Constant if all examples have the same shape. */
  length(example: E): number
  /** Creates a batch, padded to `length`. */
  collate(examples: readonly E[], length: number, draw: Draw): Batch
  /** Returns a key. Examples with different keys never share a batch, for example images of different sizes. */
  batchKey?(example: E): string
}

/** Options of `runExamples`. */
export interface RunOptions<E, R> {
  /** How examples become batches. */
  batching: Batching<E>
  /** The model of `forward`. It is set to evaluation mode. */
  model: Module
  /** Number of examples in a batch. */
  batchSize: number
  /** Computes the tensors to read for a batch. */
  forward(batch: BatchTensors): Tensor[]
  /** Returns the result of an example from the values of `forward`, its row in them, and the padded length. */
  read(outputs: readonly TypedArray[], row: number, example: E, length: number): R
}

const checkRunExamples = argumentKinds('runExamples', {
  examples: 'list',
  options: optionKinds<RunOptions<unknown, unknown>>({
    batching: having('a task, or another object with `length` and `collate`', 'length', 'collate'),
    model: having('a Module', 'forward', 'eval'),
    batchSize: 'size',
    forward: 'function',
    read: 'function',
  }),
})

/**
 * Runs a model on examples, and returns their results in the same order. Examples of similar length share a batch and are
 * padded to one of a few lengths, so that few programs are compiled.
 * @throws HeedError unless `batchSize` is a whole number of at least 1
 */
export async function runExamples<E, R>(
  examples: readonly E[],
  options: RunOptions<E, R>,
): Promise<R[]> {
  checkRunExamples(examples, options)
  const { batching, model, batchSize, forward, read } = options
  model.eval()
  const run = holdBatch((batch) => noGrad(() => forward(batch)))
  const results = new Array<R>(examples.length)
  let step = 0
  for (const { chosen, rows, length } of batchesOf(examples, batching, batchSize)) {
    // The last batch repeats its last example to keep the number of rows, so that no further program is compiled.
    const filled = Array.from({ length: rows }, (_, i) => examples[chosen[i] ?? chosen.at(-1)])
    const outputs = await run(batching.collate(filled, length, { seed: 0, step: step++ }))
    const values = await Promise.all(outputs.map((output) => output.data()))
    chosen.forEach((i, row) => {
      results[i] = read(values, row, examples[i], length)
    })
  }
  return results
}

export interface PlannedBatch {
  /** The indices of its examples. */
  chosen: readonly number[]
  /** Number of rows in each batch of its group; the last batch may have fewer examples. */
  rows: number
  /** The length to which its examples are padded. */
  length: number
}

/**
 * Groups examples in batches of similar lengths, the longest first.
 * @throws HeedError unless `batchSize` is a whole number of at least 1
 */
export function* batchesOf<E>(
  examples: readonly E[],
  batching: Pick<Batching<E>, 'length' | 'batchKey'>,
  batchSize: number,
): Generator<PlannedBatch> {
  checkBatchSize(batchSize)
  for (const group of groupsOf(examples, batching)) {
    const lengths = new Map(group.map((i) => [i, lengthIn(batching, examples[i])]))
    const lengthOf = (i: number): number => lengths.get(i) ?? 1
    const longest = group.reduce((most, i) => Math.max(most, lengthOf(i)), 1)
    const order = group.sort((a, b) => lengthOf(b) - lengthOf(a))
    const rows = Math.min(batchSize, order.length)
    for (let start = 0; start < order.length; start += rows) {
      const chosen = order.slice(start, start + rows)
      const length = Math.min(longest, roomFor(Math.max(1, lengthOf(chosen[0])), 8))
      yield { chosen, rows, length }
    }
  }
}

function lengthIn<E>(batching: Pick<Batching<E>, 'length'>, example: E): number {
  const length = batching.length(example)
  checkArgument('A batch', 'length(example)', length, 'count')
  return length
}

/** The indices of examples that may share batches. */
function groupsOf<E>(examples: readonly E[], batching: Pick<Batching<E>, 'batchKey'>): number[][] {
  const groups = new Map<string, number[]>()
  examples.forEach((example, i) => {
    const key = batching.batchKey?.(example) ?? ''
    const group = groups.get(key)
    if (group) group.push(i)
    else groups.set(key, [i])
  })
  return [...groups.values()]
}

/** The rule for `batchSize` in the options of a pipeline. */
export const BATCH_SIZE = { ...ruleOf('size?'), try: [1, 16] }

/** @throws HeedError unless `batchSize` is a whole number of at least 1 */
export function checkBatchSize(batchSize: number): void {
  if (Number.isInteger(batchSize) && batchSize >= 1) return
  throw invalidOption({
    key: 'batchSize',
    value: batchSize,
    expected: 'a whole number of at least 1',
    try: { batchSize: [1, 16] },
  })
}
