import { checkTensors } from '../tensor/arguments.ts'
import { Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { Module } from './module.ts'

/** A module with one input and one output. */
export type Layer = Module & {
  /** Computes the output of the layer. */
  forward(x: Tensor): Tensor
}

/** A layer of `Sequential`: a module with one input, or a function of a tensor. */
export type SequentialLayer = Layer | ((x: Tensor) => Tensor)

/** Applies modules and functions in sequence. Their names are 0, 1, 2 …, as in PyTorch. */
export class Sequential extends Module {
  readonly [index: number]: Layer
  /** Number of layers. */
  readonly length: number

  /** Creates a sequence of these layers. A function becomes a layer without parameters. */
  constructor(...layers: SequentialLayer[]) {
    super()
    Object.assign(this, layers.map(layerOf))
    this.length = layers.length
  }

  forward(x: Tensor): Tensor {
    checkTensors('Sequential', { x })
    let out = x
    for (let i = 0; i < this.length; i++) {
      out = this[i].forward(out)
      if (!(out instanceof Tensor))
        throw wrongArgument('Sequential', `the result of layer ${i}`, out, 'a tensor')
    }
    return out
  }
}

function layerOf(layer: SequentialLayer, index: number): Layer {
  if (typeof layer === 'function') return new FunctionLayer(layer)
  if (typeof layer?.forward === 'function') return layer
  throw wrongArgument(
    'Sequential',
    `layers[${index}]`,
    layer,
    'a module or a function',
    Array.isArray(layer) ? 'Spread an array: new Sequential(...layers).' : undefined,
  )
}

/** Wraps a function without parameters in a module. */
class FunctionLayer extends Module {
  readonly #compute: (x: Tensor) => Tensor

  constructor(compute: (x: Tensor) => Tensor) {
    super()
    this.#compute = compute
  }

  forward(x: Tensor): Tensor {
    return this.#compute(x)
  }
}
