// Geometric transforms: flip, crop, shift, rotation.
import type { Draw } from './draws.ts'
import type { Image } from './image.ts'
import { type Resample, resize } from './resize.ts'

/** Flips an image horizontally. */
export function flip(image: Image): Image {
  const { width, channels } = image
  const data = new Uint8Array(image.data.length)
  for (let i = 0; i < data.length; i += channels) {
    const pixel = i / channels
    const mirrored = pixel - (pixel % width) + width - 1 - (pixel % width)
    for (let c = 0; c < channels; c++) data[i + c] = image.data[mirrored * channels + c]
  }
  return { ...image, data }
}

/**
 * Crops a random region with an area between `smallest` and 1 and an aspect ratio between 3:4 and 4:3, and resizes it
 * to the size of the image (Szegedy et al., 2015).
 */
export function randomResizedCrop(
  image: Image,
  smallest: number,
  draw: Draw,
  resample: Resample = 'bilinear',
): Image {
  const { width, height } = image
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * (smallest + (1 - smallest) * draw())
    const ratio = Math.exp(Math.log(3 / 4) + draw() * Math.log(16 / 9))
    const w = Math.round(Math.sqrt(area * ratio))
    const h = Math.round(Math.sqrt(area / ratio))
    if (w < 1 || h < 1 || w > width || h > height) continue
    const left = Math.floor(draw() * (width - w + 1))
    const top = Math.floor(draw() * (height - h + 1))
    return resize(image, width, height, resample, { left, top, width: w, height: h })
  }
  return image
}

/** Shifts an image by at most `most` pixels in each direction. The uncovered area is black. */
export function randomShift(image: Image, most: number, draw: Draw): Image {
  const step = (): number => Math.floor(draw() * (2 * most + 1)) - most
  return affine(image, [1, 0, step(), 0, 1, step()], 0)
}

/**
 * Applies an affine transform with bilinear interpolation: the output at (x, y) is the input at
 * (a·x + b·y + c, d·x + e·y + f). Places outside of the input get the value `fill`. Coordinates are those of pixel
 * centres, relative to the centre of the image.
 */
export function affine(image: Image, matrix: readonly number[], fill = 128): Image {
  const { width, height, channels, data } = image
  const [a, b, c, d, e, f] = matrix
  const out = new Uint8Array(data.length)
  const at = (x: number, y: number, channel: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? fill : data[(y * width + x) * channels + channel]
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const x = column - (width - 1) / 2
      const y = row - (height - 1) / 2
      const fromX = a * x + b * y + c + (width - 1) / 2
      const fromY = d * x + e * y + f + (height - 1) / 2
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)]
      const [u, v] = [fromX - left, fromY - top]
      for (let channel = 0; channel < channels; channel++) {
        const upper = at(left, top, channel) * (1 - u) + at(left + 1, top, channel) * u
        const lower = at(left, top + 1, channel) * (1 - u) + at(left + 1, top + 1, channel) * u
        out[(row * width + column) * channels + channel] = upper * (1 - v) + lower * v + 0.5
      }
    }
  return { ...image, data: out }
}
