import { alternatives, HeedError, shown } from '../util/errors.ts'

/** Type of a tensor's elements. f16, bf16, f64 and i64 exist in files only and are converted on reading. */
export type DType = 'f32' | 'i32' | 'u32' | 'u8' | 'bool'

/** Typed arrays that tensors are created from and read as. bool is read as a `Uint8Array`. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array

/** All dtypes in the order of `DType` in C++: programs store the index. */
export const dtypes: readonly DType[] = ['f32', 'i32', 'u32', 'u8', 'bool']

const arrays = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
  bool: Uint8Array,
} as const

/** Returns a valid dtype. @throws HeedError otherwise, which suggests Heed's name for a dtype of PyTorch or NumPy. */
export function checkDType(dtype: DType, owner: string): DType {
  if (Object.hasOwn(arrays, dtype)) return dtype
  const [near, why] = otherNames[String(dtype)] ?? []
  throw new HeedError(
    'invalid-option',
    `${owner}: \`dtype\` must be ${alternatives(dtypes)}, got ${shown(dtype)}`,
    {
      key: 'dtype',
      value: dtype,
      remedy: near && `${why ?? ''}Use '${near}'.`,
    },
  )
}

const IN_FILES = 'This type exists in files only; Heed computes in 32 bits. '

/** The names of dtypes in PyTorch, NumPy and JavaScript. */
const otherNames: Readonly<Partial<Record<string, readonly [DType, string?]>>> = {
  float32: ['f32'],
  float: ['f32'],
  number: ['f32'],
  float64: ['f32', IN_FILES],
  double: ['f32', IN_FILES],
  f64: ['f32', IN_FILES],
  float16: ['f32', IN_FILES],
  half: ['f32', IN_FILES],
  f16: ['f32', IN_FILES],
  bfloat16: ['f32', IN_FILES],
  bf16: ['f32', IN_FILES],
  int: ['i32'],
  int32: ['i32'],
  int64: ['i32', IN_FILES],
  i64: ['i32', IN_FILES],
  long: ['i32', IN_FILES],
  uint32: ['u32'],
  uint8: ['u8'],
  byte: ['u8'],
  boolean: ['bool'],
}

/** A zeroed typed array for `count` elements. */
export function arrayOf(dtype: DType, count: number): TypedArray {
  return new arrays[dtype](count)
}

/** Reads bytes as elements, without copying. */
export function viewAs(dtype: DType, buffer: ArrayBuffer): TypedArray {
  return new arrays[dtype](buffer)
}

export const bytesOf = (dtype: DType): number => arrays[dtype].BYTES_PER_ELEMENT

export const isFloat = (dtype: DType): boolean => dtype === 'f32'

const rank: Record<DType, number> = { bool: 0, u8: 1, i32: 2, u32: 2, f32: 3 }

/** The dtype to which an operation promotes its two inputs, as in PyTorch: f32 > i32, u32 > u8 > bool. */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a
  if (rank[a] === rank[b]) return 'i32' // i32 and u32
  return rank[a] > rank[b] ? a : b
}

/** The dtype for an array of this class. A Uint8Array is u8, never bool. */
export function dtypeOfArray(data: TypedArray): DType {
  if (data instanceof Int32Array) return 'i32'
  if (data instanceof Uint32Array) return 'u32'
  if (data instanceof Uint8Array) return 'u8'
  return 'f32'
}
