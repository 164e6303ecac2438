// Decodes the stored values of a page: numbers, bigints and bytes.
import { ByteReader } from './byte-reader.ts'
import { Damage } from './damage.ts'
import { readDeltaBytes, readDeltaIntegers, readDeltaLengthBytes } from './deltas.ts'
import { readRuns } from './runs.ts'
import { Texts } from './texts.ts'

/** Physical type of a column. */
interface ValueType {
  readonly type: number | undefined
  /** Number of bytes of a value of fixed length. */
  readonly typeLength: number
}

export type StoredValue = number | bigint | Uint8Array

/** Values that are decoded on access. */
export interface Values {
  readonly length: number
  at(index: number): StoredValue | undefined
}

export const TYPES = {
  boolean: 0,
  int32: 1,
  int64: 2,
  int96: 3,
  float: 4,
  double: 5,
  bytes: 6,
  fixed: 7,
} as const

const ENCODINGS = {
  plain: 0,
  runs: 3,
  deltaIntegers: 5,
  deltaLengths: 6,
  deltaBytes: 7,
  split: 9,
} as const

/** Whether a page stores indices into a dictionary. */
export const isDictionary = (encoding: number): boolean => encoding === 2 || encoding === 8

/** Reads `count` values. @throws Damage if bytes are missing */
export function readValues(
  encoding: number,
  { type, typeLength }: ValueType,
  reader: ByteReader,
  count: number,
): Values {
  if (encoding === ENCODINGS.plain) return readPlain({ type, typeLength }, reader, count)
  if (encoding === ENCODINGS.split) return readSplit({ type, typeLength }, reader, count)
  if (encoding === ENCODINGS.deltaIntegers && type === TYPES.int64)
    return readDeltaIntegers(reader, count)
  if (encoding === ENCODINGS.deltaIntegers && type === TYPES.int32)
    return Int32Array.from(readDeltaIntegers(reader, count), Number)
  if (encoding === ENCODINGS.deltaLengths && type === TYPES.bytes)
    return readDeltaLengthBytes(reader, count)
  if (encoding === ENCODINGS.deltaBytes && (type === TYPES.bytes || type === TYPES.fixed))
    return readDeltaBytes(reader, count)
  if (encoding === ENCODINGS.runs && type === TYPES.boolean) {
    const bits = new Uint8Array(count)
    readRuns(new ByteReader(reader.take(reader.u32(), 'runs')), 1, bits)
    return bits
  }
  throw new Damage(`values of type ${type} in the encoding ${encoding}`)
}

/** Reads values in the PLAIN encoding, which dictionaries have too. */
export function readPlain(
  { type, typeLength }: ValueType,
  reader: ByteReader,
  count: number,
): Values {
  const copy = (width: number): ArrayBuffer => new Uint8Array(reader.take(width * count)).buffer
  switch (type) {
    case TYPES.boolean: {
      const bits = reader.take(Math.ceil(count / 8))
      return Uint8Array.from({ length: count }, (_, i) => (bits[i >> 3] >> (i & 7)) & 1)
    }
    case TYPES.int32:
      return new Int32Array(copy(4))
    case TYPES.int64:
      return new BigInt64Array(copy(8))
    case TYPES.float:
      return new Float32Array(copy(4))
    case TYPES.double:
      return new Float64Array(copy(8))
    case TYPES.int96:
      return Texts.ofLength(reader, 12, count)
    case TYPES.fixed:
      return Texts.ofLength(reader, typeLength, count)
    case TYPES.bytes:
      return Texts.withLengths(reader, count)
    default:
      throw new Damage(`values of type ${type}`)
  }
}

/** Reads the BYTE_STREAM_SPLIT encoding: the first bytes of all values, then all second bytes, and so on. */
function readSplit(value: ValueType, reader: ByteReader, count: number): Values {
  const width = { 1: 4, 4: 4, 2: 8, 5: 8, 7: value.typeLength }[value.type ?? -1] ?? 0
  if (width < 1) throw new Damage(`split values of type ${value.type}`)
  const stored = reader.take(width * count)
  const joined = new Uint8Array(stored.length)
  for (let part = 0; part < width; part++)
    for (let i = 0; i < count; i++) joined[i * width + part] = stored[part * count + i]
  return readPlain(value, new ByteReader(joined), count)
}
