import { HeedError } from '../../util/errors.ts'
import { formatBytes, quote } from '../files/file-error.ts'
import { LEAST_BYTES, VALUE_TYPES, type ValueType } from './types.ts'

/** The header is longer than the given bytes: read more of the file and start over. */
export class NeedMoreBytes extends Error {}

/** Reads the little-endian values of a GGUF header, and checks each length before it is used. */
export class Cursor {
  at = 0
  private readonly bytes: Buffer
  private readonly view: DataView
  private readonly fileSize: number
  private readonly path: string

  constructor(bytes: Uint8Array, fileSize: number, path: string) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.fileSize = fileSize
    this.path = path
  }

  u32(what: string): number {
    return this.view.getUint32(this.take(4, what), true)
  }

  /** Reads a count, a length or an offset. */
  u64(what: string): number {
    const value = this.view.getBigUint64(this.take(8, what), true)
    if (value <= Number.MAX_SAFE_INTEGER) return Number(value)
    return this.damaged(`${what} is ${value}, larger than any file`)
  }

  /** Reads a count of items of at least `least` bytes each, which must fit in the rest of the file. */
  count(least: number, what: string): number {
    const value = this.u64(what)
    const room = this.fileSize - this.at
    if (value * least <= room) return value
    return this.damaged(`${what} is ${value}, but only ${formatBytes(room)} remain`)
  }

  text(what: string, { strict = false } = {}): string {
    const length = this.count(1, `the length of ${what}`)
    const start = this.take(length, what)
    if (!strict) return this.bytes.toString('utf8', start, start + length) // tokens may be incomplete characters
    try {
      return STRICT.decode(this.bytes.subarray(start, start + length))
    } catch {
      return this.damaged(`${what} is not UTF-8 text`)
    }
  }

  valueType(what: string): ValueType {
    const id = this.u32(what)
    return VALUE_TYPES[id] ?? this.damaged(`${what} has the unknown type ${id}`)
  }

  scalar(type: Exclude<ValueType, 'array'>, what: string): number | bigint | boolean | string {
    if (type === 'string') return this.text(what)
    const at = this.take(LEAST_BYTES[type], what)
    if (type !== 'bool') return this.number(type, at)
    if (this.bytes[at] > 1) this.damaged(`${what} is a boolean with the value ${this.bytes[at]}`)
    return this.bytes[at] === 1
  }

  damaged(problem: string): never {
    throw new HeedError('corrupt-file', `${this.path} must be a valid GGUF file, but ${problem}`, {
      value: this.path,
      remedy: 'Download or save it again.',
    })
  }

  private number(type: Exclude<ValueType, 'array' | 'bool' | 'string'>, at: number) {
    const { view } = this
    switch (type) {
      case 'u8':
        return view.getUint8(at)
      case 'i8':
        return view.getInt8(at)
      case 'u16':
        return view.getUint16(at, true)
      case 'i16':
        return view.getInt16(at, true)
      case 'u32':
        return view.getUint32(at, true)
      case 'i32':
        return view.getInt32(at, true)
      case 'f32':
        return view.getFloat32(at, true)
      case 'f64':
        return view.getFloat64(at, true)
      case 'u64':
        return narrow(view.getBigUint64(at, true))
      case 'i64':
        return narrow(view.getBigInt64(at, true))
    }
  }

  /** Skips the next bytes and returns their position. */
  private take(length: number, what: string): number {
    const start = this.at
    const end = start + length
    if (end > this.fileSize) this.damaged(`it ends within ${what} (the file may be truncated)`)
    if (end > MAX_HEADER)
      this.damaged(`its header is larger than ${formatBytes(MAX_HEADER)}, at ${what}`)
    if (end > this.bytes.length) throw new NeedMoreBytes()
    this.at = end
    return start
  }
}

/** Formats a key or a name for error messages. */
export const named = (kind: string, name: string): string => `${kind} ${quote(name)}`

const MAX_HEADER = 256e6 // vocabularies of 2^18 tokens take about 10 MB
const STRICT = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

const narrow = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
