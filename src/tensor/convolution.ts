// Convolutions as torch.nn.functional has them.
// B batch, G groups, C channels in, O channels out, P places, K window
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { showShape } from '../graph/shape.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkOptionalTensors, checkTensors } from './arguments.ts'
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

const COMMON = { stride: 'any?', padding: 'any?', dilation: 'any?', groups: 'size?' } as const
const CONVOLUTION = optionKinds<ConvolutionOptions>(COMMON)
const TRANSPOSED = optionKinds<TransposedConvolutionOptions>({ ...COMMON, outputPadding: 'any?' })

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

function checkInputs(
  op: string,
  inputs: { x: Tensor; weight: Tensor },
  bias: Tensor | null | undefined,
): void {
  checkTensors(op, { ...inputs })
  checkOptionalTensors(op, { bias })
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

/** One number for each axis. @throws HeedError for other values; strides and the like are at least 1 */
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
