import { checkTensors } from '../tensor/arguments.ts'
import type { Tensor } from '../tensor/index.ts'
import { checkArguments } from '../util/check-argument.ts'
import { Module } from './module.ts'

/** Returns its input unchanged. A placeholder for a layer. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    checkTensors('Identity', { x })
    return x
  }
}

/** Flattens the axes from `start` to `end`. Default: all except the first. */
export class Flatten extends Module {
  /** First axis to flatten. */
  readonly start: number
  /** Last axis to flatten. */
  readonly end: number

  /** Creates the layer. Negative axes count from the end. Default: from 1 to -1. */
  constructor(start = 1, end = -1) {
    super()
    checkArguments('Flatten', { start, end }, 'integer')
    this.start = start
    this.end = end
  }

  forward(x: Tensor): Tensor {
    checkTensors('Flatten', { x })
    return x.flatten(this.start, this.end)
  }
}
