import { showShape } from '../graph/shape.ts'
import { checkArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { checkTensors } from './arguments.ts'
import type { Tensor } from './tensor.ts'

/**
 * Computes the p-norm distance between all pairs of rows: (..., N, C) and (..., M, C) -> (..., N, M). For p = 0, the
 * number of different elements.
 * @throws ShapeError for shapes that do not fit
 */
export function cdist(a: Tensor, b: Tensor, p = 2): Tensor {
  checkTensors('cdist', { a, b })
  checkArgument('cdist', 'p', p, 'number')
  if (a.rank < 2 || b.rank < 2 || a.shape.at(-1) !== b.shape.at(-1))
    throw new ShapeError(
      `cdist: the tensors must be (..., N, C) and (..., M, C), got ${showShape(a.shape)} and ${showShape(b.shape)}`,
    )
  const difference = a.unsqueeze(-2).sub(b.unsqueeze(-3))
  return p === 0 ? difference.ne(0).to('f32').sum(-1) : difference.norm(p, -1)
}
