import * as g from '../graph/build.ts'
import { checkShape, countOf, normalizeAxis, type Shape, showShape } from '../graph/shape.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { ShapeError, shown } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import { Reductions } from './reductions.ts'
import type { Tensor } from './tensor.ts'

/** Selection along an axis: an index, `[start, end, step]` with defaults, or null for the whole axis. */
export type Range = number | readonly [start?: number, end?: number, step?: number] | null

/** Views: the same elements with another shape or order. */
export abstract class Views extends Reductions {
  /** Changes the shape. One size may be -1 and is inferred from the others. */
  reshape(...shape: number[] | [Shape]): Tensor {
    return tensorOf(g.reshape(this.node, resolveShape(listOf(shape), this.shape)))
  }

  /** Alias of `reshape`. Tensors have no memory order. */
  view(...shape: number[] | [Shape]): Tensor {
    return this.reshape(...(shape as number[]))
  }

  /** Flattens the axes from `start` to `end` into one. */
  flatten(start = 0, end = -1): Tensor {
    if (this.rank === 0) return this.reshape(1)
    const from = normalizeAxis(start, this.rank, 'flatten')
    const to = normalizeAxis(end, this.rank, 'flatten')
    const joined = countOf(this.shape.slice(from, to + 1))
    return this.reshape([...this.shape.slice(0, from), joined, ...this.shape.slice(to + 1)])
  }

  /** Reorders the axes. */
  permute(...order: number[] | [readonly number[]]): Tensor {
    const list = listOf(order)
    const axes = list.map((axis) => normalizeAxis(axis, this.rank, 'permute'))
    if (axes.length !== this.rank || new Set(axes).size !== this.rank)
      throw new ShapeError(
        `permute: the order must name each axis of shape ${showShape(this.shape)} once, got ${list.join(', ')}`,
      )
    return tensorOf(g.permute(this.node, axes))
  }

  /** Swaps two axes. */
  transpose(a: number, b: number): Tensor {
    const x = normalizeAxis(a, this.rank, 'transpose')
    const y = normalizeAxis(b, this.rank, 'transpose')
    return this.permute(...this.shape.map((_, i) => (i === x ? y : i === y ? x : i)))
  }

  /** Transposes a matrix. Returns a vector unchanged. */
  t(): Tensor {
    return this.rank < 2 ? tensorOf(this.node) : this.transpose(-2, -1)
  }

  /** The transpose of a matrix, or a vector unchanged. @throws ShapeError for more than two axes */
  get T(): Tensor {
    if (this.rank > 2)
      throw new ShapeError(`T: the tensor must be a matrix, got shape ${showShape(this.shape)}`, {
        remedy: 'Use mT for a batch of matrices, or permute() for another order.',
      })
    return this.t()
  }

  /** The transposes of matrices in the last two axes. @throws ShapeError for fewer than two axes */
  get mT(): Tensor {
    if (this.rank < 2)
      throw new ShapeError(
        `mT: the tensor must have at least two axes, got shape ${showShape(this.shape)}`,
      )
    return this.transpose(-2, -1)
  }

  /** Returns a copy with a separate node. Differentiable. */
  clone(): Tensor {
    return tensorOf(g.alias(this.node))
  }

  /** Moves one axis to another position. */
  movedim(from: number, to: number): Tensor {
    const source = normalizeAxis(from, this.rank, 'movedim')
    const target = normalizeAxis(to, this.rank, 'movedim')
    const order = this.shape.map((_, i) => i).filter((i) => i !== source)
    order.splice(target, 0, source)
    return this.permute(...order)
  }

  /** Removes an axis if its size is 1, or all axes of size 1. */
  squeeze(axis?: number): Tensor {
    const at = axis === undefined ? -1 : normalizeAxis(axis, this.rank, 'squeeze')
    return this.reshape(this.shape.filter((n, i) => n !== 1 || (at >= 0 && i !== at)))
  }

  /** Inserts an axis of size 1 at this position of the result. */
  unsqueeze(axis: number): Tensor {
    return tensorOf(g.unsqueeze(this.node, [normalizeAxis(axis, this.rank + 1, 'unsqueeze')]))
  }

  /** Expands axes of size 1 without copying. -1 keeps the size of an axis. */
  expand(...sizes: number[] | [Shape]): Tensor {
    const list = listOf(sizes)
    const lead = list.length - this.rank
    if (list.some((n, i) => n === -1 && i < lead))
      throw new ShapeError(
        `expand: -1 must refer to an axis of shape ${showShape(this.shape)}, got ${showShape(list)}`,
      )
    const shape = list.map((n, i) => (n === -1 ? this.shape[i - lead] : n))
    return tensorOf(g.expand(this.node, checkShape(shape, 'expand')))
  }

  /** Broadcasts to a shape, following the rules of element-wise operations. */
  broadcastTo(...shape: number[] | [Shape]): Tensor {
    return tensorOf(g.expand(this.node, checkShape(listOf(shape), 'broadcastTo')))
  }

  /**
   * Selects a range of each axis: `[start, end, step]`, an index, which removes the axis, or null for the whole axis.
   */
  slice(...ranges: Range[]): Tensor {
    if (ranges.length > this.rank)
      throw new ShapeError(
        `slice: there must be at most ${this.rank} ranges for shape ${showShape(this.shape)}, got ${ranges.length}`,
      )
    const starts: number[] = []
    const sizes: number[] = []
    const steps: number[] = []
    const dropped: number[] = []
    this.shape.forEach((size, axis) => {
      const range = ranges[axis] ?? null
      const [start, end, step] = resolveRange(range, size, axis)
      if (typeof range === 'number') dropped.push(axis)
      starts.push(start)
      sizes.push(Math.max(0, Math.ceil((end - start) / step)))
      steps.push(step)
    })
    const out = g.slice(this.node, starts, sizes, steps)
    return tensorOf(
      g.reshape(
        out,
        sizes.filter((_, i) => !dropped.includes(i)),
      ),
    )
  }

  /** Selects `length` elements along an axis from `start`. */
  narrow(axis: number, start: number, length: number): Tensor {
    const at = normalizeAxis(axis, this.rank, 'narrow')
    const from = start < 0 ? start + this.shape[at] : start
    const whole = Number.isInteger(start) && Number.isInteger(length)
    if (!whole || from < 0 || length < 0 || from + length > this.shape[at])
      throw new ShapeError(
        `narrow: the range must be within size ${this.shape[at]} of axis ${axis}, got start ${shown(start)} and length ${shown(length)}`,
      )
    return tensorOf(g.narrow(this.node, at, from, length))
  }

  /** Selects one index along an axis and removes the axis. */
  select(axis: number, index: number): Tensor {
    checkArgument('select', 'index', index, 'integer')
    const at = normalizeAxis(axis, this.rank, 'select')
    return this.slice(...this.shape.map((_, i) => (i === at ? index : null)))
  }

  /** Splits along an axis into pieces of given sizes, or of one size, where the last piece may be smaller. */
  split(sizes: number | readonly number[], axis = 0): Tensor[] {
    const at = normalizeAxis(axis, this.rank, 'split')
    const length = this.shape[at]
    const list = typeof sizes === 'number' ? equalSizes(length, sizes) : sizes
    if (typeof sizes !== 'number') checkArgument('split', 'sizes', sizes, 'numbers')
    if (list.reduce((a, b) => a + b, 0) !== length)
      throw new ShapeError(`split: the sizes must add up to ${length}, got ${list.join(', ')}`)
    let start = 0
    return list.map((size) => {
      start += size
      return this.narrow(at, start - size, size)
    })
  }

  /** Splits along an axis into at most `count` pieces of equal size; the last may be smaller. */
  chunk(count: number, axis = 0): Tensor[] {
    checkArgument('chunk', 'count', count, 'size')
    const at = normalizeAxis(axis, this.rank, 'chunk')
    return this.split(Math.max(1, Math.ceil(this.shape[at] / count)), at)
  }

  /** Splits along an axis into one tensor per index and removes the axis. */
  unbind(axis = 0): Tensor[] {
    const at = normalizeAxis(axis, this.rank, 'unbind')
    return Array.from({ length: this.shape[at] }, (_, i) => this.select(at, i))
  }
}

/** Accepts arguments separately or as one array. */
export const listOf = (sizes: readonly number[] | readonly [Shape]): Shape =>
  Array.isArray(sizes[0]) ? sizes[0] : (sizes as readonly number[])

function equalSizes(length: number, size: number): number[] {
  if (!(size >= 1))
    throw new ShapeError(`split: the size of the pieces must be >= 1, got ${shown(size)}`)
  const count = Math.max(1, Math.ceil(length / size))
  return Array.from({ length: count }, (_, i) => Math.min(size, length - i * size))
}

function resolveShape(shape: Shape, from: Shape): Shape {
  const open = shape.indexOf(-1)
  if (open < 0) return checkShape(shape, 'reshape')
  checkShape(
    shape.filter((_, i) => i !== open),
    'reshape',
  )
  const known = shape.reduce((n, size, i) => (i === open ? n : n * size), 1)
  const size = countOf(from) / known
  if (!Number.isInteger(size) || shape.lastIndexOf(-1) !== open)
    throw new ShapeError(
      `reshape: ${showShape(shape)} must have the ${countOf(from)} elements of ${showShape(from)} and at most one -1`,
    )
  return shape.map((n, i) => (i === open ? size : n))
}

function resolveRange(range: Range, size: number, axis: number): [number, number, number] {
  if (range === null) return [0, size, 1]
  if (typeof range === 'number') {
    const at = range < 0 ? range + size : range
    if (!Number.isInteger(range) || at < 0 || at >= size)
      throw new ShapeError(
        `slice: the index must be from ${-size} to ${size - 1} on axis ${axis}, got ${range}`,
      )
    return [at, at + 1, 1]
  }
  if (!Array.isArray(range))
    throw wrongArgument('slice', 'range', range, 'a number, [start, end, step] or null')
  const [start = 0, end = size, step = 1] = range
  if (!Number.isInteger(start) || !Number.isInteger(end))
    throw wrongArgument('slice', 'range', range, 'an array of integers')
  if (!Number.isInteger(step) || step < 1)
    throw new ShapeError(`slice: the step must be >= 1 on axis ${axis}, got ${step}`, {
      remedy: 'To reverse an axis, use flip().',
    })
  const clip = (i: number): number => Math.min(size, Math.max(0, i < 0 ? i + size : i))
  return [clip(start), clip(end), step]
}
