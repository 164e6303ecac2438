// The operand of each node: leaves and numbers are in bound buffers, views are strides over the memory
// of their input, and other values are where their kernel has written them.
import { bytesOf, type DType } from '../graph/dtype.ts'
import { type Form, isOp, type Node } from '../graph/node.ts'
import { viewOps } from '../graph/ops.ts'
import { countOf, type Shape } from '../graph/shape.ts'
import type { Lowered } from './lower.ts'
import type { Buffer, Operand } from './schedule.ts'
import {
  contiguous,
  expanded,
  flipped,
  permuted,
  reshaped,
  type Strided,
  sameView,
  sliced,
  windowed,
} from './strided.ts'

export const isView = (node: Node): boolean => viewOps.has(node.op) || node.op === 'barrier'

export class Operands {
  readonly literals: { value: number; dtype: DType }[] = []
  private readonly known = new Map<Node, Operand>()
  private readonly scalars: Buffer = {
    kind: 'scalars',
    index: 0,
    dtype: 'f32',
    count: 0,
    offset: 0,
  }
  private readonly boundScalars: Map<Node, number>
  private readonly copy: (from: Operand) => Operand

  /** `copy` emits a kernel that copies an operand to a new arena buffer. */
  constructor(graph: Lowered, copy: (from: Operand) => Operand) {
    this.copy = copy
    this.boundScalars = new Map(graph.scalars.map((node, i) => [node, i]))
    graph.leaves.forEach((leaf, index) => {
      const count = countOf(leaf.shape)
      this.set(
        leaf,
        wholeBuffer({ kind: 'leaf', index, dtype: leaf.dtype, count, offset: 0 }, leaf),
      )
    })
  }

  set(node: Node, operand: Operand): void {
    this.known.set(node, operand)
  }

  get(node: Node): Operand {
    let operand = this.known.get(node)
    if (!operand) {
      operand = this.find(node)
      this.known.set(node, operand)
    }
    return operand
  }

  /** The value broadcast to a larger shape. */
  expanded(node: Node, shape: Shape): Operand {
    const operand = this.get(node)
    return inView(operand, expanded(operand, shape))
  }

  /** A single 0, for filling memory. */
  zero(dtype: DType): Operand {
    return this.number({ dtype, value: 0 })
  }

  /** Replaces a node's operand by a copy of it. Views of the old buffer are resolved again on the next read. */
  move(node: Node, to: Operand): void {
    const { buffer } = this.get(node)
    for (const [other, operand] of this.known)
      if (operand.buffer === buffer && isView(other)) this.known.delete(other)
    this.known.set(node, to)
  }

  private find(node: Node): Operand {
    if (isOp(node, 'scalar')) return this.number(node, this.boundScalars.get(node))
    if (isOp(node, 'constant')) return this.number({ dtype: node.dtype, value: node.attrs.value })
    if (!isView(node)) throw new Error(`${node.op} has not been computed`)
    const from = this.get(node.inputs[0])
    const view = viewed(node, from)
    return view ? inView(from, view) : inView(this.copy(from), contiguous(node.shape))
  }

  /** The slot of a number in the scalars buffer: `bound`, or the slot of a new literal. */
  private number({ dtype, value }: { dtype: DType; value: number }, bound?: number): Operand {
    const slot = bound ?? this.boundScalars.size + this.literals.push({ value, dtype }) - 1
    // A slot has 4 bytes, whatever the dtype; offsets count elements.
    const offset = slot * (4 / bytesOf(dtype))
    return { buffer: this.scalars, dtype, shape: [], strides: [], offset }
  }
}

/** The whole buffer as an operand of the given shape. */
export const wholeBuffer = (buffer: Buffer, { shape, dtype }: Form): Operand =>
  inView({ buffer, dtype }, contiguous(shape))

/** The same memory with another view. All operands have their fields in this order, which V8 reads fastest. */
export const inView = (
  { buffer, dtype }: Pick<Operand, 'buffer' | 'dtype'>,
  { shape, strides, offset }: Strided,
): Operand => ({ buffer, dtype, shape, strides, offset })

/** Applies a view node to strides; null if the shape needs a copy. */
function viewed(node: Node, from: Strided): Strided | null {
  if (isOp(node, 'reshape')) return reshaped(from, node.shape)
  if (isOp(node, 'permute')) return permuted(from, node.attrs.order)
  if (isOp(node, 'expand')) return expanded(from, node.shape)
  if (isOp(node, 'slice'))
    return sliced(from, node.attrs.starts, node.attrs.sizes, node.attrs.steps)
  if (isOp(node, 'flip')) return flipped(from, node.attrs.axes)
  if (isOp(node, 'window'))
    return windowed(from, node.shape, node.attrs.stride, node.attrs.dilation)
  return from // barrier
}

let buffers = 0

export const arenaBuffer = (dtype: DType, count: number): Buffer => ({
  kind: 'arena',
  index: buffers++,
  dtype,
  count,
  offset: 0,
})

export const sameMemory = (a: Operand, b: Operand): boolean =>
  a.buffer === b.buffer && sameView(a, b)

/** The slice of a concatenation that one input fills. */
export function pieceOf(out: Operand, axis: number, start: number, part: Form): Operand {
  const starts = part.shape.map((_, i) => (i === axis ? start : 0))
  const steps = part.shape.map(() => 1)
  return inView(out, sliced(out, starts, part.shape, steps))
}
