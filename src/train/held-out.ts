// What is held out: the examples that validation and evaluation see.
import { type Examples, firstExamples, selectExamples } from '../data/index.ts'
import { deriveSeed, shuffledIndices } from '../util/random.ts'
import type { TrainConfig } from './config-schema.ts'

/** Held-out examples in an evaluation, where `evalBatches` does not say otherwise. */
const EVALUATED = 512

/** The examples on which a run is validated, always the same: all, or a random part of many, in their order. */
export function validationExamples<E>(
  heldOut: Examples<E>,
  { evalBatches, batch, seed }: Pick<TrainConfig, 'evalBatches' | 'batch' | 'seed'>,
): E[] {
  return sampleOf(heldOut, evalBatches === null ? EVALUATED : evalBatches * batch, seed)
}

/** At most `most` examples, drawn by seed, in their order. */
export function sampleOf<E>(all: Examples<E>, most: number, seed: number): E[] {
  if (all.length <= most) return firstExamples(all)
  const drawn = shuffledIndices(all.length, deriveSeed(seed, 'evaluation'), 0).subarray(0, most)
  return firstExamples(selectExamples(all, drawn.toSorted()))
}
