import { Damage } from './damage.ts'

/** Reads the values of a page one after the other, and checks that their bytes are there. */
export class ByteReader {
  at = 0
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** The position of the next `length` bytes, which are skipped. */
  skip(length: number, what = 'values'): number {
    const room = this.bytes.length - this.at
    if (!(length >= 0 && length <= room))
      throw new Damage(`${what} of ${length} bytes in the ${room} that are left of a page`)
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

  /** An integer of 7 bits a byte, of at most 10 bytes. */
  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    throw new Damage('an integer of more than 10 bytes')
  }

  /** The same for a count or a length. */
  count(): number {
    return Number(this.varint())
  }

  zigzag(): bigint {
    const value = this.varint()
    return (value >> 1n) ^ -(value & 1n)
  }
}
