import { F, Parameter, type Tensor } from '../tensor/index.ts'
import { checkArguments } from '../util/check-argument.ts'
import { isPlain } from '../util/check-keys.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** Options of normalisation layers without running statistics. */
export interface AffineOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
  /** Whether to have a learnable weight and bias. */
  affine?: boolean
}

const AFFINE = optionKinds<AffineOptions>({ eps: 'number?', affine: 'flag?' })

/** Normalises each group of channels of x (B, C, ...) over its channels and positions (Wu and He, 2018). */
export class GroupNorm extends Module {
  /** Scale (C), or null. */
  weight: Parameter | null
  /** Shift (C), or null. */
  bias: Parameter | null
  /** Number of groups. It divides the number of channels. */
  readonly groups: number
  /** Added to the variance. */
  readonly eps: number

  /**
   * Creates a layer for `channels` channels in `groups` groups. Default `eps` 1e-5.
   * @throws ShapeError unless `groups` divides `channels`
   */
  constructor(groups: number, channels: number, options: AffineOptions = {}) {
    super()
    AFFINE.check(new.target.name, options)
    checkArguments(new.target.name, { groups, channels }, 'size')
    const { eps = 1e-5, affine = true } = options
    if (channels % groups !== 0)
      throw new ShapeError(
        `GroupNorm: \`groups\` must be a divisor of the channels (${channels}), got ${groups}`,
        { key: 'groups', value: groups },
      )
    this.weight = affine ? new Parameter(init.ones([channels])) : null
    this.bias = affine ? new Parameter(init.zeros([channels])) : null
    this.groups = groups
    this.eps = eps
  }

  forward(x: Tensor): Tensor {
    return F.groupNorm(x, this.groups, this.weight, this.bias, this.eps)
  }
}

/** Adds the default `affine: false`. Values that are not options are passed unchanged and rejected by the checks. */
const withoutWeights = (options: AffineOptions): AffineOptions =>
  isPlain(options) ? { affine: false, ...options } : options

/** Normalises each channel of x (B, C, L) separately (Ulyanov et al., 2016). No weight and bias by default. */
export class InstanceNorm1d extends GroupNorm {
  /** Creates a layer for `channels` channels. Default `eps` 1e-5. */
  constructor(channels: number, options: AffineOptions = {}) {
    super(channels, channels, withoutWeights(options))
  }
}

/** Normalises each channel of x (B, C, H, W) separately (Ulyanov et al., 2016). No weight and bias by default. */
export class InstanceNorm2d extends InstanceNorm1d {}
