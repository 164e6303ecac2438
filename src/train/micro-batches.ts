// Gradient accumulation: a step in several micro-batches, whose losses and gradients add up to those of the whole batch.
// Each term of the loss is a mean over its items, so a micro-batch is weighted by its share of them.
import type { Batch } from '../data/index.ts'
import type { BatchTensors } from '../pipelines/hold-batch.ts'
import type { HeldInput, Tensor } from '../tensor/index.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'

/** A scalar mean over items, or several such means, which are added. */
export type LossTerms = Tensor | readonly Tensor[]

/** How the batches of a task are split into micro-batches. */
export interface Splitting {
  /** Returns the number of items that count in each term of the loss of a batch. Default: `countItems`. */
  itemCounts?: (batch: Batch) => readonly number[]
  /** Returns rows `start` to `end` (exclusive) of a batch. Default: these rows of every array. */
  sliceBatch?: (batch: Batch, start: number, end: number) => Batch
}

/**
 * Splits a batch into at most `count` parts of consecutive rows and about equal size, with their weights. Parts without
 * items that count are omitted, unless no part has any.
 */
export function microBatches(
  batch: Batch,
  count: number,
  { itemCounts = countItems, sliceBatch = sliceRows }: Splitting,
): Batch[] {
  const rows = rowsOf(batch)
  const size = Math.max(1, Math.ceil(rows / count))
  const totals = itemCounts(batch)
  const micros: Batch[] = []
  for (let start = 0; start < rows; start += size) {
    const micro = sliceBatch(batch, start, Math.min(start + size, rows))
    const counts = itemCounts(micro)
    const shares = counts.map((items, term) => items / Math.max(1, totals[term]))
    if (counts.some((items) => items > 0)) micros.push(withWeights(micro, shares))
  }
  return micros.length > 0 ? micros : [withWeights(batch, totals)]
}

const withWeights = (batch: Batch, weights: readonly number[]): Batch => ({
  ...batch,
  [WEIGHTS]: { data: Float32Array.from(weights), shape: [weights.length] },
})

/** The sum of the terms: the loss of a whole batch. */
export const totalLoss = (terms: LossTerms): Tensor => termsOf(terms).reduce((a, b) => a.add(b))

/** The contribution of a micro-batch to the loss of its step. */
export function weightedLoss(loss: LossTerms, { [WEIGHTS]: weights }: BatchTensors): Tensor {
  const terms = termsOf(loss)
  if (terms.length === weights.size)
    return totalLoss(terms.map((term, i) => term.mul(weights.select(0, i))))
  throw new HeedError(
    'invalid-option',
    `\`itemCounts\` must give a number for each of the ${terms.length} terms of the loss, got ${weights.size}`,
    { key: 'itemCounts', value: weights.size },
  )
}

export function termsOf(loss: LossTerms): readonly Tensor[] {
  const terms = isList(loss) ? loss : [loss]
  const expected = 'a tensor, or an array of one or more tensors'
  if (terms.length === 0) throw wrongArgument('Trainer', 'loss(batch)', loss, expected)
  for (const term of terms) checkArgument('Trainer', 'loss(batch)', term, 'tensor')
  return terms
}

const isList = (loss: LossTerms): loss is readonly Tensor[] => Array.isArray(loss)

/** Counts the labels (or targets) that are not -100; for labels that are not class indices, the rows. */
export function countItems(batch: Batch): readonly number[] {
  const { labels, targets = labels } = batch
  return [targets?.data instanceof Int32Array ? countOf(targets) : rowsOf(batch)]
}

/** Counts the labels that are not -100. */
export function countOf({ data }: HeldInput): number {
  let count = 0
  for (const label of data) if (label !== -100) count++
  return count
}

/** The sum of an array, such as the lengths of the texts of a batch. */
export function sumOf({ data }: HeldInput): number {
  let sum = 0
  for (const value of data) sum += Number(value)
  return sum
}

export function rowsOf(batch: Batch): number {
  const [{ shape }] = Object.values(batch)
  return shape[0]
}

/** Slices rows `start` to `end` (exclusive) of every array. */
export function sliceRows(batch: Batch, start: number, end: number): Batch {
  const rows = rowsOf(batch)
  const slices = Object.entries(batch).map(([name, { data, shape }]) => {
    const size = data.length / rows
    return [name, { data: data.subarray(start * size, end * size), shape: [end - start, ...shape.slice(1)] }] // biome-ignore format: one line
  })
  return Object.fromEntries(slices)
}

/** Name of the input with the weights; it cannot clash with an array of a batch. */
const WEIGHTS = 'weights of the terms'
