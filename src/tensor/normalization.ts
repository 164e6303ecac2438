// The normalisation functions of torch.nn.functional.
import * as g from '../graph/build.ts'
import { countOf, type Shape, showShape } from '../graph/shape.ts'
import { checkArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkOptionalTensors, checkTensors } from './arguments.ts'
import { tensorOf } from './core.ts'
import { ones, zeros } from './create.ts'
import type { Tensor } from './tensor.ts'

/**
 * Layer normalisation over the last axes: those of the weight, or the last axis without a weight (Ba et al., 2016).
 * @param x f32 (..., C)
 * @param weight scale (C); null for none
 * @param bias shift (C); null for none
 * @param eps added to the variance
 * @returns f32 (..., C)
 * @throws ShapeError for shapes that do not fit
 */
export function layerNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  checkNorm('layerNorm', x, weight, bias, eps)
  const shape = weight?.shape ?? bias?.shape ?? x.shape.slice(-1)
  const rows = overRows('layerNorm', x, shape)
  const gamma = weight?.flatten() ?? ones([countOf(shape)])
  const beta = bias?.flatten() ?? zeros([countOf(shape)])
  const y = g.pick(g.make('layerNorm', [rows.node, gamma.node, beta.node], { eps }), 0)
  return tensorOf(g.reshape(y, x.shape))
}

/**
 * Root mean square normalisation: like `layerNorm`, without subtracting the mean (Zhang and Sennrich, 2019).
 * @param x f32 (..., C)
 * @param weight scale (C); null for none
 * @param eps added to the mean square
 * @returns f32 (..., C)
 * @throws ShapeError for shapes that do not fit
 */
export function rmsNorm(x: Tensor, weight?: Tensor | null, eps = 1e-6): Tensor {
  checkNorm('rmsNorm', x, weight, null, eps)
  const shape = weight?.shape ?? x.shape.slice(-1)
  const rows = overRows('rmsNorm', x, shape)
  const gamma = weight?.flatten() ?? ones([countOf(shape)])
  const y = g.pick(g.make('rmsNorm', [rows.node, gamma.node], { eps }), 0)
  return tensorOf(g.reshape(y, x.shape))
}

/** Group normalisation of the channels of x (B, C, ...), with weight and bias (C) (Wu and He, 2018). */
export function groupNorm(
  x: Tensor,
  groups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  checkNorm('groupNorm', x, weight, bias, eps)
  checkArgument('groupNorm', 'groups', groups, 'size')
  const [batch, channels, ...rest] = x.shape
  if (channels === undefined || channels % groups !== 0)
    throw new ShapeError(
      `groupNorm: the number of channels must be divisible by ${groups} groups, got shape ${showShape(x.shape)}`,
    )
  return channelNorm(
    x.reshape(batch, channels, countOf(rest)),
    groups,
    weight,
    bias,
    eps,
  ).y.reshape(x.shape)
}

/**
 * Instance normalisation: each channel of x (B, C, ...) separately, with weight and bias (C) (Ulyanov et al., 2016).
 */
export function instanceNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  checkNorm('instanceNorm', x, weight, bias, eps)
  if (x.rank < 2)
    throw new ShapeError(`instanceNorm: the input must be (B, C, ...), got ${showShape(x.shape)}`)
  return groupNorm(x, x.shape[1], weight, bias, eps)
}

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Mean of each channel, (C): running statistics or those of the batch. */
  mean: Tensor
  /** Variance of each channel, (C), without Bessel's correction. */
  variance: Tensor
  /** Scale of each channel, (C). Default: none. */
  weight?: Tensor | null
  /** Shift of each channel, (C). Default: none. */
  bias?: Tensor | null
  /** Added to the variance. Default 1e-5. */
  eps?: number
}

const BATCH_NORM = optionKinds<BatchNormOptions>({
  mean: 'tensor',
  variance: 'tensor',
  weight: 'tensor|null?',
  bias: 'tensor|null?',
  eps: 'number?',
})

/**
 * Batch normalisation with given statistics: (x - mean)/√(variance + eps)·weight + bias, for x (B, C, ...) (Ioffe and
 * Szegedy, 2015).
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  BATCH_NORM.check('batchNorm', options)
  checkTensors('batchNorm', { x, mean: options.mean, variance: options.variance })
  const { mean, variance, weight, bias, eps = 1e-5 } = options
  checkNorm('batchNorm', x, weight, bias, eps)
  const apart = [-1, ...x.shape.slice(2).map(() => 1)]
  const inverse = variance.add(eps).rsqrt()
  const scale = weight ? inverse.mul(weight) : inverse
  const y = x.sub(mean.reshape(apart)).mul(scale.reshape(apart))
  return bias ? y.add(bias.reshape(apart)) : y
}

/**
 * Batch normalisation with the statistics of the batch. Also returns the mean and the variance (C), without Bessel's
 * correction.
 */
export function batchNormOfBatch(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): { y: Tensor; mean: Tensor; variance: Tensor } {
  checkNorm('batchNormOfBatch', x, weight, bias, eps)
  if (x.rank === 2) {
    const { mean, variance } = batchStatistics(x)
    return { y: batchNorm(x, { mean, variance, weight, bias, eps }), mean, variance }
  }
  const [batch, channels, ...rest] = x.shape
  const found = channelNorm(x.reshape(batch, channels, countOf(rest)), 0, weight, bias, eps)
  return { ...found, y: found.y.reshape(x.shape) }
}

/** Normalises x (B, C, P) over groups of channels of each image, or, if `groups` is 0, each channel over the batch. */
function channelNorm(
  x: Tensor,
  groups: number,
  weight: Tensor | null | undefined,
  bias: Tensor | null | undefined,
  eps: number,
): { y: Tensor; mean: Tensor; variance: Tensor } {
  const [, channels] = x.shape
  const inputs = [x.node, (weight ?? ones([channels])).node, (bias ?? zeros([channels])).node]
  const [y, mean, variance] = g
    .outputs(g.make('channelNorm', inputs, { eps, groups }))
    .map(tensorOf)
  return { y, mean, variance }
}

/** Computes mean and variance (C) of each channel of x (B, C, ...), without Bessel's correction. */
export function batchStatistics(x: Tensor): { mean: Tensor; variance: Tensor } {
  checkTensors('batchStatistics', { x })
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1)
  return { mean: x.mean(axes), variance: x.var(axes, { correction: 0 }) }
}

/** Options of `normalize` and `cosineSimilarity`. */
export interface NormalizeOptions {
  /** Exponent of the norm. Default 2. */
  p?: number
  /** Axis of the vectors. Default 1. */
  axis?: number
  /** Minimum divisor. Default 1e-12, or 1e-8 for `cosineSimilarity`. */
  eps?: number
}

const COMMON = { axis: 'integer?', eps: 'number?' } as const
const SIMILARITY = optionKinds<Omit<NormalizeOptions, 'p'>>(COMMON)
const NORMALIZE = optionKinds<NormalizeOptions>({ ...COMMON, p: 'number?' })

/**
 * Divides x by its p-norm along an axis, which is at least `eps`: f32 (...) -> f32 (...).
 * @throws HeedError for an axis out of range
 */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  checkTensors('normalize', { x })
  NORMALIZE.check('normalize', options)
  const { p = 2, axis = 1, eps = 1e-12 } = options
  return x.div(x.norm(p, axis, true).clamp({ min: eps }))
}

/**
 * Cosine similarity of a and b, f32 (...), along an axis, which is removed from the shape.
 * @throws HeedError for shapes that do not broadcast and an axis out of range
 */
export function cosineSimilarity(
  a: Tensor,
  b: Tensor,
  options: Omit<NormalizeOptions, 'p'> = {},
): Tensor {
  checkTensors('cosineSimilarity', { a, b })
  SIMILARITY.check('cosineSimilarity', options)
  const { axis = 1, eps = 1e-8 } = options
  return normalize(a, { axis, eps }).mul(normalize(b, { axis, eps })).sum(axis)
}

function checkNorm(
  op: string,
  x: Tensor,
  weight: Tensor | null | undefined,
  bias: Tensor | null | undefined,
  eps: number,
): void {
  checkTensors(op, { x })
  checkOptionalTensors(op, { weight, bias })
  checkArgument(op, 'eps', eps, 'number')
}

/** Flattens the last axes of x, which must have this shape. */
function overRows(op: string, x: Tensor, shape: Shape): Tensor {
  if (shape.length <= 1) return x
  const lead = x.shape.slice(0, -shape.length)
  if (showShape([...lead, ...shape]) !== showShape(x.shape))
    throw new ShapeError(
      `${op}: the input must end in the shape of the weight ${showShape(shape)}, got ${showShape(x.shape)}`,
    )
  return x.reshape([...lead, countOf(shape)])
}
