import type { TypedArray } from './stored-dtype.ts'

/**
 * Fills `out` with the row-major elements of a strided tensor, starting at element `start`.
 * @param elements elements of its storage, starting at the first element of the tensor
 */
export function gather(
  elements: TypedArray,
  out: TypedArray,
  start: number,
  shape: readonly number[],
  strides: readonly number[],
): void {
  const target: Record<number, number | bigint> = out
  const index = indexOf(start, shape)
  let at = index.reduce((sum, i, axis) => sum + i * strides[axis], 0)
  for (let i = 0; i < out.length; i++) {
    target[i] = elements[at]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]
      if (++index[axis] < shape[axis]) break
      at -= shape[axis] * strides[axis]
      index[axis] = 0
    }
  }
}

/** The index of an element along each axis. */
function indexOf(element: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length)
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = element % shape[axis]
    element = Math.floor(element / shape[axis])
  }
  return index
}
