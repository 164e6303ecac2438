// Views as strides: the effect of reshape, permute and other views on the position of elements. Strides and
// offsets are in elements.
import { type Shape, sameShape, stridesOf } from '../graph/shape.ts'

export interface Strided {
  readonly shape: Shape
  readonly strides: readonly number[]
  readonly offset: number
}

export const contiguous = (shape: Shape): Strided => ({
  shape,
  strides: stridesOf(shape),
  offset: 0,
})

export function isContiguous({ shape, strides }: Strided): boolean {
  let step = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false
    step *= Math.max(shape[i], 1)
  }
  return true
}

export const sameView = (a: Strided, b: Strided): boolean =>
  a.offset === b.offset && sameShape(a.shape, b.shape) && sameStrides(a, b)

const sameStrides = (a: Strided, b: Strided): boolean =>
  a.strides.every((s, i) => s === b.strides[i] || a.shape[i] === 1)

/**
 * The view in another shape, or null if that needs a copy. Axes are grouped into runs whose sizes have the
 * same product in both shapes; each run must have a single stride in memory.
 */
export function reshaped(view: Strided, shape: Shape): Strided | null {
  if (view.shape.includes(0)) return { ...contiguous(shape), offset: view.offset }
  const strides = new Array<number>(shape.length).fill(0)
  const from = view.shape.map((n, i) => [n, view.strides[i]] as const).filter(([n]) => n !== 1)
  let i = 0
  let j = 0
  while (i < from.length) {
    const start = j
    let have = from[i][0]
    let want = 1
    const first = i
    while (j < shape.length && want < have) want *= shape[j++]
    while (want > have) have *= from[++i][0]
    while (j < shape.length && want < have) want *= shape[j++]
    if (want !== have) {
      // The sizes do not divide each other: take more axes on both sides until the products are equal.
      while (want !== have) {
        if (want < have) want *= shape[j++]
        else have *= from[++i][0]
      }
    }
    for (let k = first; k < i; k++) if (from[k][1] !== from[k + 1][0] * from[k + 1][1]) return null
    let step = from[i][1]
    for (let k = j - 1; k >= start; k--) {
      strides[k] = step
      step *= shape[k]
    }
    i++
  }
  return { shape, strides, offset: view.offset }
}

export const permuted = (
  { shape, strides, offset }: Strided,
  order: readonly number[],
): Strided => ({
  shape: order.map((i) => shape[i]),
  strides: order.map((i) => strides[i]),
  offset,
})

/** Broadcasts a view: repeats axes of size 1 and adds leading axes, with stride 0. */
export function expanded(view: Strided, shape: Shape): Strided {
  const lead = shape.length - view.shape.length
  const strides = shape.map((n, i) =>
    i < lead || (view.shape[i - lead] === 1 && n !== 1) ? 0 : view.strides[i - lead],
  )
  return { shape, strides, offset: view.offset }
}

export function sliced(
  { strides, offset }: Strided,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[],
): Strided {
  return {
    shape: sizes,
    strides: strides.map((s, i) => s * steps[i]),
    offset: sizes.includes(0)
      ? offset
      : starts.reduce((at, start, i) => at + start * strides[i], offset),
  }
}

export function flipped({ shape, strides, offset }: Strided, axes: readonly number[]): Strided {
  if (shape.includes(0)) return { shape, strides, offset }
  return {
    shape,
    strides: strides.map((s, i) => (axes.includes(i) ? -s : s)),
    offset: axes.reduce((at, axis) => at + (shape[axis] - 1) * strides[axis], offset),
  }
}

/** A view of overlapping windows: (..., L1..Ld) -> (..., P1..Pd, K1..Kd). `shape` is the result's. */
export function windowed(
  { strides, offset }: Strided,
  shape: Shape,
  stride: readonly number[],
  dilation: readonly number[],
): Strided {
  const lead = strides.length - stride.length
  const spatial = strides.slice(lead)
  return {
    shape,
    strides: [
      ...strides.slice(0, lead),
      ...spatial.map((s, i) => s * stride[i]),
      ...spatial.map((s, i) => s * dilation[i]),
    ],
    offset,
  }
}
