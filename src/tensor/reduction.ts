import { wrongArgument } from '../util/check-argument.ts'
import { alternatives } from '../util/errors.ts'
import type { Tensor } from './tensor.ts'

/** What becomes of the losses of all elements. */
export type Reduction = (typeof reductions)[number]

const reductions = ['mean', 'sum', 'none'] as const

export function reduced(loss: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return loss
  return reduction === 'sum' ? loss.sum() : loss.mean()
}

/** @throws HeedError for another word */
export function checkReduction(
  op: string,
  reduction: string,
  others: readonly string[] = [],
): void {
  const names: readonly string[] = [...reductions, ...others]
  if (!names.includes(reduction))
    throw wrongArgument(op, 'reduction', reduction, alternatives(names.map((name) => `'${name}'`)))
}
