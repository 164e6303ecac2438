import { checkTensors } from '../tensor/arguments.ts'
import { Parameter, type Tensor } from '../tensor/index.ts'
import { checkArguments } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** Options of `Conv1D`. */
export interface Conv1DOptions {
  /** Standard deviation of the initial weights. Default 0.02. */
  std?: number
}

const CONV1D = optionKinds<Conv1DOptions>({ std: 'number?' })

/** GPT-2's linear layer, whose weight is stored transposed, (in, out): y = x·W + b. (..., inputs) -> (..., outputs). */
export class Conv1D extends Module {
  /** (in, out). */
  weight: Parameter
  /** (out). */
  bias: Parameter

  /** Creates a layer from `inputs` to `outputs` features, with normal weights and a bias of zeros. */
  constructor(inputs: number, outputs: number, options: Conv1DOptions = {}) {
    super()
    CONV1D.check('Conv1D', options)
    checkArguments('Conv1D', { inputs, outputs }, 'size')
    const { std = 0.02 } = options
    this.weight = new Parameter(init.normal([inputs, outputs], std))
    this.bias = new Parameter(init.zeros([outputs]))
  }

  forward(x: Tensor): Tensor {
    checkTensors('Conv1D', { x })
    return x.matmul(this.weight).add(this.bias)
  }
}
