import type { Tensor } from '../tensor/index.ts'
import { Module } from './module.ts'

type Layer = Module & { forward(x: Tensor): Tensor }

/** Modules one after the other. Their names are 0, 1, 2 …, as in PyTorch. */
export class Sequential extends Module {
  readonly [index: number]: Layer
  readonly length: number

  constructor(...layers: Layer[]) {
    super()
    Object.assign(this, layers)
    this.length = layers.length
  }

  forward(x: Tensor): Tensor {
    let out = x
    for (let i = 0; i < this.length; i++) out = this[i].forward(out)
    return out
  }
}
