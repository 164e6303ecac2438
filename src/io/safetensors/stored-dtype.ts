import { bf16ToF32, f16ToF32 } from '../../util/float16.ts'

/** The element types of a safetensors file, in lower case (`F32` in the file). */
export type StoredDType = keyof typeof STORED_DTYPES

export type TypedArray =
  | Float64Array
  | Float32Array
  | Uint16Array
  | Int16Array
  | Uint8Array
  | Int8Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array

/** Bytes of an element, and the array type for raw elements: 16-bit floats are bit patterns. */
export const STORED_DTYPES = {
  f64: { bytes: 8, array: Float64Array },
  f32: { bytes: 4, array: Float32Array },
  f16: { bytes: 2, array: Uint16Array },
  bf16: { bytes: 2, array: Uint16Array },
  f8_e4m3: { bytes: 1, array: Uint8Array },
  f8_e5m2: { bytes: 1, array: Uint8Array },
  i64: { bytes: 8, array: BigInt64Array },
  u64: { bytes: 8, array: BigUint64Array },
  i32: { bytes: 4, array: Int32Array },
  u32: { bytes: 4, array: Uint32Array },
  i16: { bytes: 2, array: Int16Array },
  u16: { bytes: 2, array: Uint16Array },
  i8: { bytes: 1, array: Int8Array },
  u8: { bytes: 1, array: Uint8Array },
  bool: { bytes: 1, array: Uint8Array },
} as const

/** The dtype for `F32` in a header; undefined if unknown. */
export function storedDType(spelling: string): StoredDType | undefined {
  const name = spelling.toLowerCase()
  const known = name !== spelling && Object.hasOwn(STORED_DTYPES, name)
  return known ? (name as StoredDType) : undefined
}

/** Converts raw elements to float32. Returns false for a dtype that cannot be converted. */
export function toFloat32(dtype: StoredDType, raw: TypedArray, out: Float32Array): boolean {
  if (dtype === 'f16') f16ToF32(raw as Uint16Array, out)
  else if (dtype === 'bf16') bf16ToF32(raw as Uint16Array, out)
  else if (raw instanceof BigInt64Array || raw instanceof BigUint64Array) {
    for (let i = 0; i < raw.length; i++) out[i] = Number(raw[i])
  } else if (dtype === 'f8_e4m3' || dtype === 'f8_e5m2') return false
  else out.set(raw)
  return true
}

/**
 * Converts raw integers to int32. Returns -1, or the index of the first element that does not fit, or undefined for a
 * dtype that is not an integer.
 */
export function toInt32(dtype: StoredDType, raw: TypedArray, out: Int32Array): number | undefined {
  if (dtype.startsWith('f') || dtype === 'bf16') return undefined
  if (raw instanceof BigInt64Array || raw instanceof BigUint64Array) return narrow64(raw, out)
  if (raw instanceof Uint32Array) {
    const tooLarge = raw.findIndex((value) => value > 0x7fffffff)
    if (tooLarge >= 0) return tooLarge
  }
  out.set(raw as Int32Array)
  return -1
}

// 32-bit halves: ten times as fast as BigInt arithmetic, and token files are large.
function narrow64(raw: BigInt64Array | BigUint64Array, out: Int32Array): number {
  const words = new Int32Array(raw.buffer, raw.byteOffset, raw.length * 2)
  const signed = raw instanceof BigInt64Array
  for (let i = 0; i < raw.length; i++) {
    const low = words[2 * i]
    const high = words[2 * i + 1]
    if (high !== low >> 31 || (!signed && low < 0)) return i
    out[i] = low
  }
  return -1
}
