// Convolutions as torch.nn.functional has them: the windows of the input laid side by side, and one
// matrix product for each group.
// B batch, G groups, C channels in, O channels out, P places, K window
import * as g from '../graph/build.ts'
import { countOf, showShape } from '../graph/shape.ts'
import { ShapeError } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

/** One number for all axes, or one for each. */
type PerAxis = number | readonly number[]

export interface ConvolutionOptions {
  stride?: PerAxis
  /** Zeros at both ends. */
  padding?: PerAxis
  dilation?: PerAxis
  /** Each group of channels out sees its own group of channels in. */
  groups?: number
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

function convolve(
  op: string,
  rank: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvolutionOptions = {},
): Tensor {
  const [batch, channels] = x.shape
  const [out, inner, ...kernel] = weight.shape
  const fits = x.rank === rank + 2 && weight.rank === rank + 2 && channels === inner * groups
  if (!fits || out % groups !== 0)
    throw new ShapeError(
      `${op}: ${showShape(x.shape)} and the weight ${showShape(weight.shape)} do not fit with ${groups} groups`,
      { remedy: 'x is (B, C, ...), the weight (O, C / groups, ...kernel), and groups divides O.' },
    )
  const padded = x.pad(perAxis(padding, rank).map((n) => [n, n] as const))
  const attrs = { kernel, stride: perAxis(stride, rank), dilation: perAxis(dilation, rank) }
  const windows = tensorOf(g.make('window', [padded.node], attrs)) // (B, C, ...P, ...K)
  const places = windows.shape.slice(2, 2 + rank)
  const field = inner * countOf(kernel)
  const rows = windows
    .reshape(batch, groups, inner, countOf(places), countOf(kernel))
    .permute(0, 1, 3, 2, 4)
    .reshape(batch, groups, countOf(places), field)
  const columns = weight.reshape(groups, out / groups, field).transpose(1, 2)
  const y = rows
    .matmul(columns)
    .transpose(2, 3)
    .reshape(batch, out, ...places)
  return bias ? y.add(bias.reshape(out, ...kernel.map(() => 1))) : y
}

const perAxis = (value: PerAxis, rank: number): number[] =>
  typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value]
