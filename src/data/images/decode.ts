// Image files are decoded by sharp (libvips), an optional dependency of 20 MB.
import { extname } from 'node:path'
import type Sharp from 'sharp'
import { openForReading, readFully } from '../../io/files/open-file.ts'
import { refuseOtherFormats } from '../../io/files/wrong-format.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import { cmykToRgb } from './cmyk.ts'
import { checkImage, type Image, type ImageSource } from './image.ts'

/** File extensions of images, with the dot. */
export const IMAGE_ENDINGS: ReadonlySet<string> = new Set(
  '.jpg .jpeg .png .webp .gif .avif .tif .tiff'.split(' '),
)

/** Whether a path has the extension of an image file. */
export const isImageFile = (path: string): boolean => IMAGE_ENDINGS.has(extname(path).toLowerCase())

const MAX_BYTES = 512e6
const MAX_PIXELS = 2 ** 27 // of a decoded image: half a gigabyte

/**
 * Reads an image file as 1 to 4 channels (grey or RGB, with or without alpha), rotated by its EXIF orientation.
 * @throws HeedError for a file that is missing, damaged or not an image, and if sharp is not installed
 */
export async function readImage(file: string): Promise<Image> {
  return decodeImage(await readBytes(file), file)
}

/** Decodes the bytes of an image file. `name` appears in errors. */
async function decodeImage(bytes: Uint8Array, name: string): Promise<Image> {
  refuseOtherFormats(`The image ${name}`, 'an image', bytes, [])
  const sharp = await loadSharp()
  try {
    const options = { limitInputPixels: MAX_PIXELS, failOn: 'error' } as const
    const isCmyk = (await sharp(bytes, options).metadata()).space === 'cmyk'
    const pixels = sharp(bytes, options).autoOrient()
    if (isCmyk) pixels.pipelineColourspace('cmyk').toColourspace('cmyk') // otherwise a colour profile is applied
    const { data, info } = await pixels
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const { width, height, channels } = info
    const image = checkImage(name, { width, height, channels, data: new Uint8Array(data) })
    return isCmyk ? cmykToRgb(image) : image
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new HeedError('corrupt-file', `The image ${name} must be readable, got: ${reason}`, {
      cause: error,
      remedy: `Check that the file is complete and has a supported format: ${[...IMAGE_ENDINGS].join(' ')}.`,
    })
  }
}

/** Returns the pixels of an image in a row. @throws HeedError like `readImage` */
export async function openImage(source: ImageSource): Promise<Image> {
  checkArgument('openImage', 'source', source, 'object')
  if ('file' in source) return readImage(source.file)
  if (!('bytes' in source)) return checkImage('openImage', source)
  checkArgument('openImage', 'bytes', source.bytes, 'bytes')
  return decodeImage(source.bytes, 'in the row')
}

async function loadSharp(): Promise<typeof Sharp> {
  try {
    return (await import(/* webpackIgnore: true */ 'sharp')).default // its addon cannot be bundled
  } catch (error) {
    throw new HeedError(
      'unsupported',
      'Image files need the package sharp, which is not installed',
      { cause: error, remedy: 'Install it: npm install sharp' },
    )
  }
}

async function readBytes(file: string): Promise<Uint8Array> {
  const { handle, size } = await openForReading(file)
  try {
    if (size > MAX_BYTES)
      throw new HeedError(
        'invalid-data',
        `The image ${file} must be at most ${MAX_BYTES} bytes, got ${size}`,
        { remedy: 'Save it with a lower resolution.' },
      )
    const bytes = new Uint8Array(size)
    if (await readFully(handle, bytes, 0)) return bytes
    throw new HeedError('corrupt-file', `The image ${file} became shorter while it was read`, {
      remedy: 'Run again when no other program writes to it.',
    })
  } finally {
    await handle.close()
  }
}
