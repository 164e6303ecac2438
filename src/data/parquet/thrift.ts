// Thrift's compact protocol, the encoding of Parquet's headers. Each length is checked against the remaining bytes.
import { Damage } from './damage.ts'

type ThriftValue = boolean | number | Uint8Array | ThriftValue[] | Struct

/** The fields of a struct by number. Accessors throw Damage if a field has another type. */
export class Struct {
  private readonly fields: ReadonlyMap<number, ThriftValue>

  constructor(fields: ReadonlyMap<number, ThriftValue>) {
    this.fields = fields
  }

  /** A safe integer >= `least`. */
  int(id: number, what: string, least = 0): number {
    const value = this.optionalInt(id, what)
    if (value !== undefined && value >= least) return value
    throw new Damage(`${what} is ${value ?? 'missing'}`)
  }

  optionalInt(id: number, what: string): number | undefined {
    const value = this.fields.get(id)
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value)))
      return value
    throw new Damage(`${what} is not an integer`)
  }

  flag(id: number, absent: boolean): boolean {
    const value = this.fields.get(id)
    return typeof value === 'boolean' ? value : absent
  }

  text(id: number, what: string): string {
    const value = this.fields.get(id)
    if (value instanceof Uint8Array) return new TextDecoder().decode(value)
    throw new Damage(`${what} is missing`)
  }

  has(id: number): boolean {
    return this.fields.has(id)
  }

  struct(id: number, what: string): Struct {
    const value = this.fields.get(id)
    if (value instanceof Struct) return value
    throw new Damage(`${what} is missing`)
  }

  /** The struct, or an empty one if it is missing. */
  optionalStruct(id: number): Struct {
    const value = this.fields.get(id)
    return value instanceof Struct ? value : new Struct(new Map())
  }

  structs(id: number, what: string): Struct[] {
    return this.list(id, what).map((item) => {
      if (item instanceof Struct) return item
      throw new Damage(`${what} has an item that is not a struct`)
    })
  }

  texts(id: number, what: string): string[] {
    return this.list(id, what).map((item) => {
      if (item instanceof Uint8Array) return new TextDecoder().decode(item)
      throw new Damage(`${what} has an item that is not text`)
    })
  }

  private list(id: number, what: string): ThriftValue[] {
    const value = this.fields.get(id)
    if (Array.isArray(value)) return value
    throw new Damage(`${what} is missing`)
  }
}

/** Reads values sequentially. */
export class ThriftReader {
  at: number
  private readonly bytes: Uint8Array
  private depth = 0

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  struct(): Struct {
    this.enter()
    const fields = new Map<number, ThriftValue>()
    for (let id = 0; ; ) {
      const byte = this.byte()
      const type = byte & 15
      if (type === STOP) break
      id = byte >> 4 ? id + (byte >> 4) : this.zigzag()
      fields.set(id, type <= FALSE ? type === TRUE : this.value(type))
    }
    this.depth--
    return new Struct(fields)
  }

  private value(type: number): ThriftValue {
    switch (type) {
      case TRUE:
      case FALSE: // in a list, where booleans have bytes of their own
        return this.byte() === 1
      case BYTE:
        return (this.byte() << 24) >> 24
      case I16:
      case I32:
      case I64:
        return this.zigzag()
      case DOUBLE:
        this.take(8)
        return 0 // only statistics have doubles, and they are not used
      case BINARY:
        return this.take(this.varint())
      case LIST:
      case SET:
        return this.list()
      case STRUCT:
        return this.struct()
      default:
        throw new Damage(`a header has the unknown type ${type}`)
    }
  }

  private list(): ThriftValue[] {
    const byte = this.byte()
    const count = byte >> 4 === 15 ? this.varint() : byte >> 4
    const room = this.bytes.length - this.at
    if (count > room) throw new Damage(`a list of ${count} items has ${room} bytes`)
    this.enter()
    const items: ThriftValue[] = []
    for (let i = 0; i < count; i++) items.push(this.value(byte & 15))
    this.depth--
    return items
  }

  /** Enters a struct or a list. */
  private enter(): void {
    if (++this.depth > MOST_DEPTH) throw new Damage(`a header is nested ${MOST_DEPTH} levels deep`)
  }

  private zigzag(): number {
    const value = this.unsigned()
    return Number((value >> 1n) ^ -(value & 1n))
  }

  private varint(): number {
    return Number(this.unsigned())
  }

  private unsigned(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
    throw new Damage('an integer has more than 10 bytes')
  }

  private byte(): number {
    if (this.at >= this.bytes.length) throw new Damage('a header ends early')
    return this.bytes[this.at++]
  }

  private take(length: number): Uint8Array {
    const room = this.bytes.length - this.at
    if (length > room) throw new Damage(`a header states ${length} bytes where ${room} remain`)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

const [STOP, TRUE, FALSE, BYTE, I16, I32, I64] = [0, 1, 2, 3, 4, 5, 6]
const [DOUBLE, BINARY, LIST, SET, STRUCT] = [7, 8, 9, 10, 12]
const MOST_DEPTH = 32
