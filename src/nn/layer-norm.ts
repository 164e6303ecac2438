import { F, Parameter, type Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** Options of `LayerNorm`. */
export interface LayerNormOptions {
  /** Whether to add a bias. Default true. */
  bias?: boolean
}

const LAYER_NORM = optionKinds<LayerNormOptions>({ bias: 'flag?' })

/** Normalises the last axis of x (..., C) to mean 0 and variance 1, then scales and shifts it (Ba et al., 2016). */
export class LayerNorm extends Module {
  /** Scale (C). */
  weight: Parameter
  /** Shift (C), or null. */
  bias: Parameter | null
  /** Added to the variance. */
  readonly eps: number

  /** Creates a layer for `size` features, C. Default `eps` 1e-5. */
  constructor(size: number, eps = 1e-5, options: LayerNormOptions = {}) {
    super()
    LAYER_NORM.check('LayerNorm', options)
    checkArgument('LayerNorm', 'size', size, 'size')
    checkArgument('LayerNorm', 'eps', eps, 'number')
    const { bias = true } = options
    this.weight = new Parameter(init.ones([size]))
    this.bias = bias ? new Parameter(init.zeros([size])) : null
    this.eps = eps
  }

  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.weight, this.bias, this.eps)
  }
}
