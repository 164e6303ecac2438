// What every tensor is: a shape, a dtype and a node of the graph; how its values are read; how state
// is assigned; where gradients start. The operations are in the files beside this one, a family each.

import { gradients, variablesOf } from '../grad/backward.ts'
import { alias, cast, constant, expand, leaf, make, scalar, stopGradient } from '../graph/build.ts'
import { type DType, isFloat, type TypedArray } from '../graph/dtype.ts'
import type { Node } from '../graph/node.ts'
import { countOf, type Shape, showShape } from '../graph/shape.ts'
import { read } from '../runtime/run.ts'
import { HeedError } from '../util/errors.ts'
import { macrotask } from '../util/macrotask.ts'
import { formatTensor } from './format.ts'
import type { Tensor } from './tensor.ts'

/** What an operation takes beside its tensor. */
export type Operand = Tensor | number | boolean

/** Set by tensor.ts, which knows the whole class. */
let wrapNode: (node: Node) => Tensor

export function setWrap(wrap: (node: Node) => Tensor): void {
  wrapNode = wrap
}

let assigned: Set<TensorCore> | null = null

/** Runs `body` and tells which tensors it assigned. */
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

/** Whether a held program is being traced, which updates what is assigned meanwhile. */
export const isHeld = (): boolean => assigned !== null

/** A tensor for a node. */
export const tensorOf = (node: Node): Tensor => wrapNode(node)

export abstract class TensorCore {
  /** The node of the current version; an assignment replaces it. @internal */
  node: Node
  /** Filled by `backward()`. */
  grad: Tensor | null = null
  /** The losses whose backward pass filled `grad`: the next step keeps them for reading. @internal */
  gradRoots: Node[] = []
  private wantsGrad = false

  protected constructor(node: Node) {
    this.node = node
  }

  get shape(): Shape {
    return this.node.shape
  }

  get dtype(): DType {
    return this.node.dtype
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.node.shape.length
  }

  /** Number of elements. */
  get size(): number {
    return countOf(this.node.shape)
  }

  get requiresGrad(): boolean {
    return this.wantsGrad
  }

  set requiresGrad(wanted: boolean) {
    if (wanted && !isFloat(this.dtype))
      throw new HeedError('invalid-option', `A ${this.dtype} tensor has no gradient`, {
        remedy: 'Only f32 tensors can require one; convert with .to("f32").',
      })
    this.wantsGrad = wanted
    this.claim(this.node)
  }

  /** Marks a node as this tensor's state. */
  private claim(node: Node): void {
    node.variable = this
    node.tracked = this.wantsGrad
  }

  /** A copy of the values, row-major, computed now if need be. */
  async data(): Promise<TypedArray> {
    const values = await read(this.node)
    await macrotask()
    return values
  }

  /** The one value of a tensor with one element; bool gives 0 or 1. */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new HeedError(
        'invalid-option',
        `item() of a tensor with ${this.size} elements, shape ${showShape(this.shape)}`,
        {
          remedy: 'Reduce it first, or read all values with await tensor.data().',
        },
      )
    return (await this.data())[0]
  }

  /** The values as nested arrays. */
  async tolist(): Promise<unknown> {
    const values = await this.data()
    const nest = (axis: number, start: number): unknown => {
      if (axis === this.rank) return this.dtype === 'bool' ? values[start] !== 0 : values[start]
      const step = countOf(this.shape.slice(axis + 1))
      return Array.from({ length: this.shape[axis] }, (_, i) => nest(axis + 1, start + i * step))
    }
    return nest(0, 0)
  }

  /** The values as people read them, long tensors shortened. */
  async text(): Promise<string> {
    return formatTensor(await this.data(), this.shape, this.dtype)
  }

  toString(): string {
    const { data } = this.node
    if (data) return formatTensor(data, this.shape, this.dtype)
    return `Tensor ${showShape(this.shape)} ${this.dtype} (values: await tensor.text())`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  /** The same values with no gradient through them. */
  detach(): Tensor {
    return tensorOf(stopGradient(this.node))
  }

  /**
   * Replaces the values of this tensor, in the same memory. Tensors computed from it before keep the
   * old values if they are read before this takes place, and throw a StaleTensorError afterwards.
   */
  assign(value: Operand): this {
    this.becomeState()
    const values = expand(this.lift(value, this.dtype), this.shape)
    return this.moveTo(make('assign', [this.node, values], {}))
  }

  /** Overwrites `[offset, offset + n)` along `axis`, where n is the value's size there. */
  assignAt(value: Tensor, offset: Tensor | number, axis = 0): this {
    this.becomeState()
    const at = typeof offset === 'number' ? scalar(offset, 'i32') : offset.node
    return this.moveTo(make('assignAt', [this.node, value.node, at], { axis }))
  }

  /** Gives the tensor memory of its own, computed once, so that it can be assigned and trained. @internal */
  becomeState(): void {
    const { node } = this
    if (node.variable === this) return
    // A node of its own, so that others who hold this one keep what they have.
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
   * Adds the gradient of this tensor to `grad` of every tensor that requires one. Computes nothing:
   * the optimiser's step does, and keeps this tensor so that reading it afterwards costs nothing.
   * @throws HeedError when the tensor has more than one element and no `gradient` is given.
   */
  backward(gradient?: Tensor): void {
    const { node } = this
    if (!gradient && this.size !== 1)
      throw new HeedError('invalid-option', `backward() of shape ${showShape(this.shape)}`, {
        remedy: 'Reduce to one element first (.mean(), .sum()), or pass the gradient from above.',
      })
    if (!node.tracked)
      throw new HeedError(
        'invalid-option',
        'backward() of a tensor that no parameter with a gradient leads to',
        {
          remedy: 'Set requiresGrad on what is to be trained; noGrad() and detach() cut the way.',
        },
      )
    const variables = variablesOf(node)
    const seed = gradient ? gradient.node : broadcastOne(this.shape)
    gradients([node], [seed], variables).forEach((found, i) => {
      const variable = variables[i].variable as TensorCore | null
      if (!found || !variable) return
      variable.grad = variable.grad ? variable.grad.add(tensorOf(found)) : tensorOf(found)
      variable.gradRoots.push(node)
    })
  }

  /** An operand as a node, with the dtype that PyTorch would give it beside this tensor. @internal */
  lift(value: Operand, dtype?: DType): Node {
    if (typeof value === 'object') return dtype ? cast(value.node, dtype) : value.node
    if (typeof value === 'boolean')
      return cast(constant(value ? 1 : 0, 'bool'), dtype ?? this.dtype)
    if (dtype) return constant(value, dtype)
    if (this.dtype === 'f32') return constant(value)
    if (!Number.isInteger(value)) return constant(value, 'f32')
    return constant(value, this.dtype === 'bool' ? 'i32' : this.dtype)
  }
}

const broadcastOne = (shape: Shape): Node => expand(constant(1), shape)
