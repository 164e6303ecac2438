// Decompression of pages, by codec number.
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { ByteReader } from './byte-reader.ts'
import { Damage } from './damage.ts'
import { unpackHadoopLz4, unpackLz4 } from './lz4.ts'

/** Decompresses a page to exactly `length` bytes. */
export type Unpack = (packed: Uint8Array, length: number) => Uint8Array

/** Loads the decompressors of all codecs except LZO. */
export async function loadCodecs(): Promise<(codec: number) => Unpack> {
  const library = await import('hyparquet-compressors')
  const unpackers: readonly (Unpack | undefined)[] = [
    (packed) => packed,
    (packed, length) => {
      checkSize(new ByteReader(packed).varint(), length)
      return library.decompressSnappy(packed, length)
    },
    (packed, length) => gunzipSync(packed, { maxOutputLength: length }),
    undefined, // LZO
    (packed, length) => brotliDecompressSync(packed, { maxOutputLength: length }),
    unpackHadoopLz4,
    (packed, length) => unpackZstd(packed, length, library.decompressZstd),
    unpackLz4,
  ]
  return (codec) => {
    const unpack = unpackers[codec]
    if (unpack === undefined) throw new Damage(`the codec ${codec}, which is not supported`)
    return (packed, length) => {
      if (length > MOST_PAGE) throw new Damage(`a page of ${length} bytes`)
      if (length === 0) return new Uint8Array()
      const bytes = unpackedBy(unpack, packed, length)
      if (bytes.length === length) return new Uint8Array(bytes.buffer, bytes.byteOffset, length) // a Uint8Array, not a Buffer
      throw new Damage(`a page of ${bytes.length} bytes whose header states ${length}`)
    }
  }
}

function checkSize(size: number | bigint, length: number): void {
  if (BigInt(size) !== BigInt(length))
    throw new Damage(`a page of ${size} bytes whose header states ${length}`)
}

/**
 * Decompresses a Zstandard frame. The library is faster with an output array, but does not report bytes that it leaves
 * unfilled. A frame without its content size is decompressed without an output array, after a check that its blocks
 * cannot exhaust memory.
 */
function unpackZstd(packed: Uint8Array, length: number, library: Zstd): Uint8Array {
  const page = new ByteReader(packed)
  const size = sizeOfZstd(page)
  if (size === undefined) checkBlocks(page)
  else checkSize(size, length)
  return library(packed, size === undefined ? undefined : new Uint8Array(length))
}

type Zstd = (packed: Uint8Array, to?: Uint8Array) => Uint8Array

/** Content size in the header of a frame (RFC 8878, section 3.1.1.1); undefined if it is missing. */
function sizeOfZstd(page: ByteReader): bigint | undefined {
  page.take(4)
  const descriptor = page.byte()
  const [hasOneSegment, width] = [(descriptor & 32) > 0, descriptor >> 6]
  if (!hasOneSegment) page.byte() // window size
  page.take([0, 1, 2, 4][descriptor & 3]) // dictionary ID
  if (width === 0) return hasOneSegment ? BigInt(page.byte()) : undefined
  if (width === 1) return BigInt(page.byte() | (page.byte() << 8)) + 256n
  const low = BigInt(page.u32())
  return width === 2 ? low : low | (BigInt(page.u32()) << 32n)
}

/** Limits the total size of a frame's blocks (section 3.1.1.2). Each gives at most 128 KiB. */
function checkBlocks(page: ByteReader): void {
  let most = 0
  for (let isLast = false; !isLast; ) {
    const header = page.byte() | (page.byte() << 8) | (page.byte() << 16)
    isLast = (header & 1) === 1
    const [type, size] = [(header >> 1) & 3, header >> 3]
    page.take(type === RLE ? 1 : size)
    most += type === COMPRESSED ? 1 << 17 : size
    if (most > MOST_PAGE) throw new Damage(`a page of up to ${most} bytes`)
  }
}

const RLE = 1
const COMPRESSED = 2

/** Reports any error of a library as damage of the page. */
function unpackedBy(unpack: Unpack, packed: Uint8Array, length: number): Uint8Array {
  try {
    return unpack(packed, length)
  } catch {
    throw new Damage('a page that cannot be decompressed')
  }
}

const MOST_PAGE = 2 ** 28
