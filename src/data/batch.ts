import type { HeldInput } from '../tensor/index.ts'

/** The inputs of a loss: arrays by name, each with its shape. The first axis of the first array is the batch. */
export type Batch = Readonly<Record<string, HeldInput>>

/** Batches by step number. The same step always gives the same batch. */
export interface BatchSampler {
  batch(step: number): Batch | Promise<Batch>
}
