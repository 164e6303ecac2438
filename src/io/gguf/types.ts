// Type numbers of metadata and tensors in GGUF files.

/** Types of metadata values, in the order of their numbers in the file. */
export const VALUE_TYPES = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const

/**
 * Type of a metadata value in GGUF files.
 * @useDeclaredType
 */
export type ValueType = (typeof VALUE_TYPES)[number]

/** Minimum size of a value in a file: a string has a length, and an array also a type. */
export const LEAST_BYTES: Record<ValueType, number> = {
  u8: 1,
  i8: 1,
  bool: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  u64: 8,
  i64: 8,
  f64: 8,
  string: 8,
  array: 12,
}

/** A metadata value with its type. Integers beyond 2^53 are bigints. */
export type GGUFValue =
  | { type: Exclude<ValueType, 'array'>; value: GGUFScalar }
  | { type: 'array'; of: ValueType; value: readonly (GGUFScalar | GGUFValue)[] }

/** A metadata value that is not an array. Integers of 64 bits are bigint. */
export type GGUFScalar = number | bigint | boolean | string

export interface TensorType {
  /** The number in the file. */
  readonly id: number
  /** Number of elements of a block: neighbours in a row that are stored together. */
  readonly elements: number
  /** Number of bytes of a block. */
  readonly bytes: number
}

const type = (id: number, elements: number, bytes: number): TensorType => ({ id, elements, bytes })

/** All types with a known layout. See `decodable` for those that can be decoded. */
export const TENSOR_TYPES = {
  f32: type(0, 1, 4),
  f16: type(1, 1, 2),
  q4_0: type(2, 32, 18),
  q4_1: type(3, 32, 20),
  q5_0: type(6, 32, 22),
  q5_1: type(7, 32, 24),
  q8_0: type(8, 32, 34),
  q2_k: type(10, 256, 84),
  q3_k: type(11, 256, 110),
  q4_k: type(12, 256, 144),
  q5_k: type(13, 256, 176),
  q6_k: type(14, 256, 210),
  iq2_xxs: type(16, 256, 66),
  iq2_xs: type(17, 256, 74),
  iq3_xxs: type(18, 256, 98),
  iq1_s: type(19, 256, 50),
  iq4_nl: type(20, 32, 18),
  iq3_s: type(21, 256, 110),
  iq2_s: type(22, 256, 82),
  iq4_xs: type(23, 256, 136),
  i8: type(24, 1, 1),
  i16: type(25, 1, 2),
  i32: type(26, 1, 4),
  i64: type(27, 1, 8),
  f64: type(28, 1, 8),
  iq1_m: type(29, 256, 56),
  bf16: type(30, 1, 2),
  tq1_0: type(34, 256, 54),
  tq2_0: type(35, 256, 66),
  mxfp4: type(39, 32, 17),
  nvfp4: type(40, 64, 36),
  q1_0: type(41, 128, 18),
} as const

/**
 * A tensor type of GGUF files, in lower case: `q4_k`.
 * @useDeclaredType
 */
export type GGUFType = keyof typeof TENSOR_TYPES

/** The type with this number; undefined if unknown. */
export const tensorType = (id: number): GGUFType | undefined => NAMES.get(id)

const NAMES = new Map(
  Object.entries(TENSOR_TYPES).map(([name, { id }]) => [id, name as GGUFType] as const),
)
