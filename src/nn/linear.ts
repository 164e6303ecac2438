import { F, Parameter, type Tensor } from '../tensor/index.ts'
import { checkArguments, wrongArgument } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** Options of `Linear`. */
export interface LinearOptions {
  /** Whether to add a bias, or another module's bias to share. Default true. */
  bias?: boolean | Parameter
  /**
   * Standard deviation of normally distributed initial weights, with a bias of zeros. Default: PyTorch's uniform
   * values.
   */
  std?: number
  /** Another module's weight to share. */
  weight?: Parameter
}

const LINEAR = optionKinds<LinearOptions>({ bias: 'any?', std: 'number?', weight: 'tensor?' })

/** Linear layer: y = x·Wᵀ + b, with a weight (out, in). (..., inputs) -> (..., outputs). */
export class Linear extends Module {
  /** (out, in). */
  weight: Parameter
  /** (out), or null. */
  bias: Parameter | null

  /** Creates a layer from `inputs` to `outputs` features. */
  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    super()
    LINEAR.check('Linear', options)
    checkArguments('Linear', { inputs, outputs }, 'size')
    const { bias = true, std, weight } = options
    const bound = 1 / Math.sqrt(inputs)
    const first = (shape: number[]): Tensor =>
      std === undefined ? init.uniform(shape, -bound, bound) : init.normal(shape, std)
    const firstBias = (): Tensor => (std === undefined ? first([outputs]) : init.zeros([outputs]))
    this.weight = weight ?? new Parameter(first([outputs, inputs]))
    if (bias instanceof Parameter) this.bias = bias
    else if (typeof bias !== 'boolean')
      throw wrongArgument('Linear', 'bias', bias, 'true, false or a Parameter')
    else this.bias = bias ? new Parameter(firstBias()) : null
  }

  forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias)
  }

  /**
   * Returns the mean cross-entropy of the layer's outputs with class indices, without all outputs in memory (see
   * `F.linearCrossEntropy`). A layer with a bias or with hooks computes its outputs.
   * @param x f32 (..., in)
   * @param target class indices (...); -100 is ignored
   */
  crossEntropy(x: Tensor, target: Tensor): Tensor {
    if (this.bias || this.isHooked) return F.crossEntropy(this.forward(x), target)
    return this.named(() => F.linearCrossEntropy(x, this.weight, target))
  }
}
