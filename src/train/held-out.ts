// Selects held-out examples for validation and evaluation.
import { type Examples, firstExamples, selectExamples } from '../data/index.ts'
import { deriveSeed, shuffledIndices } from '../util/random.ts'
import type { TrainConfig } from './config-schema.ts'

/** Default number of held-out examples in a validation, without `evalBatches`. */
const EVALUATED = 512

/** The validation examples of a run, which are always the same: all, or a random sample of many, in order. */
export function validationExamples<E>(
  heldOut: Examples<E>,
  { evalBatches, batch, seed }: Pick<TrainConfig, 'evalBatches' | 'batch' | 'seed'>,
): E[] {
  return sampleOf(heldOut, evalBatches === null ? EVALUATED : evalBatches * batch, seed)
}

/** Draws at most `most` examples by seed; they keep their order. */
export function sampleOf<E>(all: Examples<E>, most: number, seed: number): E[] {
  if (all.length <= most) return firstExamples(all)
  const drawn = shuffledIndices(all.length, deriveSeed(seed, 'evaluation'), 0).subarray(0, most)
  return firstExamples(selectExamples(all, drawn.toSorted()))
}
