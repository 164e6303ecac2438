// The base class of tensors: shape, dtype and node; reading values; assigning state; starting gradients.
// The operations are in the other files of this folder, one file per family.

import { gradients, variablesOf } from '../grad/backward.ts'
import { alias, cast, constant, expand, leaf, make, scalar, stopGradient } from '../graph/build.ts'
import { type DType, isFloat, type TypedArray } from '../graph/dtype.ts'
import type { Node } from '../graph/node.ts'
import { countOf, normalizeAxis, type Shape, sameShape, showShape } from '../graph/shape.ts'
import { read } from '../runtime/run.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError, ShapeError } from '../util/errors.ts'
import { macrotask } from '../util/macrotask.ts'
import { nodeOf, operandNode } from './arguments.ts'
import { formatTensor } from './format.ts'
import type { Tensor } from './tensor.ts'

/** The second operand of an operation. */
export type Operand = Tensor | number | boolean

/** Set by tensor.ts, where the complete class is defined. */
let wrapNode: (node: Node) => Tensor

/** Sets the function that makes a tensor from a node. */
export function setWrap(wrap: (node: Node) => Tensor): void {
  wrapNode = wrap
}

let assigned: Set<TensorCore> | null = null

/** Runs `body` and returns its result and the tensors that it assigned. */
export function watchAssignments<T>(body: () => T): { result: T; state: TensorCore[] } {
  const outer = assigned
  const seen = new Set<TensorCore>()
  assigned = seen
  try {
    return { result: body(), state: [...seen] }
  } finally {
    assigned = outer
  }
}

/** Whether a held program is being traced. It will update the tensors assigned during the trace. */
export const isHeld = (): boolean => assigned !== null

/** Makes a tensor from a node. */
export const tensorOf = (node: Node): Tensor => wrapNode(node)

/** Base class of tensors. */
export abstract class TensorCore {
  /** The node of the current version. An assignment replaces it. @internal */
  node: Node
  /** The gradient, set by `backward()`; null if there is none. */
  grad: Tensor | null = null
  /** The losses whose backward pass set `grad`; the next step computes them, too. @internal */
  gradRoots: Node[] = []
  private wantsGrad = false

  protected constructor(node: Node) {
    this.node = node
  }

  /** Size of each axis. */
  get shape(): Shape {
    return this.node.shape
  }

  /** Data type of the elements: f32, i32, u32, u8 or bool. */
  get dtype(): DType {
    return this.node.dtype
  }

  /** Number of axes. */
  get rank(): number {
    return this.node.shape.length
  }

  /** Number of elements. */
  get size(): number {
    return countOf(this.node.shape)
  }

  /** Whether `backward()` computes a gradient for this tensor. Only f32 tensors can require one. */
  get requiresGrad(): boolean {
    return this.wantsGrad
  }

  set requiresGrad(value: boolean) {
    if (value && !isFloat(this.dtype))
      throw new ShapeError(`A tensor that requires a gradient must be f32, got ${this.dtype}`, {
        remedy: 'Convert it first with x.to("f32").',
      })
    this.wantsGrad = value
    this.claim(this.node)
  }

  /** Marks a node as the state of this tensor. */
  private claim(node: Node): void {
    node.variable = this
    node.tracked = this.wantsGrad
  }

  /** Returns a copy of the values in row-major order. Computes them if necessary. */
  async data(): Promise<TypedArray> {
    const values = await read(this.node)
    await macrotask()
    return values
  }

  /** Returns the value of a tensor with one element. For bool, 0 or 1. @throws ShapeError for other sizes */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new ShapeError(
        `item(): the tensor must have one element, got shape ${showShape(this.shape)}`,
        { remedy: 'Reduce it first, or read all values with `await tensor.data()`.' },
      )
    return (await this.data())[0]
  }

  /** Returns the values as nested arrays. */
  async tolist(): Promise<unknown> {
    const values = await this.data()
    const nest = (axis: number, start: number): unknown => {
      if (axis === this.rank) return this.dtype === 'bool' ? values[start] !== 0 : values[start]
      const step = countOf(this.shape.slice(axis + 1))
      return Array.from({ length: this.shape[axis] }, (_, i) => nest(axis + 1, start + i * step))
    }
    return nest(0, 0)
  }

  /** Formats the values as text. Long tensors are abbreviated. */
  async text(): Promise<string> {
    return formatTensor(await this.data(), this.shape, this.dtype)
  }

  /** Formats the values if they are in memory, otherwise shape and dtype. */
  toString(): string {
    const { data } = this.node
    if (data) return formatTensor(data, this.shape, this.dtype)
    return `Tensor ${showShape(this.shape)} ${this.dtype} (values: await tensor.text())`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** Returns the same values without a gradient. */
  detach(): Tensor {
    return tensorOf(stopGradient(this.node))
  }

  /**
   * Replaces the values of this tensor in place. Tensors that depend on the old values can be read until the assignment
   * runs; afterwards, reading them throws a StaleTensorError.
   */
  assign(value: Operand): this {
    const values = expand(this.lift(value, 'assign', this.dtype), this.shape)
    this.becomeState()
    return this.moveTo(make('assign', [this.node, values], {}))
  }

  /** Overwrites `[offset, offset + n)` along `axis` in place, where n is the size of `value` along it. */
  assignAt(value: Tensor, offset: Tensor | number, axis = 0): this {
    const written = nodeOf(value, 'assignAt', 'value')
    const at =
      typeof offset === 'number' ? offsetNode(offset) : nodeOf(offset, 'assignAt', 'offset')
    const along = normalizeAxis(axis, this.rank, 'assignAt')
    this.becomeState()
    return this.moveTo(make('assignAt', [this.node, written, at], { axis: along }))
  }

  /** Gives the tensor its own memory, computed once, so that it can be assigned and trained. @internal */
  becomeState(): void {
    const { node } = this
    if (node.variable === this) return
    // A separate node, so that other tensors with this node keep their values.
    if (node.data) this.node = leaf(node.data, node.shape, node.dtype)
    else if (!node.place || node.variable) {
      this.node = alias(node)
      this.node.persistent = true
    }
    this.claim(this.node)
  }

  /** Sets the next version: an assignment, or the result of a held program in the same memory. @internal */
  moveTo(node: Node): this {
    this.claim(node)
    this.node = node
    assigned?.add(this)
    return this
  }

  /**
   * Adds the gradient of this tensor to `grad` of every tensor that requires one. This only builds the graph; the
   * optimiser's step computes it, together with this tensor's value, which can then be read at no cost.
   * @param gradient of this tensor; required unless it has one element
   * @throws HeedError if the tensor has several elements and no `gradient`, or does not depend on a tensor that
   * requires a gradient
   */
  backward(gradient?: Tensor): void {
    const { node } = this
    if (gradient !== undefined) checkGradient(nodeOf(gradient, 'backward', 'gradient'), node)
    if (!gradient && this.size !== 1)
      throw new ShapeError(
        `backward(): the tensor must have one element, got shape ${showShape(this.shape)}`,
        { remedy: 'Reduce it first with .mean() or .sum(), or pass its gradient to backward().' },
      )
    if (!node.tracked)
      throw new HeedError(
        'invalid-state',
        'backward(): the tensor must depend on a parameter that requires a gradient, got none',
        { remedy: 'Set requiresGrad on the parameters. noGrad() and detach() stop gradients.' },
      )
    const variables = variablesOf(node)
    const seed = gradient ? gradient.node : broadcastOne(this.shape)
    gradients([node], [seed], variables).forEach((grad, i) => {
      const variable = variables[i].variable as TensorCore | null
      if (!grad || !variable) return
      variable.grad = variable.grad ? variable.grad.add(tensorOf(grad)) : tensorOf(grad)
      variable.gradRoots.push(node)
    })
  }

  /** Converts an operand to a node, with the dtype that PyTorch gives it when combined with this tensor. @internal */
  lift(value: Operand, op: string, dtype?: DType): Node {
    if (typeof value === 'boolean')
      return cast(constant(value ? 1 : 0, 'bool'), dtype ?? this.dtype)
    if (typeof value !== 'number') {
      const node = operandNode(value, op)
      return dtype ? cast(node, dtype) : node
    }
    if (dtype) return constant(value, dtype)
    if (this.dtype === 'f32') return constant(value)
    if (!Number.isInteger(value)) return constant(value, 'f32')
    return constant(value, this.dtype === 'bool' ? 'i32' : this.dtype)
  }
}

const broadcastOne = (shape: Shape): Node => expand(constant(1), shape)

function offsetNode(offset: number): Node {
  checkArgument('assignAt', 'offset', offset, 'count')
  return scalar(offset, 'i32')
}

function checkGradient(gradient: Node, of: Node): void {
  if (!sameShape(gradient.shape, of.shape))
    throw new ShapeError(
      `backward(): the gradient must have the shape of the tensor, ${showShape(of.shape)}, got ${showShape(gradient.shape)}`,
    )
}
