// Converts stored values to JavaScript values by the type of their column.
import { parseJson } from '../../io/files/json.ts'
import { f16ToF32 } from '../../util/float16.ts'
import { Damage } from './damage.ts'
import type { SchemaNode } from './schema.ts'
import { type StoredValue, TYPES } from './values.ts'

/** Marks bytes that should be text but are not. */
export const NOT_UTF8 = Symbol('not UTF-8')

/** Converts to a boolean, number, bigint, string, Date, Uint8Array, or parsed JSON. */
export type Convert = (value: StoredValue) => unknown

/**
 * The converter for a column. Newer files have a logical type, older ones a converted type.
 * @throws Damage for unsupported types
 */
export function convertOf({ name, type, convertedType, logicalType, scale }: SchemaNode): Convert {
  const logical = LOGICAL.find(([field]) => logicalType.has(field))?.[1]
  const meaning = logical ?? CONVERTED[convertedType ?? -1]
  if (type === TYPES.boolean) return (value) => value === 1
  if (type === TYPES.int96) return (value) => nanoDate(bytesOf(value))
  if (meaning === 'decimal') return (value) => decimal(value, decimalScale(logicalType) ?? scale)
  if (meaning === 'timestamp') return timestampOf(logicalType)
  if (meaning === 'integer') return unsignedOf(logicalType, type)
  if (meaning === undefined) return plain
  if (meaning === 'unsupported')
    throw new Damage(
      `column ${JSON.stringify(name)} has a type that is not supported (BSON or interval)`,
    )
  return meaning
}

/** Copies bytes, so that they do not keep their page in memory. */
const plain: Convert = (value) => (value instanceof Uint8Array ? value.slice() : value)

const text: Convert = (value) => {
  try {
    return decoder.decode(bytesOf(value))
  } catch {
    return NOT_UTF8
  }
}
const decoder = new TextDecoder('utf-8', { fatal: true })

const json: Convert = (value) => {
  const source = text(value)
  return typeof source === 'string' ? parseJson(source, 'a cell with JSON') : source
}
const date: Convert = (days) => new Date(Number(days) * 86_400_000)
const milliseconds: Convert = (time) => new Date(Number(time))
const microseconds: Convert = (time) => new Date(Number(integerOf(time) / 1000n))
const nanoseconds: Convert = (time) => new Date(Number(integerOf(time) / 1_000_000n))
const unsigned32: Convert = (value) => Number(value) >>> 0
const unsigned64: Convert = (value) => BigInt.asUintN(64, integerOf(value))

const uuid: Convert = (value) => {
  const hex = Buffer.from(bytesOf(value)).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const float16: Convert = (value) => {
  const [low, high] = bytesOf(value)
  return f16ToF32(Uint16Array.of(low | (high << 8)))[0]
}

type Meaning = Convert | 'decimal' | 'timestamp' | 'integer' | 'unsupported'

/** By the field number of the logical type. Lists and maps are groups. */
const LOGICAL: readonly (readonly [field: number, meaning: Meaning])[] = [
  [1, text],
  [4, text], // enumeration
  [5, 'decimal'],
  [6, date],
  [8, 'timestamp'],
  [10, 'integer'],
  [12, json],
  [13, 'unsupported'],
  [14, uuid],
  [15, float16],
]

/** By the number of the converted type. */
const CONVERTED: Readonly<Record<number, Meaning>> = {
  0: text,
  4: text,
  5: 'decimal',
  6: date,
  9: milliseconds,
  10: microseconds,
  13: unsigned32,
  14: unsigned64,
  19: json,
  20: 'unsupported',
  21: 'unsupported',
}

const decimalScale = (logicalType: SchemaNode['logicalType']): number | undefined =>
  logicalType.optionalStruct(5).optionalInt(1, 'the scale of a decimal')

/** A decimal: big-endian bytes or an integer, with `scale` digits after the decimal point. */
function decimal(value: StoredValue, scale: number): number {
  const digits = value instanceof Uint8Array ? signed(value) : integerOf(value)
  return Number(`${digits}e${-scale}`)
}

function bytesOf(value: StoredValue): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new Damage('numbers in a column of strings')
}

function integerOf(value: StoredValue): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  throw new Damage('values of another type in a column of integers')
}

function signed(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes).toString('hex')
  return hex === '' ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex}`))
}

function timestampOf(logicalType: SchemaNode['logicalType']): Convert {
  const unit = logicalType.optionalStruct(8).optionalStruct(2)
  if (unit.has(3)) return nanoseconds
  return unit.has(2) ? microseconds : milliseconds
}

function unsignedOf(logicalType: SchemaNode['logicalType'], type: number | undefined): Convert {
  if (logicalType.optionalStruct(10).flag(2, true)) return (value) => value
  return type === TYPES.int64 ? unsigned64 : unsigned32
}

/** A timestamp of 12 bytes: nanoseconds of the day, then the Julian day. */
function nanoDate(bytes: Uint8Array): Date {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const days = view.getUint32(8, true) - JULIAN_1970
  return new Date(days * 86_400_000 + Number(view.getBigUint64(0, true) / 1_000_000n))
}

const JULIAN_1970 = 2_440_588
