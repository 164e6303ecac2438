import { Parameter, type Tensor } from '../tensor/index.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** GPT-2's name for a linear layer whose weight is stored (in, out): y = x·W + b. */
export class Conv1D extends Module {
  weight: Parameter
  bias: Parameter

  constructor(inputs: number, outputs: number, { std = 0.02 } = {}) {
    super()
    this.weight = new Parameter(init.normal([inputs, outputs], std))
    this.bias = new Parameter(init.zeros([outputs]))
  }

  forward(x: Tensor): Tensor {
    return x.matmul(this.weight).add(this.bias)
  }
}
