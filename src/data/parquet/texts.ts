import type { ByteReader } from './byte-reader.ts'
import { Damage } from './damage.ts'

/** Strings in the bytes of a page. They are sliced on access, because an object for each would take far more memory. */
export class Texts {
  readonly length: number
  private readonly bytes: Uint8Array
  private readonly starts: Uint32Array
  private readonly ends: Uint32Array

  constructor(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array) {
    this.length = starts.length
    this.bytes = bytes
    this.starts = starts
    this.ends = ends
  }

  at(index: number): Uint8Array {
    return this.bytes.subarray(this.starts[index], this.ends[index])
  }

  /** Reads strings that are preceded by their lengths. */
  static withLengths(reader: ByteReader, count: number): Texts {
    const room = reader.bytes.length - reader.at
    if (4 * count > room) throw new Damage(`${count} strings in ${room} bytes`)
    return Texts.read(reader, count, () => reader.u32())
  }

  /** Reads strings of one length. */
  static ofLength(reader: ByteReader, length: number, count: number): Texts {
    const room = reader.bytes.length - reader.at
    if (length < 1 || length * count > room)
      throw new Damage(`${count} values of ${length} bytes in ${room} bytes`)
    return Texts.read(reader, count, () => length)
  }

  /** Reads `count` strings with the lengths that `lengthOf` returns. */
  static read(reader: ByteReader, count: number, lengthOf: (index: number) => number): Texts {
    const [starts, ends] = [new Uint32Array(count), new Uint32Array(count)]
    for (let i = 0; i < count; i++) {
      const length = lengthOf(i)
      starts[i] = reader.skip(length, 'a string')
      ends[i] = reader.at
    }
    return new Texts(reader.bytes, starts, ends)
  }
}
