import { showShape } from '../../graph/shape.ts'
import type { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { ShapeError } from '../../util/errors.ts'

// N images, C channels, H height, W width, K labels

/** What all models that read images share. */
export interface ImageModel extends Module {
  /** Channels, height and width of the images that it is trained on. */
  readonly imageShape: readonly [number, number, number]
}

/** The layers below any head. */
export interface ImageEncoder extends ImageModel {
  readonly hiddenSize: number
  /** images (N, C, H, W) f32 -> states: (N, tokens, width), or (N, width, h, w) of a CNN. */
  forward(images: Tensor): Tensor
  /** One vector for each image of these states: (N, width). */
  pooled(states: Tensor): Tensor
}

/** One label, or several, for an image. */
export interface ImageClassifier extends ImageModel {
  /** K names, in the order of the logits. */
  readonly labels: readonly string[]
  /** images (N, C, H, W) f32 -> logits (N, K). */
  forward(images: Tensor): Tensor
  /** Labels (N) i32: cross-entropy; (N, K) f32: binary cross-entropy of each label; one label: squared error. */
  loss(images: Tensor, labels: Tensor): Tensor
}

/** @throws ShapeError unless images are (N, channels, H, W) */
export function checkImages(images: Tensor, channels: number): void {
  checkArgument('forward', 'images', images, 'tensor')
  if (images.rank === 4 && images.shape[1] === channels) return
  throw new ShapeError(
    `Images must be (N, ${channels}, height, width), got ${showShape(images.shape)}`,
    { remedy: 'Add the axis of images, or convert the channels.' },
  )
}
