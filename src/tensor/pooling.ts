// Pooling functions of torch.nn.functional: the maximum or mean of each window.
// B batch, C channels, L length, H height, W width, P number of windows
import * as g from '../graph/build.ts'
import { countOf, showShape } from '../graph/shape.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkTensors } from './arguments.ts'
import { asImages, conv1d, conv2d, type PerAxis, perAxis, planar } from './convolution.ts'
import { tensorOf } from './core.ts'
import { ones, tensor } from './create.ts'
import type { Tensor } from './tensor.ts'

/** Options of max pooling. */
export interface MaxPoolOptions {
  /** Distance between windows. Default: the size of the window. */
  stride?: PerAxis
  /** Number of padding elements at both ends, which are never the maximum. At most half a window. Default 0. */
  padding?: PerAxis
  /** Distance between the elements of a window. Default 1. */
  dilation?: PerAxis
  /** Whether the last window may extend past the end. Default false. */
  ceilMode?: boolean
}

/** Options of average pooling. */
export interface AvgPoolOptions {
  /** Distance between windows. Default: the size of the window. */
  stride?: PerAxis
  /** Number of zeros at both ends. At most half a window. Default 0. */
  padding?: PerAxis
  /** Whether the last window may extend past the end. Default false. */
  ceilMode?: boolean
  /** Whether the mean includes padding. Default true, as in PyTorch. */
  countIncludePad?: boolean
}

const WINDOW = { stride: 'any?', padding: 'any?', ceilMode: 'flag?' } as const
/** @internal */
export const MAX_POOL = optionKinds<MaxPoolOptions>({ ...WINDOW, dilation: 'any?' })
/** @internal */
export const AVG_POOL = optionKinds<AvgPoolOptions>({ ...WINDOW, countIncludePad: 'flag?' })

/** 1-d max pooling: (B, C, L) -> (B, C, P). @throws HeedError for shapes or options that do not fit */
export const maxPool1d = (x: Tensor, kernel: PerAxis, options?: MaxPoolOptions): Tensor =>
  maxPool('maxPool1d', 1, x, kernel, options)

/** 2-d max pooling: (B, C, H, W) -> (B, C, Ph, Pw). @throws HeedError for shapes or options that do not fit */
export const maxPool2d = (x: Tensor, kernel: PerAxis, options?: MaxPoolOptions): Tensor =>
  maxPool('maxPool2d', 2, x, kernel, options)

/** 1-d average pooling: (B, C, L) -> (B, C, P). @throws HeedError for shapes or options that do not fit */
export const avgPool1d = (x: Tensor, kernel: PerAxis, options?: AvgPoolOptions): Tensor =>
  avgPool('avgPool1d', 1, x, kernel, options)

/** 2-d average pooling: (B, C, H, W) -> (B, C, Ph, Pw). @throws HeedError for shapes or options that do not fit */
export const avgPool2d = (x: Tensor, kernel: PerAxis, options?: AvgPoolOptions): Tensor =>
  avgPool('avgPool2d', 2, x, kernel, options)

/** 1-d average pooling to `size` outputs: (B, C, L) -> (B, C, size). @throws HeedError for another shape or size */
export const adaptiveAvgPool1d = (x: Tensor, size: PerAxis): Tensor =>
  adaptiveAvgPool('adaptiveAvgPool1d', 1, x, size)

/**
 * 2-d average pooling to `size` outputs: (B, C, H, W) -> (B, C, ...size). @throws HeedError for another shape or size
 */
export const adaptiveAvgPool2d = (x: Tensor, size: PerAxis): Tensor =>
  adaptiveAvgPool('adaptiveAvgPool2d', 2, x, size)

function maxPool(
  op: string,
  rank: number,
  x: Tensor,
  kernel: PerAxis,
  options: MaxPoolOptions = {},
): Tensor {
  MAX_POOL.check(op, options)
  const { widths, kernel: size, attrs } = windowOf(op, rank, x, kernel, options)
  const window = {
    kernel: planar(size, 1),
    stride: planar(attrs.stride, 1),
    dilation: planar(attrs.dilation, 1),
    before: planar(
      widths.map(([n]) => n),
      0,
    ),
    behind: planar(
      widths.map(([, n]) => n),
      0,
    ),
  }
  const y = tensorOf(g.pick(g.make('maxPool', [asImages(x)], window), 0))
  return rank === 1 ? y.squeeze(2) : y
}

function avgPool(
  op: string,
  rank: number,
  x: Tensor,
  kernel: PerAxis,
  options: AvgPoolOptions = {},
): Tensor {
  AVG_POOL.check(op, options)
  const { countIncludePad = true } = options
  const window = windowOf(op, rank, x, kernel, options)
  const total = (values: Tensor): Tensor => windowSums(values, window.attrs)
  const sums = total(x.pad(window.widths))
  // Elements past the end in ceil mode never count, whatever `countIncludePad` says.
  const overhang = window.widths.some(([before, after]) => before !== after)
  if (!overhang && (countIncludePad || window.widths.every(([n]) => n === 0)))
    return sums.div(countOf(window.kernel))
  const own = window.widths.map(([n]) => [n, n] as const)
  const rest = window.widths.map(([before, after]) => [0, after - before] as const)
  const places = ones([1, 1, ...x.shape.slice(2)]).pad(own, countIncludePad ? 1 : 0)
  return sums.div(total(places.pad(rest)))
}

/** Sums of all windows of each channel, as a convolution with ones. */
function windowSums(x: Tensor, { kernel, stride, dilation }: WindowAttrs): Tensor {
  const channels = x.shape[1]
  const weight = ones([channels, 1, ...kernel])
  const convolve = x.rank === 3 ? conv1d : conv2d
  return convolve(x, weight, null, { stride, dilation, groups: channels })
}

type WindowAttrs = Record<'kernel' | 'stride' | 'dilation', readonly number[]>

function adaptiveAvgPool(op: string, rank: number, x: Tensor, size: PerAxis): Tensor {
  checkRank(op, rank, x)
  const sizes = perAxis(op, 'size', size, rank)
  const places = x.shape.slice(-rank)
  if (sizes.every((n) => n === 1))
    return x.mean(
      sizes.map((_, i) => i - rank),
      true,
    )
  if (sizes.every((n, i) => places[i] % n === 0))
    return avgPool(
      op,
      rank,
      x,
      places.map((n, i) => n / sizes[i]),
    )
  return sizes.reduce((y, n, i) => {
    const axis = 2 + i
    const { inside, counts } = stretches(places[i], n)
    return y.movedim(axis, -1).matmul(inside).div(counts).movedim(-1, axis)
  }, x)
}

/** `inside` (places, count) is 1 where a position belongs to a segment. Neighbouring segments can overlap. */
function stretches(places: number, count: number): { inside: Tensor; counts: Tensor } {
  const inside = new Float32Array(places * count)
  for (let j = 0; j < count; j++) {
    const start = Math.floor((j * places) / count)
    const end = Math.ceil(((j + 1) * places) / count)
    for (let i = start; i < end; i++) inside[i * count + j] = 1
  }
  const matrix = tensor(inside, { shape: [places, count] })
  return { inside: matrix, counts: matrix.sum(0) }
}

function windowOf(op: string, rank: number, x: Tensor, size: PerAxis, options: MaxPoolOptions) {
  checkRank(op, rank, x)
  const kernel = perAxis(op, 'kernel', size, rank)
  const stride = perAxis(op, 'stride', options.stride ?? kernel, rank)
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, rank)
  const padding = perAxis(op, 'padding', options.padding ?? 0, rank)
  if (padding.some((n, i) => 2 * n > kernel[i]))
    throw new ShapeError(
      `${op}: \`padding\` must be at most half of the kernel (${kernel.join(', ')}), got ${padding.join(', ')}`,
      { key: 'padding', value: padding },
    )
  const widths = padding.map((before, i) => {
    const places = x.shape[2 + i]
    const room = places + 2 * before - (kernel[i] - 1) * dilation[i] - 1
    const over = room % stride[i]
    // A window that starts in the padding at the end is omitted.
    const begins = room - over + stride[i] < places + before
    const after = options.ceilMode && over > 0 && begins ? stride[i] - over : 0
    return [before, before + after] as const
  })
  return { kernel, widths, attrs: { kernel, stride, dilation } }
}

function checkRank(op: string, rank: number, x: Tensor): void {
  checkTensors(op, { x })
  if (x.rank !== rank + 2)
    throw new ShapeError(
      `${op}: the input must be (B, C, ${rank === 1 ? 'L' : 'H, W'}), got ${showShape(x.shape)}`,
    )
}
