// Sliding windows as columns and back: torch.nn.functional.unfold and fold.
// B batch, C channels, H height, W width, K kernel size, P window positions
import * as g from '../graph/build.ts'
import { countOf, showShape } from '../graph/shape.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkTensors } from './arguments.ts'
import { type PerAxis, perAxis } from './convolution.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

/** Options of `unfold` and `fold`. */
export interface UnfoldOptions {
  /** Distance between the elements of a window. Default 1. */
  dilation?: PerAxis
  /** Number of zeros at both ends. Default 0. */
  padding?: PerAxis
  /** Distance between windows, in elements. Default 1. */
  stride?: PerAxis
}

const UNFOLD = optionKinds<UnfoldOptions>({ dilation: 'any?', padding: 'any?', stride: 'any?' })

/**
 * Extracts sliding windows of images as columns: (B, C, H, W) -> (B, C·Kh·Kw, P). @throws HeedError for shapes that do
 * not fit
 */
export function unfold(x: Tensor, kernel: PerAxis, options: UnfoldOptions = {}): Tensor {
  checkTensors('unfold', { x })
  if (x.rank !== 4)
    throw new ShapeError(`unfold: the input must be (B, C, H, W), got ${showShape(x.shape)}`)
  const { padding, ...attrs } = windowOf('unfold', kernel, options)
  const padded = x.pad(padding.map((n) => [n, n] as const))
  const windows = tensorOf(g.make('window', [padded.node], attrs)) // (B, C, Ph, Pw, Kh, Kw)
  const [batch, channels, high, wide] = windows.shape
  return windows
    .permute(0, 1, 4, 5, 2, 3)
    .reshape(batch, channels * countOf(attrs.kernel), high * wide)
}

/**
 * Sums columns back to their positions in an image, the adjoint of `unfold`: (B, C·Kh·Kw, P) -> (B, C, ...size).
 * @throws HeedError for shapes that do not fit
 */
export function fold(
  x: Tensor,
  size: PerAxis,
  kernel: PerAxis,
  options: UnfoldOptions = {},
): Tensor {
  checkTensors('fold', { x })
  const { padding, ...attrs } = windowOf('fold', kernel, options)
  const places = perAxis('fold', 'size', size, 2)
  const padded = places.map((n, i) => n + 2 * padding[i])
  const counts = padded.map(
    (n, i) => Math.floor((n - attrs.dilation[i] * (attrs.kernel[i] - 1) - 1) / attrs.stride[i]) + 1,
  )
  const [batch, rows, columns] = x.shape
  const window = countOf(attrs.kernel)
  if (x.rank !== 3 || rows % window !== 0 || columns !== countOf(counts))
    throw new ShapeError(
      `fold: the input must be (B, C·${window}, ${countOf(counts)}) for size ${showShape(places)}, got ${showShape(x.shape)}`,
    )
  const windows = x
    .reshape(batch, rows / window, ...attrs.kernel, ...counts)
    .permute(0, 1, 4, 5, 2, 3)
  const sum = tensorOf(g.make('foldWindow', [windows.node], { ...attrs, size: padded }))
  return sum.pad(padding.map((n) => [-n, -n] as const))
}

function windowOf(op: string, kernel: PerAxis, options: UnfoldOptions) {
  UNFOLD.check(op, options)
  return {
    kernel: perAxis(op, 'kernel', kernel, 2),
    stride: perAxis(op, 'stride', options.stride ?? 1, 2),
    dilation: perAxis(op, 'dilation', options.dilation ?? 1, 2),
    padding: perAxis(op, 'padding', options.padding ?? 0, 2),
  }
}
