// What passes between the evaluators of the operations.
import type { TypedArray } from '../../graph/dtype.ts'
import type { Form, HostFunction, Node } from '../../graph/node.ts'
import type { Op } from '../../graph/ops.ts'

/**
 * A computed array, row-major without gaps. Nobody writes into one that is finished, so views and
 * memories may share it.
 */
export interface Value extends Form {
  readonly data: TypedArray
}

/** What a run offers to the evaluators. */
export interface Run {
  /** Zeros, in the device's precision. */
  empty(form: Form): TypedArray
  /** The contents of a leaf as they were when the run began. */
  leaf(node: Node): TypedArray
  /** A run-time number, or a literal's own. */
  number(node: Node): number
  /** All outputs of a node that has several. */
  outputs(node: Node): readonly TypedArray[]
  /** The value that the memory behind `target` is to have when the run has ended well. */
  assign(target: Node, data: TypedArray): void
  host(node: Node): HostFunction
}

/** Computes a node from its inputs: one array, or one for each output. */
export type Evaluate<O extends Op> = (
  node: Node<O>,
  inputs: readonly Value[],
  run: Run,
) => TypedArray | TypedArray[] | Promise<TypedArray>

/** The evaluators of one family of operations. */
export type Evaluators<O extends Op> = { [Name in O]: Evaluate<Name> }
