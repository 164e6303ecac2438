// What comes out of scheduling: kernel calls on strided pieces of buffers, for a device to encode.
import type { DType } from '../graph/dtype.ts'
import type { Call } from './kernel-call.ts'
import type { Strided } from './strided.ts'

/**
 * A piece of memory during a run. 'arena' is working memory with an offset that the plan assigns;
 * the others are bound from outside, numbered in the order of the lowered graph.
 */
export interface Buffer {
  readonly kind: 'arena' | 'scalars' | 'leaf' | 'output'
  readonly index: number
  readonly dtype: DType
  readonly count: number
  /** Bytes from the start of the arena. */
  offset: number
}

export interface Operand extends Strided {
  readonly buffer: Buffer
  readonly dtype: DType
}

/** One step of the expression inside an element-wise or reducing kernel. Values are numbered: the
 * kernel's inputs first, then each step's result. */
export interface Step {
  op: string
  dtype: DType
  /** The dtype of the first argument, where it differs from the result's (comparisons, casts). */
  from: DType
  args: number[]
}

export interface Expression {
  inputs: number
  steps: Step[]
  results: number[]
}

export interface Schedule {
  calls: Call[]
  arenaBytes: number
  /** The largest sum of bytes that are in use at once: what the arena is measured against. */
  peakBytes: number
  /** Values of the scalars buffer beyond the bound ones: literals. */
  literals: { value: number; dtype: DType }[]
  leaves: number
  scalars: number
  outputs: number
}

export interface Limits {
  /** Bytes that each arena piece is aligned to. */
  alignment: number
  /** Inputs of one element-wise or reducing kernel. */
  inputs: number
  /** Steps of one expression. */
  steps: number
}
