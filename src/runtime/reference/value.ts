// Types of the functions that evaluate operations.
import type { TypedArray } from '../../graph/dtype.ts'
import type { Form, HostFunction, Node } from '../../graph/node.ts'
import type { Op } from '../../graph/ops.ts'

/**
 * A computed array, contiguous in row-major order. It is never modified after it has been computed, so views
 * and memories can share it.
 */
export interface Value extends Form {
  readonly data: TypedArray
}

/** The state of a run that the evaluators use. */
export interface Run {
  /** An array of zeros in the precision of the device. */
  empty(form: Form): TypedArray
  /** The contents of a leaf at the start of the run. */
  leaf(node: Node): TypedArray
  /** The value of a run-time number or a literal. */
  number(node: Node): number
  /** All outputs of a node with several outputs. */
  outputs(node: Node): readonly TypedArray[]
  /** Sets the value that the memory of `target` will have when the run has succeeded. */
  assign(target: Node, data: TypedArray): void
  host(node: Node): HostFunction
}

/** Computes a node from its inputs. Returns one array, or one for each output. */
export type Evaluate<O extends Op> = (
  node: Node<O>,
  inputs: readonly Value[],
  run: Run,
) => TypedArray | TypedArray[] | Promise<TypedArray>

/** The evaluators of one family of operations. */
export type Evaluators<O extends Op> = { [Name in O]: Evaluate<Name> }
