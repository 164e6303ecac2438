// Small pictures in the page.
import { deflateSync } from 'node:zlib'
import { Crc32 } from '../../io/files/crc32.ts'

/** The number of channels of each colour type: grey, RGB, RGBA. */
const COLOR_TYPES: Readonly<Record<number, number>> = { 1: 0, 3: 2, 4: 6 }

/** Encodes pixels (rows, then columns, then 1, 3 or 4 channels) as a data URL of a PNG file (ISO 15948). */
export function pngUrl(
  width: number,
  height: number,
  channels: number,
  pixels: Uint8Array,
): string {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, COLOR_TYPES[channels], 0, 0, 0], 8)
  const stride = width * channels
  const rows = Buffer.alloc(height * (stride + 1)) // each row starts with its filter: none
  for (let y = 0; y < height; y++)
    rows.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1)
  const file = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
  return `data:image/png;base64,${file.toString('base64')}`
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  const crc = new Crc32()
  crc.update(body)
  sum.writeUInt32BE(crc.value)
  return Buffer.concat([length, body, sum])
}
