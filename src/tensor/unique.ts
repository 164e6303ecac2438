import type { TypedArray } from '../graph/dtype.ts'
import { countOf, type Shape } from '../graph/shape.ts'

/**
 * The index of the first occurrence of each unique slice, in ascending order of slices; the unique slice of each slice;
 * counts.
 */
export interface UniqueSlices {
  first: Int32Array
  inverse: Int32Array
  counts: Int32Array
}

/**
 * Finds unique slices (N, ...), compared element by element. As in PyTorch, NaN is the largest value and differs from
 * NaN.
 */
export function uniqueSlices(values: TypedArray, shape: Shape): UniqueSlices {
  const [count, ...rest] = shape
  const width = countOf(rest)
  const order = Int32Array.from({ length: count }, (_, i) => i)
  const compare = (a: number, b: number): number => {
    for (let k = 0; k < width; k++) {
      const difference = compareNumbers(values[a * width + k], values[b * width + k])
      if (difference !== 0) return difference
    }
    return 0
  }
  order.sort((a, b) => compare(a, b) || a - b)
  const same = (a: number, b: number): boolean => {
    for (let k = 0; k < width; k++)
      if (values[a * width + k] !== values[b * width + k]) return false
    return true
  }
  const first: number[] = []
  const counts: number[] = []
  const inverse = new Int32Array(count)
  for (const [i, slice] of order.entries()) {
    if (i === 0 || !same(order[i - 1], slice)) {
      first.push(slice)
      counts.push(0)
    }
    inverse[slice] = first.length - 1
    counts[first.length - 1]++
  }
  return { first: Int32Array.from(first), inverse, counts: Int32Array.from(counts) }
}

function compareNumbers(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a - b || 0
}
