// Convolutions as torch.nn.functional has them.
// B batch, G groups, C channels in, O channels out, P places, K window
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { showShape } from '../graph/shape.ts'
import { ShapeError } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

/** One number for all axes, or one for each. */
export type PerAxis = number | readonly number[]

export interface ConvolutionOptions {
  stride?: PerAxis
  /**
   * Zeros at both ends. 'same': as many as make ceil(size / stride) places, an odd one behind, as
   * PyTorch does for a stride of 1 and TensorFlow for all.
   */
  padding?: PerAxis | 'same'
  dilation?: PerAxis
  /** Each group of channels out sees its own group of channels in. */
  groups?: number
}

export interface TransposedConvolutionOptions extends Omit<ConvolutionOptions, 'padding'> {
  /** Taken away at both ends. */
  padding?: PerAxis
  /** Added behind: with a stride, inputs of several sizes give outputs of one. */
  outputPadding?: PerAxis
}

/** x (B, C, L), weight (O, C/G, K), bias (O) -> (B, O, P). */
export const conv1d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvolutionOptions,
): Tensor => convolve('conv1d', 1, x, weight, bias, options)

/** x (B, C, H, W), weight (O, C/G, Kh, Kw), bias (O) -> (B, O, Ph, Pw). */
export const conv2d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvolutionOptions,
): Tensor => convolve('conv2d', 2, x, weight, bias, options)

/** x (B, C, P), weight (C, O/G, K), bias (O) -> (B, O, L): what takes conv1d's gradient back. */
export const convTranspose1d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: TransposedConvolutionOptions,
): Tensor => convolveTransposed('convTranspose1d', 1, x, weight, bias, options)

/** x (B, C, Ph, Pw), weight (C, O/G, Kh, Kw), bias (O) -> (B, O, H, W). */
export const convTranspose2d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: TransposedConvolutionOptions,
): Tensor => convolveTransposed('convTranspose2d', 2, x, weight, bias, options)

function convolve(
  op: string,
  rank: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvolutionOptions = {},
): Tensor {
  if (x.rank !== rank + 2 || weight.rank !== rank + 2)
    throw new ShapeError(
      `${op}: the input must be (B, C, ...) and the weight (O, C / groups, ...kernel), got ${showShape(x.shape)} and ${showShape(weight.shape)}`,
    )
  const kernel = weight.shape.slice(2)
  const apart = { stride: perAxis(stride, rank), dilation: perAxis(dilation, rank) }
  const widths =
    padding === 'same'
      ? samePadding(x.shape.slice(2), { kernel, ...apart })
      : perAxis(padding, rank).map((n) => [n, n] as const)
  // A negative padding takes places away.
  const cut = widths.some(([a, b]) => a < 0 || b < 0)
    ? x.pad(widths.map(([a, b]) => [Math.min(a, 0), Math.min(b, 0)]))
    : x
  const attrs = {
    stride: planar(apart.stride, 1),
    before: planar(
      widths.map(([n]) => Math.max(n, 0)),
      0,
    ),
    behind: planar(
      widths.map(([, n]) => Math.max(n, 0)),
      0,
    ),
    dilation: planar(apart.dilation, 1),
    groups,
  }
  const y = tensorOf(g.make('convolution', [asImages(cut), asImages(weight)], attrs))
  return biased(rank === 1 ? y.squeeze(2) : y, bias, rank)
}

function convolveTransposed(
  op: string,
  rank: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: TransposedConvolutionOptions = {},
): Tensor {
  const { groups = 1 } = options
  const [, channels, ...places] = x.shape
  const [inner, , ...kernel] = weight.shape
  if (x.rank !== rank + 2 || weight.rank !== rank + 2 || channels !== inner || inner % groups !== 0)
    throw new ShapeError(
      `${op}: the input must be (B, C, ...) and the weight (C, O / groups, ...kernel), got ${showShape(x.shape)} and ${showShape(weight.shape)} with ${groups} groups`,
      { remedy: '`groups` must divide C.' },
    )
  const stride = perAxis(options.stride ?? 1, rank)
  const dilation = perAxis(options.dilation ?? 1, rank)
  const padding = perAxis(options.padding ?? 0, rank)
  const extra = perAxis(options.outputPadding ?? 0, rank)
  if (extra.some((n, i) => n >= Math.max(stride[i], dilation[i])))
    throw new ShapeError(
      `${op}: \`outputPadding\` must be smaller than the stride or the dilation, got ${extra.join(', ')}`,
      { key: 'outputPadding', value: extra },
    )
  // The output, as an input, has these places: padding cuts at both ends, and more behind adds there.
  const size = places.map(
    (n, i) => (n - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - 2 * padding[i] + extra[i],
  )
  if (size.some((n) => n < 1))
    throw new ShapeError(
      `${op}: the output must have at least one element per axis, got ${showShape(size)}`,
      { remedy: 'Use less padding or a larger input.' },
    )
  const attrs = {
    stride: planar(stride, 1),
    before: planar(padding, 0),
    behind: planar(
      padding.map((n, i) => Math.max(n - extra[i], 0)),
      0,
    ),
    dilation: planar(dilation, 1),
    groups,
    size: planar(size, 1),
  }
  const y = tensorOf(g.make('convolutionInput', [asImages(x), asImages(weight)], attrs))
  return biased(rank === 1 ? y.squeeze(2) : y, bias, rank)
}

/** Convolutions are planar: a line is an image of one row. */
export const asImages = (x: Tensor): Node => (x.rank === 3 ? x.unsqueeze(2) : x).node

/** (y, x) of one number or two. */
export const planar = (values: readonly number[], missing: number): number[] =>
  values.length === 1 ? [missing, values[0]] : [...values]

/** Zeros before and behind each axis. */
function samePadding(
  sizes: readonly number[],
  { kernel, stride, dilation }: Record<'kernel' | 'stride' | 'dilation', readonly number[]>,
): (readonly [number, number])[] {
  return sizes.map((size, i) => {
    const reach = (Math.ceil(size / stride[i]) - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1
    const total = Math.max(reach - size, 0)
    return [Math.floor(total / 2), Math.ceil(total / 2)]
  })
}

const biased = (y: Tensor, bias: Tensor | null | undefined, rank: number): Tensor =>
  bias ? y.add(bias.reshape(-1, ...new Array<number>(rank).fill(1))) : y

export const perAxis = (value: PerAxis, rank: number): number[] =>
  typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value]
