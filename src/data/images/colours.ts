// Colour operations with the results of PIL's ImageEnhance and ImageOps.
import { type Image, withChannels } from './image.ts'

/** Scales the brightness: 0 gives a black image, 1 the same image, 2 twice the brightness. */
export const brightness = (image: Image, factor: number): Image =>
  mapBytes(image, (value) => value * factor)

/** Scales the contrast: 0 gives a uniform grey, 1 the same image. */
export function contrast(image: Image, factor: number): Image {
  const { data } = withChannels(image, 1)
  const mean = Math.floor(data.reduce((sum, value) => sum + value, 0) / data.length + 0.5)
  return mapBytes(image, (value) => mean + (value - mean) * factor)
}

/** Scales the saturation: 0 gives a greyscale image, 1 the same image. */
export function saturation(image: Image, factor: number): Image {
  if (image.channels < 3) return image
  const grey = withChannels(withChannels(image, 1), image.channels).data
  return mapBytes(image, (value, i) => grey[i] + (value - grey[i]) * factor)
}

/** Rotates hues by a fraction of the colour circle: 1/3 turns red into green. Greys do not change. */
export function turnHue(image: Image, turn: number): Image {
  if (image.channels < 3) return image
  const data = image.data.slice()
  for (let i = 0; i + 2 < data.length; i += image.channels) {
    const [red, green, blue] = image.data.subarray(i, i + 3)
    const most = Math.max(red, green, blue)
    const chroma = most - Math.min(red, green, blue)
    if (chroma === 0) continue
    const hue = 6 + 6 * (turn % 1) + hueOf(red, green, blue, most, chroma)
    data[i] = most - channelLoss(5 + hue) * chroma + 0.5
    data[i + 1] = most - channelLoss(3 + hue) * chroma + 0.5
    data[i + 2] = most - channelLoss(1 + hue) * chroma + 0.5
  }
  return { ...image, data }
}

/** Hue in sixths of the colour circle, starting at red (Smith, 1978). */
function hueOf(red: number, green: number, blue: number, most: number, chroma: number): number {
  if (most === red) return (green - blue) / chroma
  return most === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma
}

/** Fraction of the chroma that a channel lacks at a hue: 0 on one third of the circle, 1 on another. */
function channelLoss(at: number): number {
  const sixth = at % 6
  return Math.max(0, Math.min(sixth, 4 - sixth, 1))
}

/** Sharpens an image: 0 smooths it, 1 gives the same image, 2 sharpens it. */
export function sharpness(image: Image, factor: number): Image {
  const { width, height, channels, data } = image
  const line = width * channels
  return mapBytes(image, (value, i) => {
    const y = Math.floor(i / line)
    const x = Math.floor((i % line) / channels)
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return value
    let sum = 4 * value // weights: 5/13 for the centre, 1/13 for each neighbour
    for (const row of [i - line, i, i + line])
      sum += data[row - channels] + data[row] + data[row + channels]
    const smooth = Math.floor(sum / 13 + 0.5)
    return smooth + (value - smooth) * factor
  })
}

/** Stretches each channel to the full range of values. */
export const autoContrast = (image: Image): Image =>
  mapChannels(image, (counts) => {
    const low = counts.findIndex((count) => count > 0)
    const high = counts.findLastIndex((count) => count > 0)
    return (value) => (high > low ? Math.trunc(((value - low) * 255) / (high - low)) : value)
  })

/** Equalises the histogram of each channel. */
export const equalize = (image: Image): Image =>
  mapChannels(image, (counts) => {
    const used = counts.filter((count) => count > 0)
    const step = Math.floor((used.reduce((a, b) => a + b, 0) - (used.at(-1) ?? 0)) / 255)
    if (used.length < 2 || step === 0) return (value) => value
    let sum = Math.floor(step / 2)
    const table = counts.map((count) => {
      const at = Math.floor(sum / step)
      sum += count
      return at
    })
    return (value) => table[value]
  })

/** Inverts values from `threshold` upwards. */
export const solarize = (image: Image, threshold: number): Image =>
  mapBytes(image, (value) => (value < threshold ? value : 255 - value))

/** Keeps the highest `bits` bits of each value. */
export const posterize = (image: Image, bits: number): Image =>
  mapBytes(image, (value) => value & (0xff << (8 - bits)))

function mapBytes(image: Image, change: (value: number, i: number) => number): Image {
  const data = new Uint8Array(image.data.length)
  for (let i = 0; i < data.length; i++)
    data[i] = Math.min(255, Math.max(0, Math.trunc(change(image.data[i], i))))
  return { ...image, data }
}

/** Maps each channel with a function that is made from its histogram. */
function mapChannels(
  image: Image,
  changeOf: (counts: number[]) => (value: number) => number,
): Image {
  const { channels, data } = image
  const changes = Array.from({ length: channels }, (_, channel) => {
    const counts = new Array<number>(256).fill(0)
    for (let i = channel; i < data.length; i += channels) counts[data[i]]++
    return changeOf(counts)
  })
  return mapBytes(image, (value, i) => changes[i % channels](value))
}
