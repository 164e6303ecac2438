import { sameShape, showShape } from '../graph/shape.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkTensors } from './arguments.ts'
import { zeros } from './create.ts'
import type { Tensor } from './tensor.ts'

/** Options of `searchsorted`. */
export interface SearchOptions {
  /** Whether to return the position after equal elements rather than before them. Default false. */
  right?: boolean
}

const SEARCH = optionKinds<SearchOptions>({ right: 'flag?' })

/**
 * Finds where each value (..., M) would be inserted in a sorted sequence (..., N) to keep it sorted, by binary search.
 * A sequence (N) accepts values of any shape. NaN is the largest value.
 * @returns i32, in the shape of the values
 */
export function searchsorted(sorted: Tensor, values: Tensor, options: SearchOptions = {}): Tensor {
  checkTensors('searchsorted', { sorted, values })
  SEARCH.check('searchsorted', options)
  const { right = false } = options
  const length = sorted.shape.at(-1)
  if (length === undefined || (sorted.rank > 1 && !sameShape(leading(sorted), leading(values))))
    throw new ShapeError(
      `searchsorted: the sequence must be (N), or have the leading axes of the values, got ${showShape(sorted.shape)} and ${showShape(values.shape)}`,
    )
  const wanted = sorted.rank === 1 ? values.flatten() : values
  let place = zeros(wanted.shape, 'i32')
  // From the highest bit of the position to the lowest.
  for (let step = 2 ** Math.floor(Math.log2(length || 0.5)); step >= 1; step /= 2) {
    const next = place.add(step)
    const last = sorted.gather(-1, next.sub(1).minimum(length - 1))
    const before = (right ? last.gt(wanted) : last.ge(wanted)).logicalNot()
    place = next.le(length).logicalAnd(before).where(next, place)
  }
  return place.reshape(values.shape)
}

const leading = ({ shape }: Tensor): readonly number[] => shape.slice(0, -1)
