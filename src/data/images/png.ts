// Writes PNG files (ISO/IEC 15948) with the compression of Node, so that saving an image needs no further package.
import { deflateSync } from 'node:zlib'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { Crc32 } from '../../io/files/crc32.ts'
import { invalidOption } from '../../util/errors.ts'
import { checkImage, type Image } from './image.ts'

/**
 * Saves an image as a PNG file, which is replaced atomically.
 * @throws HeedError like `encodePng`, and if the file cannot be written
 */
export async function savePng(path: string, image: Image): Promise<void> {
  await writeFileAtomic(path, encodePng(image))
}

/**
 * Encodes an image of 1 to 4 channels (grey or RGB, with or without alpha) as a PNG file.
 * @throws HeedError for another number of channels
 */
export function encodePng(image: Image): Uint8Array {
  const { width, height, channels, data } = checkImage('encodePng', image)
  const colour = COLOURS[channels - 1]
  if (colour === undefined)
    throw invalidOption({
      owner: 'encodePng',
      key: 'channels',
      value: channels,
      expected: '1 to 4',
    })
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8 // bits per channel
  header[9] = colour
  const line = width * channels
  const lines = Buffer.alloc(height * (1 + line)) // each line begins with its filter, 0 for none
  for (let y = 0; y < height; y++)
    lines.set(data.subarray(y * line, (y + 1) * line), y * (1 + line) + 1)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Colour types for 1 to 4 channels: grey, RGB, and both with alpha. */
const COLOURS: readonly (number | undefined)[] = [0, 4, 2, 6]

/** A chunk: length of the data, type, data, checksum of type and data. */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  const crc = new Crc32()
  crc.update(body)
  sum.writeUInt32BE(crc.value)
  return Buffer.concat([length, body, sum])
}
