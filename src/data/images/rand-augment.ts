// RandAugment (Cubuk et al., 2020): a few operations, drawn from a list, all of the same strength.
import {
  autoContrast,
  brightness,
  contrast,
  equalize,
  posterize,
  saturation,
  sharpness,
  solarize,
} from './colours.ts'
import type { Draw } from './draws.ts'
import type { Image } from './image.ts'
import { affine } from './shapes.ts'

const COUNT = 2

/** Applies two of fourteen operations with a strength from 0 (weakest) to 10. */
export function randAugment(image: Image, strength: number, draw: Draw): Image {
  let out = image
  for (let i = 0; i < COUNT; i++) {
    const change = CHANGES[Math.floor(draw() * CHANGES.length)]
    const sign = draw() < 0.5 ? -1 : 1
    out = change(out, strength / 10, sign)
  }
  return out
}

/** Operations with a strength from 0 to 1, in the direction of `sign`. */
const CHANGES: readonly ((image: Image, strength: number, sign: number) => Image)[] = [
  (image) => image,
  (image) => autoContrast(image),
  (image) => equalize(image),
  (image, strength, sign) => rotate(image, (sign * strength * Math.PI) / 6),
  (image, strength) => solarize(image, 256 - Math.round(256 * strength)),
  (image, strength) => posterize(image, 8 - Math.round(4 * strength)),
  (image, strength, sign) => saturation(image, 1 + 0.9 * sign * strength),
  (image, strength, sign) => contrast(image, 1 + 0.9 * sign * strength),
  (image, strength, sign) => brightness(image, 1 + 0.9 * sign * strength),
  (image, strength, sign) => sharpness(image, 1 + 0.9 * sign * strength),
  (image, strength, sign) => affine(image, [1, 0.3 * sign * strength, 0, 0, 1, 0]),
  (image, strength, sign) => affine(image, [1, 0, 0, 0.3 * sign * strength, 1, 0]),
  (image, strength, sign) => affine(image, [1, 0, 0.45 * sign * strength * image.width, 0, 1, 0]),
  (image, strength, sign) => affine(image, [1, 0, 0, 0, 1, 0.45 * sign * strength * image.height]),
]

function rotate(image: Image, angle: number): Image {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return affine(image, [cos, sin, 0, -sin, cos, 0])
}
