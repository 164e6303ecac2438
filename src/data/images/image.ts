import { checkArgument, checkArguments } from '../../util/check-argument.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'

/** An image as unsigned bytes of shape (height, width, channels). */
export interface Image {
  /** Width in pixels. */
  readonly width: number
  /** Height in pixels. */
  readonly height: number
  /** Number of channels: 1 for grey, 3 for RGB, 4 with opacity. */
  readonly channels: number
  /** The bytes, 0 to 255, in the order rows, columns, channels. */
  readonly data: Uint8Array
}

/** An image in a row: pixels, the path of an image file, or the bytes of an image file. */
export type ImageSource = Image | { readonly file: string } | { readonly bytes: Uint8Array }

/** @throws HeedError if `image` is not an Image or its data does not match its size */
export function checkImage(owner: string, image: Image): Image {
  checkArgument(owner, 'image', image, 'object')
  const { width, height, channels, data } = image
  checkArguments(owner, { width, height, channels }, 'size')
  checkArgument(owner, 'data', data, 'bytes')
  if (data.length === width * height * channels) return image
  throw new HeedError(
    'invalid-data',
    `An image of ${width} x ${height} pixels with ${channels} channels must have ${width * height * channels} bytes, got ${data.length}`,
    { remedy: 'Pass one byte per channel of each pixel.' },
  )
}

/**
 * Converts an image to one channel (luma of ITU-R 601, as in PIL) or three. Transparency is dropped.
 * @throws HeedError for another number of channels
 */
export function withChannels(image: Image, channels: number): Image {
  const { width, height, data, channels: given } = image
  if (given === channels) return image
  const grey = given < 3 // with or without alpha
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
