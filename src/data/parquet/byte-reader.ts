import { Damage } from './damage.ts'

/** Reads a page sequentially with bounds checks. */
export class ByteReader {
  at = 0
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Skips `length` bytes and returns their position. */
  skip(length: number, what = 'values'): number {
    const room = this.bytes.length - this.at
    if (!(length >= 0 && length <= room))
      throw new Damage(`${what} of ${length} bytes where ${room} remain in a page`)
    this.at += length
    return this.at - length
  }

  take(length: number, what?: string): Uint8Array {
    const start = this.skip(length, what)
    return this.bytes.subarray(start, start + length)
  }

  byte(): number {
    return this.bytes[this.skip(1)]
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true)
  }

  /** Reads an integer of 7 bits per byte, at most 10 bytes. */
  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    throw new Damage('an integer of more than 10 bytes')
  }

  /** Reads a count or a length. */
  count(): number {
    return Number(this.varint())
  }

  zigzag(): bigint {
    const value = this.varint()
    return (value >> 1n) ^ -(value & 1n)
  }
}
