import { showShape } from '../../graph/shape.ts'
import type { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { ShapeError } from '../../util/errors.ts'

// N images, C channels, H height, W width, K labels

/** What all models that read images have in common. */
export interface ImageModel extends Module {
  /** Of one image: channels, height and width, as it was trained or would be. */
  readonly imageShape: readonly [number, number, number]
}

/** What a model sees in images, before any label. */
export interface ImageEncoder extends ImageModel {
  readonly hiddenSize: number
  /** images (N, C, H, W) f32 -> states: (N, tokens, width), or (N, width, h, w) of a CNN. */
  forward(images: Tensor): Tensor
  /** One vector (N, width) for each image of these states. */
  pooled(states: Tensor): Tensor
}

/** One label, or several, for an image. */
export interface ImageClassifier extends ImageModel {
  /** K names, in the order of the logits. */
  readonly labels: readonly string[]
  /** images (N, C, H, W) f32 -> logits (N, K). */
  forward(images: Tensor): Tensor
  /** Of labels (N) i32: cross-entropy; (N, K) f32: each label on its own; of one label: squared error. */
  loss(images: Tensor, labels: Tensor): Tensor
}

/** @throws ShapeError for what is not (N, channels, H, W) */
export function checkImages(images: Tensor, channels: number): void {
  if (images.rank === 4 && images.shape[1] === channels) return
  throw new ShapeError(`Images of shape ${showShape(images.shape)}`, {
    remedy: `This model takes (images, ${channels}, height, width).`,
  })
}
