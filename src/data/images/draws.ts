import { argumentKinds } from '../../util/argument-kinds.ts'
import { randomUniform } from '../../util/random.ts'

/** Returns the next random number in [0, 1). */
export type Draw = () => number

const MOST = 4096 // random numbers per row

const checkDrawsOf = argumentKinds('drawsOf', { seed: 'count', step: 'count', row: 'count' })

/** Random numbers for a row of a batch. They depend on seed, step and row only, not on earlier draws. */
export function drawsOf(seed: number, step: number, row: number): Draw {
  checkDrawsOf(seed, step, row)
  let index = row * MOST
  return () => randomUniform(seed, step, index++)
}
