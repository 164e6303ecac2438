import { HeedError } from '../../util/errors.ts'
import { formatBytes, quote } from '../files/file-error.ts'
import { decodeUtf8, isJsonObject, type JsonValue, parseJson } from '../files/json.ts'
import { bitsOf, type KnownDType, knownDType } from './stored-dtype.ts'

// File layout: 8 bytes with the length of the header (little-endian), the header (JSON: name -> dtype, shape,
// [begin, end) from the end of the header), then the data without gaps.

/** A tensor in a file, without its values. */
export interface TensorInfo {
  /** Name of the tensor. */
  readonly name: string
  /** Data type in the file. */
  readonly dtype: KnownDType
  /** Size of each axis. */
  readonly shape: readonly number[]
  /** Size in the file in bytes. */
  readonly bytes: number
}

export interface TensorEntry extends TensorInfo {
  /** Offset of the first byte from the end of the header. */
  readonly begin: number
  /** Strides in elements; undefined if the tensor is contiguous. */
  readonly strides?: readonly number[]
  /** The range with a checksum that contains the elements. */
  readonly checked?: { readonly begin: number; readonly bytes: number; readonly crc: number }
}

export interface Header {
  readonly entries: ReadonlyMap<string, TensorEntry>
  readonly metadata: Readonly<Record<string, string>>
}

const MAX_HEADER_BYTES = 100e6 // the limit of the reference implementation
const PREFIX_BYTES = 8

/** Reads and checks the length of the header, before any allocation of that size. */
export function headerLength(prefix: Uint8Array, fileSize: number, path: string): number {
  const claimed = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true)
  const length = Number(claimed)
  if (length > MAX_HEADER_BYTES) {
    damaged(
      path,
      `its header states ${claimed} bytes, the limit is ${formatBytes(MAX_HEADER_BYTES)}`,
    )
  }
  if (PREFIX_BYTES + length > fileSize) {
    damaged(path, `its header states ${length} bytes in a file of ${fileSize}`)
  }
  return length
}

/** Parses and validates a header. `dataBytes` is the size of the data after it. */
export function parseHeader(bytes: Uint8Array, dataBytes: number, path: string): Header {
  const source = `the header of ${path}`
  const json = parseJson(decodeUtf8(bytes, source), source, { strict: true })
  if (!isJsonObject(json)) return damaged(path, 'its header is not a JSON object')
  const { __metadata__: metadata, ...tensors } = json
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(name, value, path))
  entries.sort((a, b) => a.begin - b.begin || a.bytes - b.bytes)
  checkLayout(entries, dataBytes, path)
  return {
    entries: new Map(entries.map((e) => [e.name, e])),
    metadata: parseMetadata(metadata, path),
  }
}

function parseMetadata(json: JsonValue | undefined, path: string): Record<string, string> {
  if (json === undefined || json === null) return {}
  if (!isJsonObject(json)) return damaged(path, '__metadata__ is not a JSON object')
  const entries = Object.entries(json).map(([key, value]): [string, string] => {
    if (typeof value === 'string') return [key, value]
    return damaged(path, `__metadata__ ${quote(key)} is not a string`)
  })
  return Object.fromEntries(entries)
}

function parseEntry(name: string, json: JsonValue, path: string): TensorEntry {
  const fail = (problem: string) => damaged(path, `tensor ${quote(name)}: ${problem}`)
  if (!isJsonObject(json)) return fail('its entry is not a JSON object')
  const dtype = typeof json.dtype === 'string' ? knownDType(json.dtype) : undefined
  if (dtype === undefined) return fail(`unknown dtype ${brief(json.dtype)}`)
  const { shape, data_offsets: offsets } = json
  if (!isIndexList(shape)) return fail(`shape ${brief(shape)} is not a list of integers >= 0`)
  if (!isIndexList(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail(`data_offsets ${brief(offsets)} is not [begin, end]`)
  }
  const bytes = offsets[1] - offsets[0]
  const needed = shape.reduce((product, size) => product * size, bitsOf(dtype)) / 8
  if (needed !== bytes || !Number.isSafeInteger(needed)) {
    fail(`shape [${shape}] of ${json.dtype} needs ${needed} bytes, its data_offsets give ${bytes}`)
  }
  return { name, dtype, shape, bytes, begin: offsets[0] }
}

// Gaps are rejected like overlaps, because they could hide data from inspection.
function checkLayout(entries: TensorEntry[], dataBytes: number, path: string): void {
  let end = 0
  for (const { name, begin, bytes } of entries) {
    if (begin + bytes > dataBytes) {
      const problem = `tensor ${quote(name)} ends at byte ${begin + bytes}, but there are ${dataBytes}`
      damaged(path, `${problem} bytes of data (the file may be truncated)`)
    }
    if (begin !== end) {
      const problem =
        begin < end ? 'overlaps the previous tensor' : `leaves a gap of ${begin - end} bytes`
      damaged(path, `tensor ${quote(name)} at byte ${begin} ${problem}`)
    }
    end = begin + bytes
  }
  if (end !== dataBytes)
    damaged(path, `${dataBytes - end} bytes after the last tensor belong to no tensor`)
}

function isIndexList(json: JsonValue | undefined): json is number[] {
  return (
    Array.isArray(json) &&
    json.every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0)
  )
}

function brief(json: JsonValue | undefined): string {
  const text = json === undefined ? 'missing' : JSON.stringify(json)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function damaged(path: string, problem: string): never {
  throw new HeedError('corrupt-file', `${path} must be a valid safetensors file, but ${problem}`, {
    value: path,
    remedy: 'Download or save it again.',
  })
}
