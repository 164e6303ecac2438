import { F, Parameter, type Tensor } from '../tensor/index.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** Normalises the last axis to mean 0 and variance 1, then scales and shifts it (Ba et al., 2016). */
export class LayerNorm extends Module {
  weight: Parameter
  bias: Parameter | null
  readonly eps: number

  constructor(size: number, eps = 1e-5, { bias = true } = {}) {
    super()
    this.weight = new Parameter(init.ones([size]))
    this.bias = bias ? new Parameter(init.zeros([size])) : null
    this.eps = eps
  }

  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.weight, this.bias, this.eps)
  }
}
