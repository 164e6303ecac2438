import type { Tensor } from '../tensor/index.ts'
import { optionKinds } from '../util/options.ts'
import { type Activation, activationOf } from './activations.ts'
import { Dropout } from './dropout.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

/** Config of `MLP`. */
export interface MLPConfig {
  /** Widths of the input, of each hidden layer and of the output. */
  sizes: readonly number[]
  /** Activation function of the hidden layers. Default relu. */
  activation?: Activation
  /** Dropout probability after each hidden layer. Default 0. */
  dropout?: number
}

/**
 * Multi-layer perceptron: linear layers with an activation function between them. (..., first size) -> (..., last
 * size).
 */
export class MLP extends Module<MLPConfig> {
  /** @hidden */
  static readonly configRules = optionKinds<MLPConfig>({
    sizes: 'numbers',
    activation: 'text?',
    dropout: 'share?',
  })

  /** The linear layers, from the input to the output. */
  layers = this.config.sizes.slice(1).map((size, i) => new Linear(this.config.sizes[i], size))
  /** Dropout after each hidden layer. */
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
