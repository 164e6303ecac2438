// Decompresses LZ4 blocks (specification: lz4_Block_format.md). The library for the other codecs pads a truncated page
// with zeros; this decoder throws.
import { Damage } from './damage.ts'

/** Decompresses a block without a frame (`LZ4_RAW`). */
export function unpackLz4(packed: Uint8Array, length: number): Uint8Array {
  const to = new Uint8Array(length)
  unpackBlock(packed, to)
  return to
}

/** Decompresses Hadoop's frames: each block is preceded by both of its sizes, four bytes each. Or a block alone. */
export function unpackHadoopLz4(packed: Uint8Array, length: number): Uint8Array {
  const frames = framesOf(packed, length)
  if (frames === null) return unpackLz4(packed, length)
  const to = new Uint8Array(length)
  let end = 0
  for (const { block, size } of frames) unpackBlock(block, to.subarray(end, (end += size)))
  return to
}

interface Frame {
  block: Uint8Array
  /** Number of bytes after decompression. */
  size: number
}

/** Null if the bytes are not a sequence of frames that gives `length` bytes in total. */
function framesOf(packed: Uint8Array, length: number): Frame[] | null {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const frames: Frame[] = []
  let total = 0
  for (let at = 0; at < packed.length; ) {
    if (packed.length - at < 8) return null
    const [size, packedSize] = [view.getUint32(at), view.getUint32(at + 4)]
    at += 8
    if (packedSize > packed.length - at) return null
    frames.push({ block: packed.subarray(at, at + packedSize), size })
    total += size
    at += packedSize
  }
  return total === length ? frames : null
}

/** Decompresses a block into `to`, which must have the exact size. */
function unpackBlock(packed: Uint8Array, to: Uint8Array): void {
  let at = 0
  let end = 0 // of the output so far
  const byte = (): number => {
    if (at >= packed.length) throw new Damage('an LZ4 block that ends too early')
    return packed[at++]
  }
  const count = (bits: number): number => {
    if (bits < 15) return bits
    let total = bits
    for (let more = 255; more === 255; total += more) more = byte()
    return total
  }
  const check = (fits: boolean): void => {
    if (!fits) throw new Damage('an LZ4 block with impossible lengths')
  }
  while (at < packed.length) {
    const token = byte()
    const literals = count(token >> 4)
    check(literals <= packed.length - at && literals <= to.length - end)
    to.set(packed.subarray(at, at + literals), end)
    at += literals
    end += literals
    if (at === packed.length) break // the last sequence has only literals
    const distance = byte() | (byte() << 8)
    const copied = 4 + count(token & 15)
    check(distance > 0 && distance <= end && copied <= to.length - end)
    if (distance >= copied) to.copyWithin(end, end - distance, end - distance + copied)
    else for (let i = end; i < end + copied; i++) to[i] = to[i - distance]
    end += copied
  }
  check(end === to.length)
}
