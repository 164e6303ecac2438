// CMYK images are converted like in Pillow, without a colour profile.
import type { Image } from './image.ts'

/** Converts CMYK (0: no ink) to RGB: each channel is (255 - ink)·(255 - black)/255, rounded. */
export function cmykToRgb({ width, height, data }: Image): Image {
  const rgb = new Uint8Array(3 * width * height)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const light = 255 - data[4 * pixel + 3]
    for (let i = 0; i < 3; i++) rgb[3 * pixel + i] = light - scaled(data[4 * pixel + i] * light)
  }
  return { width, height, channels: 3, data: rgb }
}

/** x / 255, rounded. */
function scaled(x: number): number {
  const sum = x + 128
  return (sum + (sum >> 8)) >> 8
}
