import type { HeldInput } from '../tensor/index.ts'
import { having } from '../util/options.ts'

/** The inputs of a loss: arrays by name, each with its shape. The first axis of the first array is the batch. */
export type Batch = Readonly<Record<string, HeldInput>>

/** Check for arguments that take a batch sampler. */
export const SAMPLER = having('a batch sampler such as RandomWindows', 'batch')

/** Batches by step number. The same step always gives the same batch. */
export interface BatchSampler {
  /** Returns the batch of a step, counted from 0. */
  batch(step: number): Batch | Promise<Batch>
}
