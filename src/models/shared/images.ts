import { wrongArgument } from '../../util/check-argument.ts'

/** The images that a new model reads. */
export interface ImageInput {
  channels: number
  /** Height and width in pixels. */
  size: readonly [number, number]
  /** Side of a patch in pixels, if the user has set it. Default: depends on the size. */
  patchSize?: number
}

/** Returns the config keys for images. */
export type ImageKeys = (input: ImageInput) => Readonly<Record<string, unknown>>

/**
 * Returns the patch size of a new model: as in published models for large images, at most 64 patches for small images.
 */
export function patchFor(size: readonly [number, number]): number {
  if (!Array.isArray(size) || size.length !== 2 || !size.every((side) => side >= 1))
    throw wrongArgument('patchFor', 'size', size, '[height, width] in pixels')
  const [height, width] = size
  const most = Math.max(height, width) > SMALL_IMAGE ? 196 : 64
  for (let patch = 1; patch <= Math.min(height, width); patch++)
    if (height % patch === 0 && width % patch === 0 && (height * width) / patch ** 2 <= most)
      return patch
  return Math.ceil(Math.sqrt((height * width) / most))
}

/** Images with sides of at most this many pixels are small. */
export const SMALL_IMAGE = 128
