// The result of scheduling: kernel calls on strided pieces of buffers. A device encodes them.
import type { DType } from '../graph/dtype.ts'
import type { Call } from './kernel-call.ts'
import type { Strided } from './strided.ts'

/**
 * A piece of memory during a run. 'arena' is working memory at an offset that the memory plan assigns.
 * The other kinds are bound at each run and numbered in the order of the lowered graph.
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

/**
 * One step of the expression in an element-wise or reducing kernel. Values are numbered: first the
 * inputs of the kernel, then the result of each step.
 */
export interface Step {
  op: string
  dtype: DType
  /** The dtype of the arguments. It differs from the result's for comparisons and casts. */
  from: DType
  /** Numbers of the arguments; for `iota`, the axis. */
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
  /** The peak of bytes in use, a lower bound for `arenaBytes`. */
  peakBytes: number
  /** Numbers that follow the bound ones in the scalars buffer. */
  literals: { value: number; dtype: DType }[]
  leaves: number
  scalars: number
  outputs: number
}

export interface Limits {
  /** Alignment of arena buffers, in bytes. */
  alignment: number
  /** Maximum number of inputs of an element-wise or reducing kernel. */
  inputs: number
  /** Maximum number of steps of an expression. */
  steps: number
}
