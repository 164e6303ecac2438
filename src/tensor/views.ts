import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import {
  checkShape,
  countOf,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  showShape,
} from '../graph/shape.ts'
import { ShapeError } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import { Reductions } from './reductions.ts'
import type { Tensor } from './tensor.ts'

/** `[start, end, step]` of an axis; an end that is left out, or undefined, is the axis' own. */
export type Range = number | readonly [start?: number, end?: number, step?: number] | null

/** The same elements in another arrangement. */
export abstract class Views extends Reductions {
  /** One size may be -1: it is worked out from the others. */
  reshape(...shape: number[] | [Shape]): Tensor {
    return tensorOf(g.reshape(this.node, resolveShape(listOf(shape), this.shape)))
  }

  /** `reshape`: in Heed, memory is nobody's concern. */
  view(...shape: number[] | [Shape]): Tensor {
    return this.reshape(...(shape as number[]))
  }

  /** Joins the axes from `start` to `end`. */
  flatten(start = 0, end = -1): Tensor {
    if (this.rank === 0) return this.reshape(1)
    const from = normalizeAxis(start, this.rank, 'flatten')
    const to = normalizeAxis(end, this.rank, 'flatten')
    const joined = countOf(this.shape.slice(from, to + 1))
    return this.reshape([...this.shape.slice(0, from), joined, ...this.shape.slice(to + 1)])
  }

  permute(...order: number[]): Tensor {
    const axes = order.map((axis) => normalizeAxis(axis, this.rank, 'permute'))
    if (axes.length !== this.rank || new Set(axes).size !== this.rank)
      throw new ShapeError(
        `permute: the order must name each axis of shape ${showShape(this.shape)} once, got ${order.join(', ')}`,
      )
    return tensorOf(g.permute(this.node, axes))
  }

  /** Swaps two axes. */
  transpose(a: number, b: number): Tensor {
    const x = normalizeAxis(a, this.rank, 'transpose')
    const y = normalizeAxis(b, this.rank, 'transpose')
    return this.permute(...this.shape.map((_, i) => (i === x ? y : i === y ? x : i)))
  }

  /** The transpose of a matrix. */
  t(): Tensor {
    return this.rank < 2 ? tensorOf(this.node) : this.transpose(-2, -1)
  }

  /** Moves one axis to another place. */
  movedim(from: number, to: number): Tensor {
    const source = normalizeAxis(from, this.rank, 'movedim')
    const target = normalizeAxis(to, this.rank, 'movedim')
    const order = this.shape.map((_, i) => i).filter((i) => i !== source)
    order.splice(target, 0, source)
    return this.permute(...order)
  }

  /** Drops axes of size 1: this one, or all. */
  squeeze(axis?: number): Tensor {
    const at = axis === undefined ? -1 : normalizeAxis(axis, this.rank, 'squeeze')
    return this.reshape(this.shape.filter((n, i) => n !== 1 || (at >= 0 && i !== at)))
  }

  /** A new axis of size 1 at this place of the result. */
  unsqueeze(axis: number): Tensor {
    return tensorOf(g.unsqueeze(this.node, [normalizeAxis(axis, this.rank + 1, 'unsqueeze')]))
  }

  /** Repeats axes of size 1 without copying; -1 leaves a size as it is. */
  expand(...sizes: number[] | [Shape]): Tensor {
    const list = listOf(sizes)
    const lead = list.length - this.rank
    const shape = list.map((n, i) => (n === -1 ? this.shape[i - lead] : n))
    return tensorOf(g.expand(this.node, checkShape(shape, 'expand')))
  }

  /** Each axis from start to end by step; a number selects and drops the axis, null takes all. */
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

  /** `length` elements of an axis, from `start`. */
  narrow(axis: number, start: number, length: number): Tensor {
    const at = normalizeAxis(axis, this.rank, 'narrow')
    const from = start < 0 ? start + this.shape[at] : start
    if (from < 0 || length < 0 || from + length > this.shape[at])
      throw new ShapeError(
        `narrow: the range must lie within size ${this.shape[at]} of axis ${axis}, got start ${start} and length ${length}`,
      )
    return tensorOf(g.narrow(this.node, at, from, length))
  }

  /** One index of an axis, which disappears. */
  select(axis: number, index: number): Tensor {
    const at = normalizeAxis(axis, this.rank, 'select')
    return this.slice(...this.shape.map((_, i) => (i === at ? index : null)))
  }

  /** Pieces of this size along an axis, or of these sizes; the last of equal ones may be shorter. */
  split(sizes: number | readonly number[], axis = 0): Tensor[] {
    const at = normalizeAxis(axis, this.rank, 'split')
    const length = this.shape[at]
    const list = typeof sizes === 'number' ? equalSizes(length, sizes) : sizes
    if (list.reduce((a, b) => a + b, 0) !== length)
      throw new ShapeError(`split: the sizes must add up to ${length}, got ${list.join(', ')}`)
    let start = 0
    return list.map((size) => {
      start += size
      return this.narrow(at, start - size, size)
    })
  }

  /** At most `count` pieces of equal size. */
  chunk(count: number, axis = 0): Tensor[] {
    const at = normalizeAxis(axis, this.rank, 'chunk')
    return this.split(Math.max(1, Math.ceil(this.shape[at] / count)), at)
  }

  /** One tensor for each index of an axis. */
  unbind(axis = 0): Tensor[] {
    const at = normalizeAxis(axis, this.rank, 'unbind')
    return Array.from({ length: this.shape[at] }, (_, i) => this.select(at, i))
  }

  flip(...axes: number[]): Tensor {
    return tensorOf(g.flip(this.node, normalizeAxes(axes, this.rank, 'flip')))
  }

  /**
   * [before, after] for each of the last axes, first axis first, filled with a value, or with the
   * tensor's own elements: mirrored, the outermost repeated, or those of the other end.
   */
  pad(
    widths: readonly (readonly [number, number])[],
    value: number | 'reflect' | 'replicate' | 'circular' = 0,
  ): Tensor {
    const lead = this.rank - widths.length
    if (lead < 0)
      throw new ShapeError(
        `pad: there must be at most ${this.rank} pairs of widths for shape ${showShape(this.shape)}, got ${widths.length}`,
      )
    const all = this.shape.map((_, i) => (i < lead ? ([0, 0] as const) : widths[i - lead]))
    if (typeof value === 'string') return tensorOf(padWithOwn(this.node, all, value))
    const crop = all.map(
      ([before, after], i) => [Math.max(0, -before), this.shape[i] + Math.min(0, after)] as const,
    )
    const x = all.some(([a, b]) => a < 0 || b < 0) ? this.slice(...crop).node : this.node
    const before = all.map(([n]) => Math.max(0, n))
    const after = all.map(([, n]) => Math.max(0, n))
    const padded = g.pad(x, before, after)
    if (value === 0 || padded === x) return tensorOf(padded)
    const inside = g.pad(g.filled(1, x.shape, 'bool'), before, after)
    return tensorOf(g.where(inside, padded, g.constant(value, this.dtype)))
  }

  /** The elements whose two indices are equal, or `offset` apart, as a new last axis. */
  diagonal(offset = 0, axis1 = 0, axis2 = 1): Tensor {
    const first = normalizeAxis(axis1, this.rank, 'diagonal')
    const second = normalizeAxis(axis2, this.rank, 'diagonal')
    if (first === second)
      throw new ShapeError(`diagonal: the axes must differ, got ${axis1} and ${axis2}`)
    const kept = this.shape.map((_, i) => i).filter((i) => i !== first && i !== second)
    const [rows, columns] = [this.shape[first], this.shape[second]]
    const row = Math.max(0, -offset)
    const column = Math.max(0, offset)
    const length = Math.max(0, Math.min(rows - row, columns - column))
    // In row-major order, the next element of a diagonal is one row and one column on.
    const flat = this.permute(...kept, first, second).flatten(kept.length)
    const lead = kept.map((i) => this.shape[i])
    const zeros = kept.map(() => 0)
    const start = length > 0 ? row * columns + column : 0
    const steps = [...kept.map(() => 1), columns + 1]
    return tensorOf(g.slice(flat.node, [...zeros, start], [...lead, length], steps))
  }

  /** Moves elements along an axis; what falls off one end comes in at the other. */
  roll(shift: number, axis: number): Tensor {
    const at = normalizeAxis(axis, this.rank, 'roll')
    const size = this.shape[at]
    const by = size === 0 ? 0 : ((shift % size) + size) % size
    if (by === 0) return tensorOf(this.node)
    const tail = g.narrow(this.node, at, size - by, by)
    return tensorOf(g.concat([tail, g.narrow(this.node, at, 0, size - by)], at))
  }

  /** The whole tensor, this many times along each axis. */
  repeat(...times: number[]): Tensor {
    const lead = times.length - this.rank
    if (lead < 0)
      throw new ShapeError(
        `repeat: there must be a count for each axis of shape ${showShape(this.shape)}, got ${times.join(', ')}`,
      )
    const shape = [...new Array<number>(lead).fill(1), ...this.shape]
    const apart = shape.flatMap((n) => [1, n])
    const wide = shape.flatMap((n, i) => [times[i], n])
    const joined = shape.map((n, i) => n * times[i])
    return tensorOf(g.reshape(g.expand(g.reshape(this.node, apart), wide), joined))
  }

  /** Each element of an axis `times` times in a row. */
  repeatInterleave(times: number, axis: number): Tensor {
    const at = normalizeAxis(axis, this.rank, 'repeatInterleave')
    const apart = g.unsqueeze(this.node, [at + 1])
    const wide = apart.shape.map((n, i) => (i === at + 1 ? times : n))
    const joined = this.shape.map((n, i) => (i === at ? n * times : n))
    return tensorOf(g.reshape(g.expand(apart, wide), joined))
  }

  /** Windows of `size` every `step` along an axis, as a new last axis. */
  unfold(axis: number, size: number, step: number): Tensor {
    const at = normalizeAxis(axis, this.rank, 'unfold')
    const last = this.rank - 1
    const moved = this.movedim(at, last).node
    const windows = g.make('window', [moved], { kernel: [size], stride: [step], dilation: [1] })
    return tensorOf(windows).movedim(last, at)
  }

  /** The lower triangle; `diagonal` above 0 keeps more. */
  tril(diagonal = 0): Tensor {
    return this.triangle((row, column) => g.binary('le', column, g.shift(row, diagonal)))
  }

  triu(diagonal = 0): Tensor {
    return this.triangle((row, column) => g.binary('le', g.shift(row, diagonal), column))
  }

  private triangle(keep: (row: Node, column: Node) => Node): Tensor {
    const [rows, columns] = this.shape.slice(-2)
    const inside = keep(g.iota([rows, columns], 0), g.iota([rows, columns], 1))
    return tensorOf(g.where(inside, this.node, g.constant(0, this.dtype)))
  }
}

type OwnPadding = 'reflect' | 'replicate' | 'circular'

/** Which element of an axis of size n stands at place i, i < 0 or i >= n outside it. */
const places: Record<OwnPadding, (i: number, n: number) => number> = {
  reflect: (i, n) => (i < 0 ? -i : i < n ? i : 2 * (n - 1) - i),
  replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
  circular: (i, n) => (i + n) % n,
}

function padWithOwn(
  x: Node,
  widths: readonly (readonly [number, number])[],
  mode: OwnPadding,
): Node {
  const most = { reflect: -1, replicate: Number.POSITIVE_INFINITY, circular: 0 }[mode]
  return widths.reduce((out, [before, after], axis) => {
    if (before === 0 && after === 0) return out
    const size = x.shape[axis]
    if (size === 0 || Math.max(before, after) > size + most)
      throw new ShapeError(
        `pad: widths for '${mode}' must be at most ${Math.max(0, size + most)} for an axis of size ${size}, got ${before} and ${after}`,
      )
    const count = Math.max(0, before + size + after)
    const index = Int32Array.from({ length: count }, (_, i) => places[mode](i - before, size))
    return g.take(out, g.leaf(index, [count], 'i32'), axis)
  }, x)
}

const listOf = (sizes: number[] | [Shape]): Shape =>
  Array.isArray(sizes[0]) ? sizes[0] : (sizes as number[])

function equalSizes(length: number, size: number): number[] {
  if (!(size >= 1)) throw new ShapeError(`split: the size of the pieces must be >= 1, got ${size}`)
  const count = Math.max(1, Math.ceil(length / size))
  return Array.from({ length: count }, (_, i) => Math.min(size, length - i * size))
}

function resolveShape(shape: Shape, from: Shape): Shape {
  const open = shape.indexOf(-1)
  if (open < 0) return checkShape(shape, 'reshape')
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
  const [start = 0, end = size, step = 1] = range
  if (!Number.isInteger(step) || step < 1)
    throw new ShapeError(`slice: the step must be >= 1 on axis ${axis}, got ${step}`, {
      remedy: 'Use flip() to reverse an axis.',
    })
  const clip = (i: number): number => Math.min(size, Math.max(0, i < 0 ? i + size : i))
  return [clip(start), clip(end), step]
}
