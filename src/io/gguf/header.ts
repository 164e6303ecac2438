import { HeedError } from '../../util/errors.ts'
import { wrongFormat } from '../files/wrong-format.ts'
import { Cursor, named } from './cursor.ts'
import { GGUFMetadata } from './metadata.ts'
import {
  type GGUFScalar,
  type GGUFType,
  type GGUFValue,
  LEAST_BYTES,
  TENSOR_TYPES,
  tensorType,
  type ValueType,
} from './types.ts'

// File layout: "GGUF", version, number of tensors, number of metadata entries; the metadata (key, type, value); the
// name, sizes (innermost first), type and offset of each tensor; then the aligned data.

/** Description of a tensor in a GGUF file. */
export interface GGUFTensorInfo {
  /** Name of the tensor, such as `blk.0.attn_q.weight`. */
  readonly name: string
  /** Type of its elements or blocks, such as `f16` or `q4_k`. */
  readonly type: GGUFType
  /** Shape, outermost axis first: (out, in) for a linear layer. */
  readonly shape: readonly number[]
  /** Size in the file in bytes. */
  readonly bytes: number
}

export interface GGUFTensorEntry extends GGUFTensorInfo {
  /** Offset of the first byte from the start of the data. */
  readonly begin: number
}

export interface GGUFHeader {
  readonly version: number
  readonly metadata: GGUFMetadata
  readonly tensors: ReadonlyMap<string, GGUFTensorEntry>
  /** Position of the data in the file. */
  readonly dataStart: number
}

/**
 * Parses and validates a header from the first bytes of a file.
 * @throws NeedMoreBytes if the header is longer than `bytes`
 */
export function parseHeader(bytes: Uint8Array, fileSize: number, path: string): GGUFHeader {
  const cursor = new Cursor(bytes, fileSize, path)
  const version = readVersion(cursor, bytes, path)
  const tensorCount = cursor.count(LEAST_TENSOR, 'the number of tensors')
  const entryCount = cursor.count(LEAST_ENTRY, 'the number of metadata entries')
  const metadata = new GGUFMetadata(readMetadata(cursor, entryCount), path)
  const alignment = readAlignment(cursor, metadata)
  const tensors = readTensors(cursor, tensorCount, alignment)
  const dataStart = Math.ceil(cursor.at / alignment) * alignment
  checkLayout(cursor, tensors, Math.max(0, fileSize - dataStart))
  return { version, metadata, tensors, dataStart }
}

function readVersion(cursor: Cursor, bytes: Uint8Array, path: string): number {
  if (cursor.u32('its first four bytes') !== MAGIC) throw wrongFormat(path, 'a GGUF file', bytes)
  const version = cursor.u32('its version')
  if (version === 2 || version === 3) return version
  const bigEndian = version > 0 && (version & 0xffff) === 0
  throw new HeedError(
    'unsupported',
    bigEndian
      ? `${path} must be a little-endian GGUF file, got a big-endian one`
      : `${path} must be a GGUF file of version 2 or 3, got version ${version}`,
    { value: version, remedy: 'Convert the model again with a current llama.cpp.' },
  )
}

function readMetadata(cursor: Cursor, count: number): Map<string, GGUFValue> {
  const entries = new Map<string, GGUFValue>()
  for (let i = 0; i < count; i++) {
    const key = cursor.text(`the key of metadata entry ${i}`, { strict: true })
    const what = named('metadata', key)
    if (entries.has(key)) cursor.damaged(`${what} appears twice`)
    entries.set(key, readValue(cursor, cursor.valueType(what), what, 0))
  }
  return entries
}

function readValue(cursor: Cursor, type: ValueType, what: string, depth: number): GGUFValue {
  if (type !== 'array') return { type, value: cursor.scalar(type, what) }
  if (depth >= MAX_DEPTH) cursor.damaged(`${what} is nested more than ${MAX_DEPTH} lists deep`)
  const of = cursor.valueType(what)
  const count = cursor.count(LEAST_BYTES[of], `the length of ${what}`)
  const value: (GGUFScalar | GGUFValue)[] = []
  for (let i = 0; i < count; i++)
    value.push(of === 'array' ? readValue(cursor, of, what, depth + 1) : cursor.scalar(of, what))
  return { type, of, value }
}

function readAlignment(cursor: Cursor, metadata: GGUFMetadata): number {
  const alignment = metadata.number('general.alignment', DEFAULT_ALIGNMENT)
  if (Number.isInteger(Math.log2(alignment)) && alignment >= 1 && alignment <= MAX_ALIGNMENT)
    return alignment
  return cursor.damaged(
    `its alignment is ${alignment}, which is not a power of two up to ${MAX_ALIGNMENT}`,
  )
}

function readTensors(
  cursor: Cursor,
  count: number,
  alignment: number,
): Map<string, GGUFTensorEntry> {
  const tensors = new Map<string, GGUFTensorEntry>()
  for (let i = 0; i < count; i++) {
    const name = cursor.text(`the name of tensor ${i}`, { strict: true })
    const what = named('tensor', name)
    if (tensors.has(name)) cursor.damaged(`${what} appears twice`)
    const entry = readTensor(cursor, name, what)
    if (entry.begin % alignment !== 0)
      cursor.damaged(
        `${what} begins at byte ${entry.begin}, which is not a multiple of ${alignment}`,
      )
    tensors.set(name, entry)
  }
  return tensors
}

function readTensor(cursor: Cursor, name: string, what: string): GGUFTensorEntry {
  const rank = cursor.u32(`the rank of ${what}`)
  if (rank > MAX_RANK) cursor.damaged(`${what} has ${rank} dimensions, the maximum is ${MAX_RANK}`)
  const sizes = Array.from({ length: rank }, () => cursor.u64(`the shape of ${what}`))
  const id = cursor.u32(`the type of ${what}`)
  const type = tensorType(id)
  if (type === undefined) return cursor.damaged(`${what} has the unknown type ${id}`)
  const { elements, bytes } = TENSOR_TYPES[type]
  const total = sizes.reduce((product, size) => product * size, 1)
  if (!Number.isSafeInteger(total * bytes))
    cursor.damaged(`${what} of shape [${sizes}] is larger than any file`)
  if ((sizes[0] ?? 1) % elements !== 0)
    cursor.damaged(
      `${what} has rows of ${sizes[0]}, which is not a multiple of ${elements}, the block size of ${type}`,
    )
  const begin = cursor.u64(`the offset of ${what}`)
  return { name, type, shape: sizes.reverse(), bytes: (total / elements) * bytes, begin }
}

function checkLayout(
  cursor: Cursor,
  tensors: ReadonlyMap<string, GGUFTensorEntry>,
  dataBytes: number,
): void {
  const ordered = [...tensors.values()].sort((a, b) => a.begin - b.begin || a.bytes - b.bytes)
  let end = 0
  for (const { name, begin, bytes } of ordered) {
    const what = named('tensor', name)
    if (begin + bytes > dataBytes)
      cursor.damaged(
        `${what} ends at byte ${begin + bytes}, but there are ${dataBytes} bytes of data (the file may be truncated)`,
      )
    if (begin < end) cursor.damaged(`${what} at byte ${begin} overlaps the previous tensor`)
    end = begin + bytes
  }
}

const MAGIC = 0x46554747 // "GGUF"
const DEFAULT_ALIGNMENT = 32
const MAX_ALIGNMENT = 2 ** 20
const MAX_DEPTH = 4
const MAX_RANK = 4
const LEAST_ENTRY = 8 + 4 + 1 // an empty key, a type, one byte
const LEAST_TENSOR = 8 + 4 + 4 + 8 // an empty name, a rank of 0, a type, an offset
