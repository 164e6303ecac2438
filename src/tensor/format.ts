import type { DType, TypedArray } from '../graph/dtype.ts'
import { countOf, type Shape, showShape } from '../graph/shape.ts'

const EDGE = 3 // elements shown at each end of an abbreviated axis
const LONG = 8

/**
 * Formats values as PyTorch does: brackets, aligned columns, `…` for omitted elements.
 *
 *     tensor([[0.1000, 0.2000],
 *             [0.3000, 0.4000]], shape (2, 2), f32)
 */
export function formatTensor(data: TypedArray, shape: Shape, dtype: DType): string {
  const write = numberFormat(visible(data, shape), dtype)
  const body = shape.length === 0 ? write(data[0]) : bracket(data, shape, 0, 0, 8, write)
  return `tensor(${body}, shape ${showShape(shape)}, ${dtype})`
}

function bracket(
  data: TypedArray,
  shape: Shape,
  axis: number,
  start: number,
  indent: number,
  write: (x: number) => string,
): string {
  const step = countOf(shape.slice(axis + 1))
  const last = axis === shape.length - 1
  const parts = shownIndices(shape[axis]).map((i) => {
    if (i < 0) return '…'
    const at = start + i * step
    return last ? write(data[at]) : bracket(data, shape, axis + 1, at, indent + 1, write)
  })
  const newline = `,${'\n'.repeat(Math.min(2, shape.length - axis - 1))}${' '.repeat(indent)}`
  return `[${parts.join(last ? ', ' : newline)}]`
}

/** Indices to print. -1 marks the omitted ones. */
function shownIndices(size: number): number[] {
  const all = Array.from({ length: Math.min(size, LONG) }, (_, i) => i)
  if (size <= LONG) return all
  const tail = Array.from({ length: EDGE }, (_, i) => size - EDGE + i)
  return [...all.slice(0, EDGE), -1, ...tail]
}

function visible(data: TypedArray, shape: Shape): number[] {
  let starts = [0]
  shape.forEach((size, axis) => {
    const step = countOf(shape.slice(axis + 1))
    const indices = shownIndices(size).filter((i) => i >= 0)
    starts = starts.flatMap((start) => indices.map((i) => start + i * step))
  })
  return starts.map((i) => data[i])
}

function numberFormat(values: number[], dtype: DType): (x: number) => string {
  if (dtype === 'bool') return (x) => (x ? ' true' : 'false')
  const finite = values.filter(Number.isFinite).map(Math.abs)
  const top = Math.max(0, ...finite)
  const least = Math.min(...finite.filter((x) => x > 0), Number.POSITIVE_INFINITY)
  const whole = finite.every(Number.isInteger)
  const plain = (x: number): string => {
    if (dtype !== 'f32') return String(x)
    if (!Number.isFinite(x)) return Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf'
    if (top >= 1e6 || least < 1e-4) return x.toExponential(4)
    return whole ? `${x}.` : x.toFixed(4)
  }
  const width = Math.max(0, ...values.map((x) => plain(x).length))
  return (x) => plain(x).padStart(width)
}
