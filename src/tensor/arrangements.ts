import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { checkShape, normalizeAxes, normalizeAxis, showShape } from '../graph/shape.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { alternatives, ShapeError } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import type { Axes } from './reductions.ts'
import type { Tensor } from './tensor.ts'
import { listOf, Views } from './views.ts'

/** Operations that reorder, repeat, pad or select elements by position. */
export abstract class Arrangements extends Views {
  /** Reverses the order of elements along the axes. */
  flip(...axes: number[] | [readonly number[]]): Tensor {
    return tensorOf(g.flip(this.node, normalizeAxes(listOf(axes), this.rank, 'flip')))
  }

  /**
   * Pads the last axes. `widths` has [before, after] for each of them, first axis first; negative widths crop. New
   * elements are `value`, or copies of elements: mirrored (reflect), of the edge (replicate) or of the other end
   * (circular). @throws ShapeError if the widths do not fit the shape
   */
  pad(
    widths: readonly (readonly [number, number])[],
    value: number | 'reflect' | 'replicate' | 'circular' = 0,
  ): Tensor {
    checkWidths(widths, value)
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

  /** Returns the elements whose indices along two axes differ by `offset`, as a new last axis. */
  diagonal(offset = 0, axis1 = 0, axis2 = 1): Tensor {
    checkArgument('diagonal', 'offset', offset, 'integer')
    const first = normalizeAxis(axis1, this.rank, 'diagonal')
    const second = normalizeAxis(axis2, this.rank, 'diagonal')
    if (first === second)
      throw new ShapeError(`diagonal: the axes must differ, got ${axis1} and ${axis2}`)
    const kept = this.shape.map((_, i) => i).filter((i) => i !== first && i !== second)
    const [rows, columns] = [this.shape[first], this.shape[second]]
    const row = Math.max(0, -offset)
    const column = Math.max(0, offset)
    const length = Math.max(0, Math.min(rows - row, columns - column))
    // In row-major order, consecutive elements of a diagonal are one row and one column apart.
    const flat = this.permute(...kept, first, second).flatten(kept.length)
    const lead = kept.map((i) => this.shape[i])
    const zeros = kept.map(() => 0)
    const start = length > 0 ? row * columns + column : 0
    const steps = [...kept.map(() => 1), columns + 1]
    return tensorOf(g.slice(flat.node, [...zeros, start], [...lead, length], steps))
  }

  /** For a vector, returns a matrix with it on a diagonal; for a matrix, returns its diagonal. */
  diag(offset = 0): Tensor {
    checkArgument('diag', 'offset', offset, 'integer')
    if (this.rank === 2) return this.diagonal(offset)
    if (this.rank !== 1)
      throw new ShapeError(
        `diag: the tensor must be a vector or a matrix, got shape ${showShape(this.shape)}`,
        { remedy: 'For more axes, use diagonal().' },
      )
    const [size] = this.shape
    const [row, column] = [Math.max(0, -offset), Math.max(0, offset)]
    const shape = [size + row + column, size + row + column]
    const distance = g.sub(g.iota(shape, 1), g.iota(shape, 0))
    const on = g.binary('eq', distance, g.constant(offset, 'i32'))
    const values = this.pad([[row, column]]).unsqueeze(1).node // by row
    return tensorOf(g.where(on, g.expand(values, shape), g.constant(0, this.dtype)))
  }

  /** Returns the sum of the diagonal of a matrix. */
  trace(): Tensor {
    if (this.rank !== 2)
      throw new ShapeError(`trace: the tensor must be a matrix, got shape ${showShape(this.shape)}`)
    return this.diagonal().sum()
  }

  /**
   * Shifts elements along axes; elements shifted past the end reappear at the start. Without axes, shifts the flattened
   * tensor.
   */
  roll(shifts: number | readonly number[], axes?: Axes): Tensor {
    const by = listOf([shifts].flat())
    if (axes === undefined) {
      if (by.length === 1) return this.flatten().roll(by, 0).reshape(this.shape)
      throw wrongArgument('roll', 'axes', axes, `given for ${by.length} shifts`)
    }
    const along = listOf([axes].flat())
    if (along.length !== by.length)
      throw wrongArgument('roll', 'axes', axes, `an array of ${by.length} axes, one for each shift`)
    return along.reduce((x: Tensor, axis, i) => rolled(x, by[i], axis), tensorOf(this.node))
  }

  /** Repeats the whole tensor `counts` times along each axis. */
  repeat(...counts: number[] | [readonly number[]]): Tensor {
    const times = checkShape(listOf(counts), 'repeat')
    const lead = times.length - this.rank
    if (lead < 0)
      throw new ShapeError(
        `repeat: there must be one count for each axis of shape ${showShape(this.shape)}, got ${times.join(', ')}`,
      )
    const shape = [...new Array<number>(lead).fill(1), ...this.shape]
    const apart = shape.flatMap((n) => [1, n])
    const wide = shape.flatMap((n, i) => [times[i], n])
    const joined = shape.map((n, i) => n * times[i])
    return tensorOf(g.reshape(g.expand(g.reshape(this.node, apart), wide), joined))
  }

  /** Like `repeat`, but missing leading counts are 1. */
  tile(...counts: number[] | [readonly number[]]): Tensor {
    const times = listOf(counts)
    const lead = new Array<number>(Math.max(0, this.rank - times.length)).fill(1)
    return this.repeat([...lead, ...times])
  }

  /** Repeats each element along an axis `times` times in succession. */
  repeatInterleave(times: number, axis: number): Tensor {
    checkArgument('repeatInterleave', 'times', times, 'count')
    const at = normalizeAxis(axis, this.rank, 'repeatInterleave')
    const apart = g.unsqueeze(this.node, [at + 1])
    const wide = apart.shape.map((n, i) => (i === at + 1 ? times : n))
    const joined = this.shape.map((n, i) => (i === at ? n * times : n))
    return tensorOf(g.reshape(g.expand(apart, wide), joined))
  }

  /** Returns sliding windows of `size` elements, `step` apart, along an axis, as a new last axis. */
  unfold(axis: number, size: number, step: number): Tensor {
    checkArgument('unfold', 'size', size, 'size')
    checkArgument('unfold', 'step', step, 'size')
    const at = normalizeAxis(axis, this.rank, 'unfold')
    const last = this.rank - 1
    const moved = this.movedim(at, last).node
    const windows = g.make('window', [moved], { kernel: [size], stride: [step], dilation: [1] })
    return tensorOf(windows).movedim(last, at)
  }

  /**
   * Returns the lower triangle of matrices and zeros elsewhere. A positive `diagonal` also keeps diagonals above the
   * main one.
   */
  tril(diagonal = 0): Tensor {
    checkArgument('tril', 'diagonal', diagonal, 'integer')
    return this.triangle((row, column) => g.binary('le', column, g.shift(row, diagonal)))
  }

  /**
   * Returns the upper triangle of matrices and zeros elsewhere. A negative `diagonal` also keeps diagonals below the
   * main one.
   */
  triu(diagonal = 0): Tensor {
    checkArgument('triu', 'diagonal', diagonal, 'integer')
    return this.triangle((row, column) => g.binary('le', g.shift(row, diagonal), column))
  }

  private triangle(keep: (row: Node, column: Node) => Node): Tensor {
    const [rows, columns] = this.shape.slice(-2)
    if (columns === undefined)
      throw new ShapeError(
        `tril and triu: the tensor must have at least two axes, got shape ${showShape(this.shape)}`,
      )
    const inside = keep(g.iota([rows, columns], 0), g.iota([rows, columns], 1))
    return tensorOf(g.where(inside, this.node, g.constant(0, this.dtype)))
  }
}

function rolled(x: Tensor, shift: number, axis: number): Tensor {
  checkArgument('roll', 'shifts', shift, 'integer')
  const at = normalizeAxis(axis, x.rank, 'roll')
  const size = x.shape[at]
  const by = size === 0 ? 0 : ((shift % size) + size) % size
  if (by === 0) return x
  const tail = g.narrow(x.node, at, size - by, by)
  return tensorOf(g.concat([tail, g.narrow(x.node, at, 0, size - by)], at))
}

function checkWidths(widths: readonly (readonly [number, number])[], value: unknown): void {
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every(Number.isInteger)
  if (!Array.isArray(widths) || !widths.every(isPair))
    throw wrongArgument(
      'pad',
      'widths',
      widths,
      'an array of pairs of whole numbers, one for each of the last axes',
      'Write pad([[1, 1]]) for one element at both ends of the last axis.',
    )
  if (
    typeof value !== 'number' &&
    typeof value !== 'boolean' &&
    !Object.hasOwn(places, String(value))
  )
    throw wrongArgument('pad', 'value', value, `a number, or ${alternatives(Object.keys(places))}`)
}

type OwnPadding = 'reflect' | 'replicate' | 'circular'

/** Index of the element to use at position i of an axis of size n; i < 0 and i >= n are in the padding. */
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
