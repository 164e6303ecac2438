// Conversion between dtypes: by value (cast) and of the bits (bitcast).
import { arrayOf, type DType, type TypedArray } from '../../graph/dtype.ts'
import type { Run, Value } from './value.ts'

/** Converts values. f32 to integer truncates and saturates; integer to integer wraps; to bool, all but 0 is true. */
export function convert({ data, shape, dtype }: Value, to: DType, run: Run): TypedArray {
  if (dtype === to) return data
  const out = run.empty({ shape, dtype: to })
  const rule = to === 'bool' ? truth : dtype === 'f32' ? (saturating[to] ?? plain) : plain
  for (let i = 0; i < out.length; i++) out[i] = rule(data[i])
  return out
}

const truth = (x: number): number => (x !== 0 ? 1 : 0)
const plain = (x: number): number => x

// Storing in a typed array truncates and converts NaN to 0.
const saturating: Partial<Record<DType, (x: number) => number>> = {
  i32: (x) => Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1),
  u32: (x) => Math.min(Math.max(x, 0), 2 ** 32 - 1),
  u8: (x) => Math.min(Math.max(x, -(2 ** 31)), 2 ** 31 - 1), // through i32, of which the low 8 bits remain
}

/** Reinterprets the bits as another dtype of the same width. */
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
