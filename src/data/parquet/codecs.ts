// How pages are packed, by the number of the codec.
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { Damage } from './damage.ts'

/** The bytes of a page, of which there must be `length`. */
export type Unpack = (packed: Uint8Array, length: number) => Uint8Array

/** What unpacks the pages of each codec but LZO. */
export async function loadCodecs(): Promise<(codec: number) => Unpack> {
  const library = await import('hyparquet-compressors')
  const unpackers: readonly (Unpack | undefined)[] = [
    (packed) => packed,
    library.decompressSnappy,
    (packed, length) => gunzipSync(packed, { maxOutputLength: length }),
    undefined, // LZO
    (packed, length) => brotliDecompressSync(packed, { maxOutputLength: length }),
    library.decompressLz4,
    (packed, length) => library.decompressZstd(packed, new Uint8Array(length)),
    library.decompressLz4Raw,
  ]
  return (codec) => {
    const unpack = unpackers[codec]
    if (unpack === undefined) throw new Damage(`the codec ${codec}, which cannot be unpacked`)
    return (packed, length) => {
      if (length > MOST_PAGE) throw new Damage(`a page of ${length} bytes`)
      if (length === 0) return new Uint8Array()
      const bytes = unpack(packed, length)
      if (bytes.length === length) return new Uint8Array(bytes.buffer, bytes.byteOffset, length) // no Buffer
      throw new Damage(`a page of ${bytes.length} bytes, where its header claims ${length}`)
    }
  }
}

const MOST_PAGE = 2 ** 28
