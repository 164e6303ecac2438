import { f8ToF32 } from '../../util/float8.ts'
import { bf16ToF32, f16ToF32 } from '../../util/float16.ts'

/**
 * Element types of a safetensors file that can be read, in lower case (`F32` in the file).
 * @useDeclaredType
 */
export type StoredDType = keyof typeof STORED_DTYPES

/** An array of raw tensor elements. */
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

/** Bytes per element, and the array type for raw elements. 16-bit floats are bit patterns. */
export const STORED_DTYPES = {
  f64: { bytes: 8, array: Float64Array },
  f32: { bytes: 4, array: Float32Array },
  f16: { bytes: 2, array: Uint16Array },
  bf16: { bytes: 2, array: Uint16Array },
  f8_e4m3: { bytes: 1, array: Uint8Array },
  f8_e5m2: { bytes: 1, array: Uint8Array },
  f8_e8m0: { bytes: 1, array: Uint8Array },
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

/** Bits per element of types that a file may have but Heed cannot read. */
const UNREADABLE = {
  c64: 64,
  f4: 4,
  f6_e2m3: 6,
  f6_e3m2: 6,
  f8_e4m3fnuz: 8,
  f8_e5m2fnuz: 8,
} as const

/** An element type that may occur in a header. */
export type KnownDType = StoredDType | keyof typeof UNREADABLE

/** The dtype for `F32` in a header; undefined if unknown. */
export function knownDType(spelling: string): KnownDType | undefined {
  const name = spelling.toLowerCase()
  if (name === spelling) return undefined
  return isStoredDType(name) || isUnreadable(name) ? name : undefined
}

/** Whether tensors of this dtype can be read. */
export const isStoredDType = (name: string): name is StoredDType =>
  Object.hasOwn(STORED_DTYPES, name)

const isUnreadable = (name: string): name is keyof typeof UNREADABLE =>
  Object.hasOwn(UNREADABLE, name)

/** Bits per element. */
export const bitsOf = (dtype: KnownDType): number =>
  isStoredDType(dtype) ? 8 * STORED_DTYPES[dtype].bytes : UNREADABLE[dtype]

/** Converts raw elements to float32. */
export function toFloat32(dtype: StoredDType, raw: TypedArray, out: Float32Array): void {
  if (raw === out) return
  if (raw instanceof Uint16Array && dtype === 'f16') f16ToF32(raw, out)
  else if (raw instanceof Uint16Array && dtype === 'bf16') bf16ToF32(raw, out)
  else if (raw instanceof BigInt64Array || raw instanceof BigUint64Array) {
    for (let i = 0; i < raw.length; i++) out[i] = Number(raw[i])
  } else if (
    raw instanceof Uint8Array &&
    (dtype === 'f8_e4m3' || dtype === 'f8_e5m2' || dtype === 'f8_e8m0')
  )
    f8ToF32(dtype, raw, out)
  else out.set(raw)
}

/**
 * Converts raw integers to int32. Returns -1 on success, the index of the first element that does not fit, or undefined
 * if the dtype is not an integer type.
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

// Works on 32-bit halves, which is ten times as fast as BigInt arithmetic. Token files are large.
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
