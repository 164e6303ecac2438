// Iterating over arrays in an order different from that in memory.
import type { TypedArray } from '../../graph/dtype.ts'
import { type Shape, stridesOf } from '../../graph/shape.ts'

/** Element (i, j, …) is at offset + i·strides[0] + j·strides[1] + … */
export interface Layout {
  offset: number
  strides: readonly number[]
}

/** The contiguous layout in row-major order. */
export const plainLayout = (shape: Shape): Layout => ({ offset: 0, strides: stridesOf(shape) })

/** Broadcasts to `shape`: repeats axes that have size 1 or do not exist. */
export function broadcastLayout(from: Shape, shape: Shape): Layout {
  const own = stridesOf(from)
  const lead = shape.length - from.length
  const strides = shape.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : own[i - lead]))
  return { offset: 0, strides }
}

export function copyStrided(
  shape: Shape,
  from: TypedArray,
  source: Layout,
  to: TypedArray,
  target: Layout,
): void {
  eachRow(shape, [source, target], (count, [a, b], [stepA, stepB]) => {
    if (stepA === 1 && stepB === 1 && count > 16) {
      to.set(from.subarray(a, a + count), b)
      return
    }
    for (let n = 0; n < count; n++, a += stepA, b += stepB) to[b] = from[a]
  })
}

/**
 * Visits the rows of an array of `shape` in order, with the number of elements of the row (`count`), and its
 * start and the distance of its elements in each layout (`starts`, `steps`).
 */
export function eachRow(
  shape: Shape,
  layouts: readonly Layout[],
  visit: (count: number, starts: readonly number[], steps: readonly number[]) => void,
): void {
  if (shape.includes(0)) return
  const { sizes, strides } = merged(shape, layouts)
  const last = sizes.length - 1
  const steps = strides.map((s) => s[last])
  const starts = layouts.map((layout) => layout.offset)
  const index = new Array<number>(last).fill(0)
  for (;;) {
    visit(sizes[last], [...starts], steps)
    let axis = last - 1
    for (; axis >= 0; axis--) {
      const wrapped = ++index[axis] === sizes[axis]
      const move = wrapped ? 1 - sizes[axis] : 1
      for (let i = 0; i < starts.length; i++) starts[i] += move * strides[i][axis]
      if (!wrapped) break
      index[axis] = 0
    }
    if (axis < 0) return
  }
}

/** Drops axes of size 1 and merges adjacent axes that are contiguous in every layout, so that rows are longer. */
function merged(
  shape: Shape,
  layouts: readonly Layout[],
): { sizes: number[]; strides: number[][] } {
  const sizes: number[] = []
  const strides: number[][] = layouts.map(() => [])
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]
    if (size === 1) continue
    const end = sizes.length - 1
    const joins =
      end >= 0 && layouts.every((layout, i) => strides[i][end] === layout.strides[axis] * size)
    if (joins) sizes[end] *= size
    else sizes.push(size)
    const at = sizes.length - 1
    layouts.forEach((layout, i) => {
      strides[i][at] = layout.strides[axis]
    })
  }
  if (sizes.length > 0) return { sizes, strides }
  return { sizes: [1], strides: layouts.map(() => [0]) }
}
