import { F, Parameter, type Tensor } from '../tensor/index.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** One row of `size` numbers for each of `count` ids: (...) i32 -> (..., size). */
export class Embedding extends Module {
  weight: Parameter

  constructor(count: number, size: number, { std = 1 } = {}) {
    super()
    this.weight = new Parameter(init.normal([count, size], std))
  }

  forward(ids: Tensor): Tensor {
    return F.embedding(ids, this.weight)
  }
}
