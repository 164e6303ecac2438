import type { HeldInput } from '../tensor/index.ts'

/** What a loss takes: arrays by name, each with its shape. The first one counts the batch's rows. */
export type Batch = Readonly<Record<string, HeldInput>>

/** Batches by step number: the same step gives the same batch, whatever ran before. */
export interface BatchSampler {
  batch(step: number): Batch | Promise<Batch>
}
