// Delta encodings: differences of integers, and common prefixes of strings.
import type { ByteReader } from './byte-reader.ts'
import { Damage } from './damage.ts'
import { Texts } from './texts.ts'

/** Reads integers in blocks of differences (DELTA_BINARY_PACKED). Each part of a block has its own bit width. */
export function readDeltaIntegers(reader: ByteReader, count: number): BigInt64Array {
  const blockSize = reader.count()
  const partCount = reader.count()
  const total = reader.count()
  const partSize = blockSize / partCount
  if (!(partCount >= 1 && partSize % 8 === 0 && blockSize <= MOST_BLOCK))
    throw new Damage(`blocks of ${blockSize} differences in ${partCount} parts`)
  if (total !== count) throw new Damage(`${total} differences for ${count} values`)
  const out = new BigInt64Array(count)
  let value = reader.zigzag()
  if (count > 0) out[0] = value
  for (let done = 1; done < count; ) {
    const least = reader.zigzag()
    const widths = reader.take(partCount)
    for (const width of widths) {
      if (done >= count) break
      if (width > 64) throw new Damage(`differences of ${width} bits`)
      const packed = reader.take((partSize / 8) * width, 'differences')
      for (let i = 0; i < partSize && done < count; i++) {
        value = BigInt.asIntN(64, value + least + bitsAt(packed, i * width, width))
        out[done++] = value
      }
    }
  }
  return out
}

/** Reads all lengths, then all strings (DELTA_LENGTH_BYTE_ARRAY). */
export function readDeltaLengthBytes(reader: ByteReader, count: number): Texts {
  const lengths = readDeltaIntegers(reader, count)
  return Texts.read(reader, count, (i) => Number(lengths[i]))
}

/** Reads the lengths of the prefixes shared with the previous string, then all suffixes (DELTA_BYTE_ARRAY). */
export function readDeltaBytes(reader: ByteReader, count: number): Texts {
  const common = readDeltaIntegers(reader, count)
  const rests = readDeltaLengthBytes(reader, count)
  const ends = new Uint32Array(count)
  for (let i = 0, before = 0, end = 0; i < count; i++) {
    const length = Number(common[i])
    if (!(length >= 0 && length <= before))
      throw new Damage(`a prefix of ${length} bytes after a string of ${before} bytes`)
    before = length + rests.at(i).length
    end += before
    if (end > MOST_BYTES) throw new Damage(`a page with strings of ${end} bytes or more`)
    ends[i] = end
  }
  const starts = Uint32Array.from(ends, (_, i) => (i === 0 ? 0 : ends[i - 1]))
  const bytes = new Uint8Array(ends.at(-1) ?? 0)
  for (let i = 0; i < count; i++) {
    const length = Number(common[i])
    if (i > 0) bytes.copyWithin(starts[i], starts[i - 1], starts[i - 1] + length)
    bytes.set(rests.at(i), starts[i] + length)
  }
  return new Texts(bytes, starts, ends)
}

function bitsAt(bytes: Uint8Array, bit: number, width: number): bigint {
  if (width === 0) return 0n
  let value = 0n
  const first = Math.floor(bit / 8)
  const last = Math.floor((bit + width - 1) / 8)
  for (let at = last; at >= first; at--) value = (value << 8n) | BigInt(bytes[at])
  return BigInt.asUintN(width, value >> BigInt(bit % 8))
}

const MOST_BLOCK = 1 << 20
const MOST_BYTES = 2 ** 29
