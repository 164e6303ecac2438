import type { Tensor } from '../tensor/index.ts'
import { optionKinds } from '../util/options.ts'
import { type Activation, activationOf } from './activations.ts'
import { Dropout } from './dropout.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

export interface MLPConfig {
  /** Width of the input, of each hidden layer and of the output. */
  sizes: readonly number[]
  /** Default relu. */
  activation?: Activation
  /** After each hidden layer. Default 0. */
  dropout?: number
}

/** Linear layers with an activation between them: a multi-layer perceptron. */
export class MLP extends Module<MLPConfig> {
  static readonly configRules = optionKinds<MLPConfig>({
    sizes: 'numbers',
    activation: 'text?',
    dropout: 'share?',
  })

  layers = this.config.sizes.slice(1).map((size, i) => new Linear(this.config.sizes[i], size))
  dropout = new Dropout(this.config.dropout ?? 0)

  forward(x: Tensor): Tensor {
    const activate = activationOf('MLP', this.config.activation ?? 'relu')
    const last = this.layers.length - 1
    return this.layers.reduce((y, layer, i) => {
      const out = layer.forward(y)
      return i < last ? this.dropout.forward(activate(out)) : out
    }, x)
  }
}
