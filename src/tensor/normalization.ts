// The norms of torch.nn.functional.
import * as g from '../graph/build.ts'
import { countOf, type Shape, showShape } from '../graph/shape.ts'
import { ShapeError } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import { ones, zeros } from './create.ts'
import type { Tensor } from './tensor.ts'

/** Over the axes that the weight has, the last ones; without a weight the last (Ba et al., 2016). */
export function layerNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  const shape = weight?.shape ?? bias?.shape ?? x.shape.slice(-1)
  const rows = overRows('layerNorm', x, shape)
  const gamma = weight?.flatten() ?? ones([countOf(shape)])
  const beta = bias?.flatten() ?? zeros([countOf(shape)])
  const y = g.pick(g.make('layerNorm', [rows.node, gamma.node, beta.node], { eps }), 0)
  return tensorOf(g.reshape(y, x.shape))
}

/** As `layerNorm`, without a mean (Zhang and Sennrich, 2019). */
export function rmsNorm(x: Tensor, weight?: Tensor | null, eps = 1e-6): Tensor {
  const shape = weight?.shape ?? x.shape.slice(-1)
  const rows = overRows('rmsNorm', x, shape)
  const gamma = weight?.flatten() ?? ones([countOf(shape)])
  const y = g.pick(g.make('rmsNorm', [rows.node, gamma.node], { eps }), 0)
  return tensorOf(g.reshape(y, x.shape))
}

/** Over groups of the channels of x (B, C, ...); weight and bias (C) (Wu and He, 2018). */
export function groupNorm(
  x: Tensor,
  groups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  const [batch, channels, ...rest] = x.shape
  if (channels === undefined || channels % groups !== 0)
    throw new ShapeError(
      `groupNorm: the channels must be divisible by ${groups} groups, got shape ${showShape(x.shape)}`,
    )
  return channelNorm(
    x.reshape(batch, channels, countOf(rest)),
    groups,
    weight,
    bias,
    eps,
  ).y.reshape(x.shape)
}

/** Over all places of each channel of x (B, C, ...); weight and bias (C) (Ulyanov et al., 2016). */
export function instanceNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  return groupNorm(x, x.shape[1], weight, bias, eps)
}

export interface BatchNormOptions {
  /** Of each channel (C): running statistics, or those of the batch itself. */
  mean: Tensor
  /** Without Bessel's correction. */
  variance: Tensor
  weight?: Tensor | null
  bias?: Tensor | null
  eps?: number
}

/** x (B, C, ...) with each channel's mean taken away, over its deviation (Ioffe and Szegedy, 2015). */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  const { mean, variance, weight, bias, eps = 1e-5 } = options
  const apart = [-1, ...x.shape.slice(2).map(() => 1)]
  const inverse = variance.add(eps).rsqrt()
  const scale = weight ? inverse.mul(weight) : inverse
  const y = x.sub(mean.reshape(apart)).mul(scale.reshape(apart))
  return bias ? y.add(bias.reshape(apart)) : y
}

/**
 * `batchNorm` with the batch's own mean and variance (C), which come with it; the latter without
 * Bessel's correction.
 */
export function batchNormOfBatch(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): { y: Tensor; mean: Tensor; variance: Tensor } {
  if (x.rank === 2) {
    const { mean, variance } = batchStatistics(x)
    return { y: batchNorm(x, { mean, variance, weight, bias, eps }), mean, variance }
  }
  const [batch, channels, ...rest] = x.shape
  const found = channelNorm(x.reshape(batch, channels, countOf(rest)), 0, weight, bias, eps)
  return { ...found, y: found.y.reshape(x.shape) }
}

/** x (B, C, P), normalised by groups of the channels of each image, or (0) each channel over the batch. */
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

/** Mean and variance (C) of each channel of x (B, C, ...), without Bessel's correction. */
export function batchStatistics(x: Tensor): { mean: Tensor; variance: Tensor } {
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1)
  return { mean: x.mean(axes), variance: x.var(axes, { correction: 0 }) }
}

/** x over its p-norm along an axis, which counts as `eps` at least. */
export function normalize(x: Tensor, { p = 2, axis = 1, eps = 1e-12 } = {}): Tensor {
  return x.div(x.norm(p, axis, true).clamp({ min: eps }))
}

/** The cosine of the angle between two along an axis, which disappears. */
export function cosineSimilarity(a: Tensor, b: Tensor, { axis = 1, eps = 1e-8 } = {}): Tensor {
  return normalize(a, { axis, eps }).mul(normalize(b, { axis, eps })).sum(axis)
}

/** x with its last axes, which have this shape, as one. */
function overRows(op: string, x: Tensor, shape: Shape): Tensor {
  if (shape.length <= 1) return x
  const lead = x.shape.slice(0, -shape.length)
  if (showShape([...lead, ...shape]) !== showShape(x.shape))
    throw new ShapeError(
      `${op}: the input must end in the shape of the weight ${showShape(shape)}, got ${showShape(x.shape)}`,
    )
  return x.reshape([...lead, countOf(shape)])
}
