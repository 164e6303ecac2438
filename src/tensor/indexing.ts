import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { broadcastShapes, countOf, normalizeAxis, type Shape, showShape } from '../graph/shape.ts'
import { checkArgument } from '../util/check-argument.ts'
import { ShapeError, shown } from '../util/errors.ts'
import { nodeOf } from './arguments.ts'
import { Arrangements } from './arrangements.ts'
import { type TensorCore, tensorOf } from './core.ts'
import { indexNode } from './index-node.ts'
import {
  type ScatterReduceOptions,
  type ScatterReduction,
  scatterReduce,
} from './scatter-reduce.ts'
import type { Tensor } from './tensor.ts'

/** Indexing, sorting and products. Indices are i32. An index out of range makes the run fail. */
export abstract class Indexing extends Arrangements {
  /** Selects slices along an axis by an index of any shape: `x[:axis] + index.shape + x[axis+1:]`. */
  take(index: Tensor, axis = 0): Tensor {
    const at = normalizeAxis(axis, this.rank, 'take')
    return tensorOf(g.take(this.node, indexNode(index, 'take'), at))
  }

  /** Selects slices along an axis by a vector of indices. */
  indexSelect(axis: number, index: Tensor): Tensor {
    return this.take(index, axis)
  }

  /**
   * Selects elements along an axis: out[i][j] = this[i][index[i][j]] for axis 1. The index may be smaller on other
   * axes.
   */
  gather(axis: number, index: Tensor): Tensor {
    const at = normalizeAxis(axis, this.rank, 'gather')
    return tensorOf(g.gather(this.node, indexOf(this.shape, index, at, 'gather'), at))
  }

  /** Like `gather`, but both tensors are broadcast except along the axis. Accepts the result of argmax and argsort. */
  takeAlongDim(index: Tensor, axis: number): Tensor {
    nodeOf(index, 'takeAlongDim', 'index')
    const at = normalizeAxis(axis, this.rank, 'takeAlongDim')
    const without = ({ shape }: Tensor): number[] => shape.map((n, i) => (i === at ? 1 : n))
    const shared = broadcastShapes(without(tensorOf(this.node)), without(index), 'takeAlongDim')
    const shape = (size: number): number[] => shared.map((n, i) => (i === at ? size : n))
    return this.expand(shape(this.shape[at])).gather(at, index.expand(shape(index.shape[at])))
  }

  /**
   * Returns a copy with `source` written to the positions that `gather` would read. For duplicate indices, the last one
   * wins.
   */
  scatter(axis: number, index: Tensor, source: Tensor | number): Tensor {
    return this.scattered('scatterSet', axis, index, source)
  }

  /** Returns a copy with `source` added at the positions that `gather` would read. */
  scatterAdd(axis: number, index: Tensor, source: Tensor | number): Tensor {
    return this.scattered('scatterAdd', axis, index, source)
  }

  /**
   * Returns a copy in which each element is reduced with the elements of `source` whose index points to it: 'sum',
   * 'prod', 'mean', 'amax' or 'amin'.
   */
  scatterReduce(
    axis: number,
    index: Tensor,
    source: Tensor,
    reduction: ScatterReduction,
    options: ScatterReduceOptions = {},
  ): Tensor {
    return scatterReduce(tensorOf(this.node), axis, index, source, reduction, options)
  }

  /** Returns a copy with slices of `source` added along an axis. */
  indexAdd(axis: number, index: Tensor, source: Tensor): Tensor {
    const at = normalizeAxis(axis, this.rank, 'indexAdd')
    const places = indexNode(index, 'indexAdd')
    const added = nodeOf(source, 'indexAdd', 'source')
    return tensorOf(g.scatter('scatterAdd', this.node, places, added, at))
  }

  /** Sorts along an axis. The sort is stable; NaN is the largest value. */
  sort(axis = -1, descending = false): { values: Tensor; indices: Tensor } {
    checkArgument('sort', 'descending', descending, 'flag')
    return this.ordered(axis, (x) => g.make('sort', [x], { axis: x.shape.length - 1, descending }))
  }

  /** Returns the i32 indices that sort along an axis. */
  argsort(axis = -1, descending = false): Tensor {
    return this.sort(axis, descending).indices
  }

  /** Returns the k largest elements along an axis in descending order, or the k smallest in ascending order. */
  topk(k: number, axis = -1, largest = true): { values: Tensor; indices: Tensor } {
    const size = this.shape[normalizeAxis(axis, this.rank, 'topk')]
    if (!Number.isInteger(k) || k < 0 || k > size)
      throw new ShapeError(`topk: \`k\` must be a whole number from 0 to ${size}, got ${shown(k)}`)
    checkArgument('topk', 'largest', largest, 'flag')
    return this.ordered(axis, (x) => g.make('topk', [x], { axis: x.shape.length - 1, k, largest }))
  }

  // --- products

  /**
   * Matrix product of the last two axes: (..., N, K), (..., K, M) -> (..., N, M); the others are broadcast. As in
   * PyTorch, a vector is a row on the left and a column on the right.
   * @throws ShapeError if the inner sizes differ or the other axes do not broadcast
   */
  matmul(other: Tensor): Tensor {
    nodeOf(other, 'matmul')
    if (this.rank === 0 || other.rank === 0)
      throw new ShapeError(
        `matmul: the inputs must have at least one axis, got ${showShape(this.shape)} x ${showShape(other.shape)}`,
        { remedy: 'To multiply by a scalar, use mul().' },
      )
    const a = this.rank === 1 ? g.unsqueeze(this.node, [0]) : this.node
    const b = other.rank === 1 ? g.unsqueeze(other.node, [1]) : other.node
    const out = flatMatmul(a, b)
    const dropped: number[] = []
    if (this.rank === 1) dropped.push(out.shape.length - 2)
    if (other.rank === 1) dropped.push(out.shape.length - 1)
    return tensorOf(
      g.reshape(
        out,
        out.shape.filter((_, i) => !dropped.includes(i)),
      ),
    )
  }

  /** Dot product of two vectors: (N), (N) -> (). @throws ShapeError for other shapes */
  dot(other: Tensor): Tensor {
    checkVectors('dot', this, other)
    return this.mul(other).sum()
  }

  /** Outer product of two vectors: (N), (M) -> (N, M). @throws ShapeError for other shapes */
  outer(other: Tensor): Tensor {
    checkVectors('outer', this, other)
    return this.unsqueeze(1).mul(other.unsqueeze(0))
  }

  private scattered(
    op: 'scatterAdd' | 'scatterSet',
    axis: number,
    index: Tensor,
    source: Tensor | number,
  ): Tensor {
    const at = normalizeAxis(axis, this.rank, op)
    const places = indexOf(this.shape, index, at, op)
    const values = g.expand(this.lift(source, op, this.dtype), places.shape)
    const flat = g.reshape(this.node, [countOf(this.shape)])
    const written = g.scatter(op, flat, g.flatIndex(this.shape, places, at), values, 0)
    return tensorOf(g.reshape(written, this.shape))
  }

  private ordered(axis: number, op: (x: Node) => Node): { values: Tensor; indices: Tensor } {
    const at = normalizeAxis(axis, this.rank, 'sort')
    const last = this.rank - 1
    const order = this.shape.map((_, i) => (i === at ? last : i === last ? at : i))
    const [values, indices] = g.outputs(op(g.permute(this.node, order)))
    return {
      values: tensorOf(g.permute(values, order)),
      indices: tensorOf(g.permute(indices, order)),
    }
  }
}

/** The index of `gather`, with the rank of the indexed tensor. */
function indexOf(shape: Shape, index: Tensor, axis: number, op: string): Node {
  const node = indexNode(index, op)
  const fits =
    node.shape.length === shape.length && node.shape.every((n, i) => i === axis || n <= shape[i])
  if (fits) return node
  throw new ShapeError(
    `${op}: the index must have the rank of ${showShape(shape)}, and no larger size except on axis ${axis}, got ${showShape(node.shape)}`,
  )
}

function checkVectors(op: string, a: TensorCore, b: Tensor): void {
  nodeOf(b, op)
  if (a.rank !== 1 || b.rank !== 1)
    throw new ShapeError(
      `${op}: both tensors must be vectors, got ${showShape(a.shape)} and ${showShape(b.shape)}`,
      { remedy: 'Use matmul() for matrices.' },
    )
}

/** Computes (B, T, C) x (C, N) as one product of (B·T, C), so that the gradients are one product each as well. */
function flatMatmul(a: Node, b: Node): Node {
  if (a.shape.length <= 2 || b.shape.length !== 2) return g.matmul(a, b)
  const rows = countOf(a.shape.slice(0, -1))
  const flat = g.matmul(g.reshape(a, [rows, a.shape.at(-1) as number]), b)
  return g.reshape(flat, [...a.shape.slice(0, -1), b.shape[1]])
}
