import { wrongArgument } from '../util/check-argument.ts'
import { alternatives } from '../util/errors.ts'
import type { Tensor } from './tensor.ts'

/**
 * How element-wise losses are reduced: to their mean, to their sum, or not at all.
 * @useDeclaredType
 */
export type Reduction = (typeof reductions)[number]

const reductions = ['mean', 'sum', 'none'] as const

/** Applies the reduction. */
export function reduced(loss: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return loss
  return reduction === 'sum' ? loss.sum() : loss.mean()
}

/** @throws HeedError for an unknown reduction */
export function checkReduction(
  op: string,
  reduction: string,
  others: readonly string[] = [],
): void {
  const names: readonly string[] = [...reductions, ...others]
  if (!names.includes(reduction))
    throw wrongArgument(op, 'reduction', reduction, alternatives(names.map((name) => `'${name}'`)))
}
