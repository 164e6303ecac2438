// Decodes the run-length/bit-packing hybrid, in which Parquet stores levels, indices and booleans.
import type { ByteReader } from './byte-reader.ts'
import { Damage } from './damage.ts'

/** Fills `out` with integers of `width` bits. @throws Damage if bytes are missing or a run is too long */
export function readRuns(reader: ByteReader, width: number, out: Uint8Array | Uint32Array): void {
  if (width > 32) throw new Damage(`integers of ${width} bits`)
  if (width === 0) return // all values are 0
  for (let done = 0; done < out.length; ) {
    const header = reader.count()
    const rest = out.subarray(done)
    done +=
      header % 2 === 1
        ? readPacked(reader, (header - 1) / 2, width, rest)
        : readRepeated(reader, header / 2, width, rest)
  }
}

function readRepeated(
  reader: ByteReader,
  count: number,
  width: number,
  out: Uint8Array | Uint32Array,
): number {
  const bytes = reader.take(Math.ceil(width / 8))
  if (count > out.length) throw new Damage(`a run of ${count} values where ${out.length} remain`)
  out.fill(
    bytes.reduce((sum, byte, i) => sum + byte * 256 ** i, 0),
    0,
    count,
  )
  return count
}

/** Reads groups of eight values. The last group may be padded and truncated. */
function readPacked(
  reader: ByteReader,
  groups: number,
  width: number,
  out: Uint8Array | Uint32Array,
): number {
  const count = Math.min(8 * groups, out.length)
  const needed = Math.ceil((count * width) / 8)
  const room = reader.bytes.length - reader.at
  const packed = reader.take(Math.max(needed, Math.min(groups * width, room)))
  unpackBits(packed, width, out.subarray(0, count))
  return count
}

/** Unpacks integers of `width` bits (at most 32), the first in the lowest bits. `bytes` must be long enough. */
function unpackBits(bytes: Uint8Array, width: number, out: Uint8Array | Uint32Array): void {
  const modulus = 2 ** width
  for (let i = 0, bit = 0; i < out.length; i++, bit += width) {
    const shift = bit % 8
    let value = 0
    for (let at = (bit - shift) / 8, scale = 1; scale < modulus * 2 ** shift; at++, scale *= 256)
      value += bytes[at] * scale
    out[i] = Math.floor(value / 2 ** shift) % modulus
  }
}
