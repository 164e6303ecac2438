// Resampling with the results of PIL: separable, with a wider filter for downsampling, and each pass rounded to bytes.
import { argumentKinds } from '../../util/argument-kinds.ts'
import { wrongArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import { oneOf, optionKinds } from '../../util/options.ts'
import { checkImage, type Image } from './image.ts'

/** Filters with PIL's names, in the order of PIL's numbers. */
export const RESAMPLES = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const

/**
 * Name of a resampling filter.
 * @useDeclaredType
 */
export type Resample = (typeof RESAMPLES)[number]

/** A region of an image in pixels. Its borders may be fractions. */
export interface Box {
  /** Distance from the left border. */
  left: number
  /** Distance from the upper border. */
  top: number
  /** Width in pixels. */
  width: number
  /** Height in pixels. */
  height: number
}

const checkResize = argumentKinds('resize', {
  width: 'number',
  height: 'number',
  resample: oneOf(RESAMPLES),
  box: optionKinds<Box>({ left: 'amount', top: 'amount', width: 'amount', height: 'amount' }),
})

/**
 * Resizes an image. The result is byte for byte that of PIL's `Image.resize`.
 * @param box region of the image to resize; the whole image by default
 * @throws HeedError for an unknown filter, a size out of range, and a box outside of the image
 */
export function resize(
  image: Image,
  width: number,
  height: number,
  resample: Resample = 'bilinear',
  box: Box = wholeOf(image),
): Image {
  checkImage('resize', image)
  checkResize(width, height, resample, box)
  if (!isWithin(box, image))
    throw wrongArgument(
      'resize',
      'box',
      box,
      `a region of the image (${image.width} x ${image.height})`,
    )
  for (const side of [width, height])
    if (!Number.isInteger(side) || side < 1 || side > MAX_SIDE)
      throw new HeedError(
        'invalid-option',
        `The width and height of an image must be 1 to ${MAX_SIDE} pixels, got ${width} x ${height}`,
        { remedy: 'Choose another size.' },
      )
  const same = box.left === 0 && box.top === 0 && box.width === width && box.height === height
  if (same && width === image.width && height === image.height) return image
  if (resample === 'nearest') return nearest(image, width, height, box)
  const columns = tapsOf(image.width, box.left, box.width, width, filters[resample])
  const rows = tapsOf(image.height, box.top, box.height, height, filters[resample])
  // The order of the passes affects rounding. Like Pillow, start with the height if it shrinks far more.
  const tallFirst = height < image.height && 2 * (image.width - width) < image.height - height
  return tallFirst
    ? horizontal(vertical(image, rows), columns)
    : vertical(horizontal(image, columns), rows)
}

const MAX_SIDE = 65_536

const wholeOf = (image: Image): Box => ({
  left: 0,
  top: 0,
  width: image?.width,
  height: image?.height,
})

const isWithin = (box: Box, { width, height }: Image): boolean =>
  box.width > 0 && box.height > 0 && box.left + box.width <= width && box.top + box.height <= height

interface Filter {
  /** Radius of the filter; it is 0 beyond. */
  reach: number
  at: (x: number) => number
}

const filters: Record<Exclude<Resample, 'nearest'>, Filter> = {
  box: { reach: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { reach: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    reach: 1,
    at: (x) => {
      if (x === 0) return 1
      return Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x))
    },
  },
  bicubic: {
    reach: 2,
    at: (x) => {
      const d = Math.abs(x) // Keys (1981) with a = -0.5
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1
      return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0
    },
  },
  lanczos: { reach: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** The source pixels of an output pixel, with their weights in units of 2^-BITS. */
interface Taps {
  first: number
  weights: Float64Array
}

const BITS = 22
const UNIT = 2 ** BITS

function tapsOf(from: number, start: number, span: number, to: number, filter: Filter): Taps[] {
  const scale = span / to
  const spread = Math.max(1, scale) // downsampling averages over the source pixels of an output pixel
  const reach = filter.reach * spread
  return Array.from({ length: to }, (_, i) => {
    const middle = start + (i + 0.5) * scale
    const first = Math.max(0, Math.trunc(middle - reach + 0.5))
    const end = Math.min(from, Math.trunc(middle + reach + 0.5))
    const weights = Float64Array.from({ length: Math.max(0, end - first) }, (_, tap) =>
      filter.at((first + tap - middle + 0.5) / spread),
    )
    const sum = weights.reduce((a, b) => a + b, 0)
    for (let tap = 0; tap < weights.length; tap++) {
      const weight = sum === 0 ? weights[tap] : weights[tap] / sum
      weights[tap] = Math.trunc(weight * UNIT + (weight < 0 ? -0.5 : 0.5))
    }
    return { first, weights }
  })
}

function horizontal(image: Image, taps: readonly Taps[]): Image {
  const { width, height, channels, data } = image
  const out = new Uint8Array(height * taps.length * channels)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < taps.length; x++) {
      const { first, weights } = taps[x]
      for (let c = 0; c < channels; c++) {
        let sum = UNIT / 2
        let at = (y * width + first) * channels + c
        for (let tap = 0; tap < weights.length; tap++, at += channels)
          sum += data[at] * weights[tap]
        out[(y * taps.length + x) * channels + c] = toByte(sum)
      }
    }
  return { width: taps.length, height, channels, data: out }
}

function vertical(image: Image, taps: readonly Taps[]): Image {
  const { width, channels, data } = image
  const line = width * channels
  const out = new Uint8Array(taps.length * line)
  for (let y = 0; y < taps.length; y++) {
    const { first, weights } = taps[y]
    for (let x = 0; x < line; x++) {
      let sum = UNIT / 2
      let at = first * line + x
      for (let tap = 0; tap < weights.length; tap++, at += line) sum += data[at] * weights[tap]
      out[y * line + x] = toByte(sum)
    }
  }
  return { width, height: taps.length, channels, data: out }
}

const toByte = (sum: number): number => Math.min(255, Math.max(0, Math.floor(sum / UNIT)))

function nearest(image: Image, width: number, height: number, box: Box): Image {
  const { channels, data } = image
  const out = new Uint8Array(width * height * channels)
  const rows = nearestTo(image.height, box.top, box.height, height)
  const columns = nearestTo(image.width, box.left, box.width, width)
  let to = 0
  for (const row of rows)
    for (const column of columns) {
      const from = (row * image.width + column) * channels
      out.set(data.subarray(from, from + channels), to)
      to += channels
    }
  return { width, height, channels, data: out }
}

/** Source position of each output pixel. Summed like in Pillow, so that ties are broken equally. */
function nearestTo(from: number, start: number, span: number, to: number): Int32Array {
  const scale = span / to
  let place = start + scale * 0.5
  return Int32Array.from({ length: to }, () => {
    const at = Math.min(from - 1, Math.max(0, Math.floor(place)))
    place += scale
    return at
  })
}
