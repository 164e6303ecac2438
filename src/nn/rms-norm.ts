import { F, Parameter, type Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/**
 * Divides the last axis of x (..., C) by its root mean square, then scales it by a weight (Zhang and Sennrich, 2019).
 */
export class RMSNorm extends Module {
  /** Scale (C). */
  weight: Parameter
  /** Added to the mean square. */
  readonly eps: number

  /** Creates a layer for `size` features, C. Default `eps` 1e-6. */
  constructor(size: number, eps = 1e-6) {
    super()
    checkArgument('RMSNorm', 'size', size, 'size')
    checkArgument('RMSNorm', 'eps', eps, 'number')
    this.weight = new Parameter(init.ones([size]))
    this.eps = eps
  }

  forward(x: Tensor): Tensor {
    return F.rmsNorm(x, this.weight, this.eps)
  }
}
