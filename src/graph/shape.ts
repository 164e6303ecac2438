import { ShapeError, shown } from '../util/errors.ts'

/** The size of each axis; empty for a scalar. */
export type Shape = readonly number[]

export function countOf(shape: Shape): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Formats a shape for messages: `(2, 3)`. */
export const showShape = (shape: Shape): string => `(${shape.join(', ')})`

/** Row-major strides, in elements. Sizes of 0 count as 1, because a stride of 0 means repetition. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step
    step *= Math.max(shape[i], 1)
  }
  return strides
}

/**
 * The shape that two shapes broadcast to, aligned at the right.
 * @throws ShapeError when a pair of sizes differs and neither is 1.
 */
export function broadcastShapes(a: Shape, b: Shape, what = 'broadcast'): Shape {
  if (sameShape(a, b)) return a
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const x = i <= a.length ? a[a.length - i] : 1
    const y = i <= b.length ? b[b.length - i] : 1
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(
        `${what}: shapes must broadcast, got ${showShape(a)} and ${showShape(b)} (sizes ${x} and ${y} differ)`,
        { remedy: 'Aligned at the last axis, each pair of sizes must be equal or contain a 1.' },
      )
    out[rank - i] = x === 1 ? y : x
  }
  return out
}

/** Converts a negative axis, which counts from the end. @throws ShapeError when the axis is out of range. */
export function normalizeAxis(axis: number, rank: number, what: string): number {
  const out = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(axis) || out < 0 || out >= Math.max(rank, 1))
    throw new ShapeError(
      `${what}: the axis must be from ${-Math.max(rank, 1)} to ${Math.max(rank, 1) - 1} for rank ${rank}, got ${shown(axis)}`,
      { key: 'axis', value: axis },
    )
  return out
}

/** Sorted axes without duplicates; all axes by default. */
export function normalizeAxes(
  axes: number | readonly number[] | undefined,
  rank: number,
  what: string,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i)
  const list = (isList(axes) ? axes : [axes]).map((a) => normalizeAxis(a, rank, what))
  if (rank === 0) return []
  return [...new Set(list)].sort((a, b) => a - b)
}

const isList = (axes: number | readonly number[]): axes is readonly number[] => Array.isArray(axes)

/** Returns a valid shape. @throws ShapeError when a size is not a whole number >= 0, or for more than 8 dimensions. */
export function checkShape(shape: Shape, what: string): Shape {
  if (!Array.isArray(shape))
    throw new ShapeError(`${what}: the shape must be an array of sizes, got ${shown(shape)}`, {
      key: 'shape',
      value: shape,
      remedy: `Write ${what}([2, 3]).`,
    })
  for (const size of shape)
    if (!Number.isSafeInteger(size) || size < 0)
      throw new ShapeError(`${what}: sizes must be whole numbers >= 0, got ${showShape(shape)}`)
  if (shape.length > 8)
    throw new ShapeError(`${what}: a tensor must have at most 8 dimensions, got ${shape.length}`)
  return shape
}
