import { F, type Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { Module } from './module.ts'

/**
 * In training, sets elements of x (...) to zero with probability p and scales the others by 1/(1 - p) (Srivastava et
 * al., 2014). Identity in evaluation.
 */
export class Dropout extends Module {
  /** Probability that an element is set to zero. */
  readonly p: number

  /** Creates the layer. Default probability 0.5. @throws HeedError unless it is from 0 to 1 */
  constructor(p = 0.5) {
    super()
    checkArgument('Dropout', 'p', p, 'share')
    this.p = p
  }

  forward(x: Tensor): Tensor {
    return this.training ? F.dropout(x, this.p) : x
  }
}
