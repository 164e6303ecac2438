import { argumentKinds } from '../../util/argument-kinds.ts'
import { randomUniform } from '../../util/random.ts'

/** The next of a series of numbers in [0, 1). */
export type Draw = () => number

const MOST = 4096 // draws of one row

const checkDrawsOf = argumentKinds('drawsOf', { seed: 'count', step: 'count', row: 'count' })

/** The series of a batch's row: the same for the same seed, step and row, whatever was drawn before. */
export function drawsOf(seed: number, step: number, row: number): Draw {
  checkDrawsOf(seed, step, row)
  let index = row * MOST
  return () => randomUniform(seed, step, index++)
}
