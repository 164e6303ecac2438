// From one dtype to another: by value and by bits.
import { arrayOf, type DType, type TypedArray } from '../../graph/dtype.ts'
import type { Run, Value } from './value.ts'

/** By value. f32 to integers truncates and saturates, integers wrap, all but 0 is true. */
export function convert({ data, shape, dtype }: Value, to: DType, run: Run): TypedArray {
  if (dtype === to) return data
  const out = run.empty({ shape, dtype: to })
  const rule = to === 'bool' ? truth : dtype === 'f32' ? (saturating[to] ?? plain) : plain
  for (let i = 0; i < out.length; i++) out[i] = rule(data[i])
  return out
}

const truth = (x: number): number => (x !== 0 ? 1 : 0)
const plain = (x: number): number => x

// Storing truncates; NaN is stored as 0.
const saturating: Partial<Record<DType, (x: number) => number>> = {
  i32: (x) => Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1),
  u32: (x) => Math.min(Math.max(x, 0), 2 ** 32 - 1),
  u8: (x) => Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1), // by way of i32, of which 8 bits stay
}

/** The same bits under another dtype of the same width. */
export function reinterpret(x: Value, to: DType, run: Run): TypedArray {
  if (x.dtype === to) return x.data
  if (to === 'bool') return convert(x, to, run)
  const bits = x.dtype === 'f32' ? Float32Array.from(x.data) : x.data
  const { length } = bits
  const view = new (arrayOf(to, 0).constructor as new (...args: unknown[]) => TypedArray)(
    bits.buffer,
    bits.byteOffset,
    length,
  )
  if (to !== 'f32') return view
  const out = run.empty({ shape: x.shape, dtype: to })
  out.set(view)
  return out
}
