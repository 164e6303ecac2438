// Files of images through sharp (libvips), which is a package of its own: 20 MB that texts do not need.
import { extname } from 'node:path'
import type Sharp from 'sharp'
import { openForReading, readFully } from '../../io/files/open-file.ts'
import { HeedError } from '../../util/errors.ts'
import { checkImage, type Image, type ImageSource } from './image.ts'

/** The endings of files that hold images. */
export const IMAGE_ENDINGS: ReadonlySet<string> = new Set(
  '.jpg .jpeg .png .webp .gif .avif .tif .tiff'.split(' '),
)

/** Whether a path is called as images are. */
export const isImageFile = (path: string): boolean => IMAGE_ENDINGS.has(extname(path).toLowerCase())

const MAX_BYTES = 512e6
const MAX_PIXELS = 2 ** 27 // of a decoded image: half a gigabyte

/**
 * The pixels of a file, upright as its EXIF tells, in one, two, three or four bytes each (grey or
 * red, green, blue; each with alpha or without).
 * @throws HeedError that names a file which is missing, broken or no image, and when sharp is not installed
 */
export async function readImage(file: string): Promise<Image> {
  return decodeImage(await readBytes(file), file)
}

/** The pixels in the bytes of a file; `name` is for errors. */
async function decodeImage(bytes: Uint8Array, name: string): Promise<Image> {
  const sharp = await loadSharp()
  try {
    const options = { limitInputPixels: MAX_PIXELS, failOn: 'error' } as const
    const { data, info } = await sharp(bytes, options)
      .autoOrient()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const { width, height, channels } = info
    return checkImage({ width, height, channels, data: new Uint8Array(data) })
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new HeedError('invalid-data', `cannot read the image ${name}: ${reason}`, {
      cause: error,
      remedy: `It may be cut short, or no image. Known: ${[...IMAGE_ENDINGS].join(' ')}.`,
    })
  }
}

/** The pixels of a row's image. */
export async function openImage(source: ImageSource): Promise<Image> {
  if ('file' in source) return readImage(source.file)
  return 'bytes' in source ? decodeImage(source.bytes, 'in this row') : checkImage(source)
}

async function loadSharp(): Promise<typeof Sharp> {
  try {
    return (await import('sharp')).default
  } catch (error) {
    throw new HeedError(
      'invalid-data',
      'Image files are read by the package sharp, which is not installed',
      {
        cause: error,
        remedy: 'npm install sharp',
      },
    )
  }
}

async function readBytes(file: string): Promise<Uint8Array> {
  const { handle, size } = await openForReading(file)
  try {
    if (size > MAX_BYTES)
      throw new HeedError('invalid-data', `cannot read the image ${file}: it has ${size} bytes`, {
        remedy: `At most ${MAX_BYTES} are read.`,
      })
    const bytes = new Uint8Array(size)
    if (await readFully(handle, bytes, 0)) return bytes
    throw new HeedError(
      'invalid-data',
      `cannot read the image ${file}: it became shorter meanwhile`,
    )
  } finally {
    await handle.close()
  }
}
