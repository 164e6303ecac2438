import { showShape } from '../../graph/shape.ts'
import type { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { ShapeError } from '../../util/errors.ts'

// N images, C channels, H height, W width, K labels

/** Common interface of image models. */
export interface ImageModel extends Module {
  /** Channels, height and width of the images in training. */
  readonly imageShape: readonly [number, number, number]
}

/** An image model without a head. */
export interface ImageEncoder extends ImageModel {
  /** Width of the hidden states, C. */
  readonly hiddenSize: number
  /** Computes hidden states: images f32 (N, C, H, W) -> (N, tokens, width), or (N, width, h, w) for a CNN. */
  forward(images: Tensor): Tensor
  /** Reduces hidden states to one vector per image: (N, width). */
  pooled(states: Tensor): Tensor
}

/** An image classifier, with one or several labels per image. */
export interface ImageClassifier extends ImageModel {
  /** Names of the K labels, in the order of the logits. */
  readonly labels: readonly string[]
  /** Computes logits: images f32 (N, C, H, W) -> f32 (N, K). */
  forward(images: Tensor): Tensor
  /**
   * Computes the loss: cross-entropy for labels i32 (N), binary cross-entropy for labels f32 (N, K), mean squared error
   * if there is only one label.
   */
  loss(images: Tensor, labels: Tensor): Tensor
  /** For models with a distillation token: the logits (N, K) of the class token and of the distillation token. */
  separately?(images: Tensor): { student: Tensor; teacher: Tensor }
}

/** @throws ShapeError if images are not (N, channels, H, W) */
export function checkImages(images: Tensor, channels: number): void {
  checkArgument('forward', 'images', images, 'tensor')
  if (images.rank === 4 && images.shape[1] === channels) return
  throw new ShapeError(
    `Images must be (N, ${channels}, height, width), got ${showShape(images.shape)}`,
    { remedy: 'Add a batch axis, or convert the channels.' },
  )
}
