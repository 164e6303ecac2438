// Changes of colours, as PIL's ImageEnhance and ImageOps compute them.
import { type Image, withChannels } from './image.ts'

/** 1 leaves an image as it is; 0 makes it black, and 2 twice as bright. */
export const brightness = (image: Image, factor: number): Image =>
  mapBytes(image, (value) => value * factor)

/** 1 leaves an image as it is; 0 makes it grey all over. */
export function contrast(image: Image, factor: number): Image {
  const { data } = withChannels(image, 1)
  const mean = Math.floor(data.reduce((sum, value) => sum + value, 0) / data.length + 0.5)
  return mapBytes(image, (value) => mean + (value - mean) * factor)
}

/** 1 leaves an image as it is; 0 takes its colours. */
export function saturation(image: Image, factor: number): Image {
  if (image.channels < 3) return image
  const grey = withChannels(withChannels(image, 1), image.channels).data
  return mapBytes(image, (value, i) => grey[i] + (value - grey[i]) * factor)
}

/** Hues turned by a part of the colour circle: by a third of it, red becomes green. Greys stay. */
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

/** In sixths of the circle from red on (Smith, 1978). */
function hueOf(red: number, green: number, blue: number, most: number, chroma: number): number {
  if (most === red) return (green - blue) / chroma
  return most === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma
}

/** How much of the chroma a channel lacks at a place of the circle: none for a third, all for another. */
function channelLoss(at: number): number {
  const sixth = at % 6
  return Math.max(0, Math.min(sixth, 4 - sixth, 1))
}

/** 1 leaves an image as it is; 0 smooths it, and 2 sharpens it. */
export function sharpness(image: Image, factor: number): Image {
  const { width, height, channels, data } = image
  const line = width * channels
  return mapBytes(image, (value, i) => {
    const y = Math.floor(i / line)
    const x = Math.floor((i % line) / channels)
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return value
    let sum = 4 * value // of 13: five for the middle, one for each place around it
    for (const row of [i - line, i, i + line])
      sum += data[row - channels] + data[row] + data[row + channels]
    const smooth = Math.floor(sum / 13 + 0.5)
    return smooth + (value - smooth) * factor
  })
}

/** Each channel stretched over all values. */
export const autoContrast = (image: Image): Image =>
  mapChannels(image, (counts) => {
    const low = counts.findIndex((count) => count > 0)
    const high = counts.findLastIndex((count) => count > 0)
    return (value) => (high > low ? Math.trunc(((value - low) * 255) / (high - low)) : value)
  })

/** Each channel's values made about equally frequent. */
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

/** Values from `threshold` on turned into their negatives. */
export const solarize = (image: Image, threshold: number): Image =>
  mapBytes(image, (value) => (value < threshold ? value : 255 - value))

/** So many of the eight bits kept. */
export const posterize = (image: Image, bits: number): Image =>
  mapBytes(image, (value) => value & (0xff << (8 - bits)))

function mapBytes(image: Image, change: (value: number, i: number) => number): Image {
  const data = new Uint8Array(image.data.length)
  for (let i = 0; i < data.length; i++)
    data[i] = Math.min(255, Math.max(0, Math.trunc(change(image.data[i], i))))
  return { ...image, data }
}

/** By how often each value is in each channel. */
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
