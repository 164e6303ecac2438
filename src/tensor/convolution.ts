// Convolutions, as in torch.nn.functional.
// B batch, G groups, C input channels, O output channels, P positions, K kernel size
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { showShape } from '../graph/shape.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkOptionalTensors, checkTensors } from './arguments.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

/** One number for all axes, or one number per axis. */
export type PerAxis = number | readonly number[]

/** Options of convolutions. */
export interface ConvolutionOptions {
  /** Distance between windows, in elements. Default 1. */
  stride?: PerAxis
  /**
   * Number of zeros at both ends. 'same' pads to ceil(size / stride) outputs; an odd zero goes to the end, as in
   * TensorFlow, and in PyTorch with stride 1. Default 0.
   */
  padding?: PerAxis | 'same'
  /** Distance between the elements of a kernel. Default 1. */
  dilation?: PerAxis
  /** Number of groups. Each group of output channels sees only its group of input channels. Default 1. */
  groups?: number
}

/** Options of transposed convolutions. */
export interface TransposedConvolutionOptions extends Omit<ConvolutionOptions, 'padding'> {
  /** Number of elements removed at both ends. Default 0. */
  padding?: PerAxis
  /**
   * Number of elements added at the end. With a stride above 1, it selects one of several possible output sizes.
   * Default 0.
   */
  outputPadding?: PerAxis
}

const COMMON = { stride: 'any?', padding: 'any?', dilation: 'any?', groups: 'size?' } as const
const CONVOLUTION = optionKinds<ConvolutionOptions>(COMMON)
const TRANSPOSED = optionKinds<TransposedConvolutionOptions>({ ...COMMON, outputPadding: 'any?' })

/**
 * 1-d convolution: x (B, C, L), weight (O, C/G, K), bias (O) -> (B, O, P). @throws HeedError for shapes or options that
 * do not fit
 */
export const conv1d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvolutionOptions,
): Tensor => convolve('conv1d', 1, x, weight, bias, options)

/**
 * 2-d convolution: x (B, C, H, W), weight (O, C/G, Kh, Kw), bias (O) -> (B, O, Ph, Pw). @throws HeedError for shapes or
 * options that do not fit
 */
export const conv2d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvolutionOptions,
): Tensor => convolve('conv2d', 2, x, weight, bias, options)

/**
 * 1-d transposed convolution, the gradient of `conv1d`: x (B, C, P), weight (C, O/G, K), bias (O) -> (B, O, L)
 * (Dumoulin and Visin, 2016).
 * @throws HeedError for shapes or options that do not fit
 */
export const convTranspose1d = (
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: TransposedConvolutionOptions,
): Tensor => convolveTransposed('convTranspose1d', 1, x, weight, bias, options)

/**
 * 2-d transposed convolution, the gradient of `conv2d`: x (B, C, Ph, Pw), weight (C, O/G, Kh, Kw), bias (O) -> (B, O,
 * H, W) (Dumoulin and Visin, 2016).
 * @throws HeedError for shapes or options that do not fit
 */
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
  options: ConvolutionOptions = {},
): Tensor {
  checkInputs(op, { x, weight }, bias)
  CONVOLUTION.check(op, options)
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options
  if (x.rank !== rank + 2 || weight.rank !== rank + 2)
    throw new ShapeError(
      `${op}: the input must be (B, C, ...) and the weight (O, C / groups, ...kernel), got ${showShape(x.shape)} and ${showShape(weight.shape)}`,
    )
  const kernel = weight.shape.slice(2)
  const apart = {
    stride: perAxis(op, 'stride', stride, rank),
    dilation: perAxis(op, 'dilation', dilation, rank),
  }
  const widths =
    padding === 'same'
      ? samePadding(x.shape.slice(2), { kernel, ...apart })
      : perAxis(op, 'padding', padding, rank).map((n) => [n, n] as const)
  // Negative padding crops.
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
  checkInputs(op, { x, weight }, bias)
  TRANSPOSED.check(op, options)
  const { groups = 1 } = options
  const [, channels, ...places] = x.shape
  const [inner, , ...kernel] = weight.shape
  if (x.rank !== rank + 2 || weight.rank !== rank + 2 || channels !== inner || inner % groups !== 0)
    throw new ShapeError(
      `${op}: the input must be (B, C, ...) and the weight (C, O / groups, ...kernel), got ${showShape(x.shape)} and ${showShape(weight.shape)} with ${groups} groups`,
      { remedy: '`groups` must divide C.' },
    )
  const stride = perAxis(op, 'stride', options.stride ?? 1, rank)
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, rank)
  const padding = perAxis(op, 'padding', options.padding ?? 0, rank)
  const extra = perAxis(op, 'outputPadding', options.outputPadding ?? 0, rank)
  if (extra.some((n, i) => n >= Math.max(stride[i], dilation[i])))
    throw new ShapeError(
      `${op}: \`outputPadding\` must be smaller than the stride or the dilation, got ${extra.join(', ')}`,
      { key: 'outputPadding', value: extra },
    )
  // Padding crops the output at both ends; `outputPadding` extends its end.
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

function checkInputs(
  op: string,
  inputs: { x: Tensor; weight: Tensor },
  bias: Tensor | null | undefined,
): void {
  checkTensors(op, { ...inputs })
  checkOptionalTensors(op, { bias })
}

/** Convolutions are 2-d. A 1-d input becomes an image with one row. */
export const asImages = (x: Tensor): Node => (x.rank === 3 ? x.unsqueeze(2) : x).node

/** One or two numbers as (y, x). */
export const planar = (values: readonly number[], missing: number): number[] =>
  values.length === 1 ? [missing, values[0]] : [...values]

/** Number of zeros before and after each axis for 'same'. */
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

/** Converts to one number per axis. @throws HeedError for other values; all except paddings must be at least 1 */
export function perAxis(op: string, key: string, value: PerAxis, rank: number): number[] {
  const values = typeof value === 'number' ? new Array<number>(rank).fill(value) : value
  const least = key === 'padding' || key === 'outputPadding' ? Number.NEGATIVE_INFINITY : 1
  const fits =
    Array.isArray(values) &&
    values.length === rank &&
    values.every((n) => Number.isInteger(n) && n >= least)
  if (fits) return [...values]
  const whole = key === 'padding' || key === 'outputPadding' ? 'whole number' : 'whole number >= 1'
  throw wrongArgument(op, key, value, `a ${whole}, or an array of ${rank}`)
}
