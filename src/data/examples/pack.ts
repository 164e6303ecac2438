// Binary encoding of examples: a tag, then the value. Lists of integers, the bulk of an example, take one, two or four
// bytes per number.
import { HeedError, shown } from '../../util/errors.ts'
import { checkPacked, type PackedExamples } from './examples.ts'

const TAGS = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** f64, little-endian like all numbers here. */
  number: 4,
  /** Number of bytes as a varint, then UTF-8. */
  text: 5,
  /** The same in UTF-16, for text with lone surrogates, which UTF-8 cannot represent. */
  brokenText: 6,
  /** Count as a varint, then the values. */
  list: 7,
  /** Count as a varint, then for each entry its name without a tag and its value. */
  record: 8,
  /** Count as a varint, then numbers of one width. */
  u8: 9,
  u16: 10,
  i32: 11,
} as const

/** Encodes JSON values and `undefined` into a buffer. */
export class Packer {
  private bytes = Buffer.alloc(1 << 16)
  private filled = 0

  /** Bytes in the buffer. */
  get length(): number {
    return this.filled
  }

  /** Returns a copy of the bytes and empties the buffer. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.bytes.subarray(0, this.filled))
    this.filled = 0
    return taken
  }

  /** @throws HeedError for a value that is not JSON, or is nested more than 32 levels deep */
  add(value: unknown): void {
    this.addValue(value, 0)
  }

  private addValue(value: unknown, depth: number): void {
    if (depth > DEEPEST)
      throw wrongValue('lists and objects nested at most 32 levels deep, got more')
    if (typeof value === 'string') this.addText(value)
    else if (typeof value === 'number') {
      this.addByte(TAGS.number)
      this.filled = this.roomFor(8).writeDoubleLE(value, this.filled)
    } else if (value === undefined || value === null || typeof value === 'boolean')
      this.addByte(TAGS[`${value}`])
    else if (Array.isArray(value)) this.addList(value, depth + 1)
    else if (isRecord(value)) this.addRecord(value, depth + 1)
    else throw wrongValue(`JSON values, got ${shown(value)}`)
  }

  private addText(text: string): void {
    if (HALF_A_PAIR.test(text)) {
      this.addByte(TAGS.brokenText)
      this.addString(text, 'utf16le')
      return
    }
    this.addByte(TAGS.text)
    this.addString(text, 'utf8')
  }

  private addString(text: string, encoding: 'utf8' | 'utf16le'): void {
    const size = Buffer.byteLength(text, encoding)
    this.addCount(size)
    this.filled += this.roomFor(size).write(text, this.filled, encoding)
  }

  private addList(list: readonly unknown[], depth: number): void {
    const width = widthOf(list)
    this.addByte(width ?? TAGS.list)
    this.addCount(list.length)
    if (width === undefined) for (const value of list) this.addValue(value, depth)
    else this.addNumbers(list as readonly number[], width)
  }

  private addNumbers(list: readonly number[], width: Width): void {
    const size = SIZES[width]
    const bytes = this.roomFor(list.length * size)
    for (const number of list)
      if (size === 1) bytes[this.filled++] = number
      else if (size === 2) this.filled = bytes.writeUInt16LE(number, this.filled)
      else this.filled = bytes.writeInt32LE(number, this.filled)
  }

  private addRecord(record: Record<string, unknown>, depth: number): void {
    const entries = Object.entries(record)
    this.addByte(TAGS.record)
    this.addCount(entries.length)
    for (const [name, value] of entries) {
      this.addString(name, 'utf8')
      this.addValue(value, depth)
    }
  }

  private addCount(count: number): void {
    let rest = count
    for (; rest > 127; rest = Math.floor(rest / 128)) this.addByte((rest % 128) + 128)
    this.addByte(rest)
  }

  private addByte(byte: number): void {
    this.roomFor(1)[this.filled++] = byte
  }

  private roomFor(more: number): Buffer {
    const needed = this.filled + more
    if (needed > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.bytes.length))
      larger.set(this.bytes.subarray(0, this.filled))
      this.bytes = larger
    }
    return this.bytes
  }
}

/**
 * Decodes one value.
 * @throws HeedError for bytes that `Packer` did not write
 */
export function unpack(bytes: Uint8Array): unknown {
  const reader = new Unpacker(bytes)
  const value = reader.value(0)
  reader.finish()
  return value
}

/** Decodes packed examples one after the other. */
export function* unpackAll(packed: PackedExamples): Generator<unknown> {
  checkPacked(packed)
  const { bytes, sizes } = packed
  let start = 0
  for (const size of sizes) yield unpack(bytes.subarray(start, (start += size)))
}

type Width = (typeof TAGS)['u8' | 'u16' | 'i32']

const SIZES = { [TAGS.u8]: 1, [TAGS.u16]: 2, [TAGS.i32]: 4 } as const
const HALF_A_PAIR = /\p{Surrogate}/u
const DEEPEST = 32

/** The narrowest type for a list of integers; undefined for empty and other lists. */
function widthOf(list: readonly unknown[]): Width | undefined {
  let least = 0
  let most = 0
  for (const value of list) {
    if (typeof value !== 'number' || (value | 0) !== value || Object.is(value, -0)) return undefined
    if (value < least) least = value
    else if (value > most) most = value
  }
  if (list.length === 0) return undefined
  if (least < 0 || most > 0xffff) return TAGS.i32
  return most > 0xff ? TAGS.u16 : TAGS.u8
}

function isRecord(value: unknown): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(Object(value))
  return typeof value === 'object' && (prototype === Object.prototype || prototype === null)
}

class Unpacker {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  value(depth: number): unknown {
    if (depth > DEEPEST) throw damaged()
    const tag = this.bytes[this.advance(1)]
    if (tag === TAGS.text) return this.string('utf8')
    if (tag === TAGS.brokenText) return this.string('utf16le')
    if (tag === TAGS.u8 || tag === TAGS.u16 || tag === TAGS.i32) return this.numbers(tag)
    if (tag === TAGS.number) return this.bytes.readDoubleLE(this.advance(8))
    if (tag === TAGS.list) return Array.from({ length: this.count(1) }, () => this.value(depth + 1))
    if (tag === TAGS.record) return this.record(depth)
    if (tag === TAGS.true || tag === TAGS.false) return tag === TAGS.true
    if (tag === TAGS.null) return null
    if (tag === TAGS.undefined) return undefined
    throw damaged()
  }

  finish(): void {
    if (this.at !== this.bytes.length) throw damaged()
  }

  private record(depth: number): Record<string, unknown> {
    const record: Record<string, unknown> = {}
    for (let left = this.count(2); left > 0; left--) {
      const name = this.string('utf8')
      if (name === '__proto__') throw damaged()
      record[name] = this.value(depth + 1)
    }
    return record
  }

  private string(encoding: 'utf8' | 'utf16le'): string {
    const size = this.count(1)
    const start = this.advance(size)
    return this.bytes.toString(encoding, start, start + size)
  }

  private numbers(width: Width): number[] {
    const size = SIZES[width]
    const list = new Array<number>(this.count(size))
    const start = this.advance(list.length * size)
    const { bytes } = this
    for (let i = 0; i < list.length; i++)
      if (size === 1) list[i] = bytes[start + i]
      else if (size === 2) list[i] = bytes[start + 2 * i] | (bytes[start + 2 * i + 1] << 8)
      else list[i] = bytes.readInt32LE(start + 4 * i)
    return list
  }

  /** Reads a count of items of at least `size` bytes each. Throws if the remaining bytes cannot hold them. */
  private count(size: number): number {
    let count = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.advance(1)]
      count += (byte % 128) * scale
      if (count * size > this.bytes.length) throw damaged()
      if (byte < 128) return count
    }
  }

  /** Advances by `count` bytes and returns their start. */
  private advance(count: number): number {
    const start = this.at
    this.at += count
    if (this.at > this.bytes.length) throw damaged()
    return start
  }
}

const wrongValue = (expected: string): HeedError =>
  new HeedError('invalid-data', `An example must hold ${expected}`, {
    remedy: 'Encode rows as numbers, strings, and lists or plain objects of them.',
  })

const damaged = (): HeedError =>
  new HeedError('corrupt-file', 'An example in the cache is damaged', {
    remedy: 'Delete the cache folder (HEED_CACHE) and run again.',
  })
