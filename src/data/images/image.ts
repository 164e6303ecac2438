import { checkArgument, checkArguments } from '../../util/check-argument.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'

/** Bytes of pixels: (height, width, channels). */
export interface Image {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Uint8Array
}

/** The image of a row: pixels, the path of an image file, or the bytes of one. */
export type ImageSource = Image | { readonly file: string } | { readonly bytes: Uint8Array }

/** @throws HeedError for what is no image, and for pixels that do not fill it */
export function checkImage(owner: string, image: Image): Image {
  checkArgument(owner, 'image', image, 'object')
  const { width, height, channels, data } = image
  checkArguments(owner, { width, height, channels }, 'size')
  checkArgument(owner, 'data', data, 'bytes')
  if (data.length === width * height * channels) return image
  throw new HeedError(
    'invalid-data',
    `An image of ${width} x ${height} pixels with ${channels} channels must have ${width * height * channels} bytes, got ${data.length}`,
    { remedy: 'Give a byte for each channel of each pixel.' },
  )
}

/**
 * The image with one channel (the luma of ITU-R 601, as in PIL) or three; transparency is dropped.
 */
export function withChannels(image: Image, channels: number): Image {
  const { width, height, data, channels: given } = image
  if (given === channels) return image
  const grey = given < 3 // one channel, or one and alpha
  if (channels !== 1 && channels !== 3)
    throw invalidOption({
      key: 'channels',
      value: channels,
      expected: '1 or 3',
      try: { channels: [1, 3] },
    })
  const out = new Uint8Array(width * height * channels)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const from = pixel * given
    const to = pixel * channels
    if (grey) out.fill(data[from], to, to + channels)
    else if (channels === 3) for (let c = 0; c < 3; c++) out[to + c] = data[from + c]
    else out[to] = luma(data[from], data[from + 1], data[from + 2])
  }
  return { width, height, channels, data: out }
}

const luma = (red: number, green: number, blue: number): number =>
  (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
