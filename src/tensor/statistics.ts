// Order statistics: the tensor is sorted once. Gradients are those of PyTorch.
import { normalizeAxis } from '../graph/shape.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { alternatives, ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { stack } from './create.ts'
import { Indexing } from './indexing.ts'
import type { Tensor } from './tensor.ts'
import { customVjp } from './transforms.ts'

/** Options of `quantile`. */
export interface QuantileOptions {
  /** Whether to keep the reduced axis with size 1. Default false. */
  keepdim?: boolean
  /** How to interpolate between two elements. Default 'linear'. */
  interpolation?: Interpolation
}

/**
 * How a quantile between two elements is computed, as in PyTorch.
 * @useDeclaredType
 */
export type Interpolation = (typeof interpolations)[number]
const interpolations = ['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const

/** Medians and other quantiles. A row that contains NaN gives NaN. */
export abstract class Statistics extends Indexing {
  /**
   * Returns the median, or `{ values, indices }` along an axis. Of two middle elements, the lower one. Without an axis,
   * elements equal to the median share the gradient.
   */
  median(): Tensor
  median(axis: number, keepdim?: boolean): { values: Tensor; indices: Tensor }
  median(axis?: number, keepdim = false): Tensor | { values: Tensor; indices: Tensor } {
    checkArgument('median', 'keepdim', keepdim, 'flag')
    if (axis === undefined) return medianOfAll(this.flatten())
    const at = normalizeAxis(axis, this.rank, 'median')
    if (this.rank === 0) return { values: this.reshape([]), indices: this.argmax() }
    const { values: sorted, indices: order } = this.sort(at)
    const indices = middle(sorted, order, at)
    const values = this.gather(at, indices)
    return keepdim
      ? { values, indices }
      : { values: values.squeeze(at), indices: indices.squeeze(at) }
  }

  /**
   * Returns the q-th quantile of all elements or along an axis. For several q, the result has a new first axis.
   * @param q number or numbers from 0 to 1
   */
  quantile(q: number | readonly number[], axis?: number, options: QuantileOptions = {}): Tensor {
    QUANTILE.check('quantile', options)
    const { keepdim = false, interpolation = 'linear' } = options
    if (!interpolations.includes(interpolation))
      throw wrongArgument('quantile', 'interpolation', interpolation, alternatives(interpolations))
    const shares = typeof q === 'number' ? [q] : q
    checkArgument('quantile', 'q', shares, 'numbers')
    for (const share of shares) checkArgument('quantile', 'q', share, 'share')
    const x = axis === undefined ? this.flatten() : this
    const at = normalizeAxis(axis === undefined ? 0 : axis, x.rank, 'quantile')
    if (x.shape[at] === 0) throw withoutElements('quantile')
    const { values: sorted } = x.to('f32').sort(at)
    const found = shares.map((share) => between(sorted, share, at, interpolation))
    const shape = keepdim
      ? this.shape.map((n, i) => (axis === undefined || i === at ? 1 : n))
      : undefined
    const kept = found.map((y) => (shape ? y.reshape(shape) : y.squeeze(at)))
    return typeof q === 'number' ? kept[0] : stack(kept)
  }
}

const QUANTILE = optionKinds<QuantileOptions>({ keepdim: 'flag?', interpolation: 'text?' })

/**
 * Index of the lower middle element along an axis, of size 1 there. If there is NaN, the index of the last element,
 * which is NaN.
 */
function middle(sorted: Tensor, order: Tensor, axis: number): Tensor {
  const last = sorted.shape[axis] - 1
  if (last < 0) throw withoutElements('median')
  const hasNaN = sorted.narrow(axis, last, 1).isnan()
  return hasNaN.where(order.narrow(axis, last, 1), order.narrow(axis, last >> 1, 1))
}

/** Elements equal to the median share the gradient. */
const medianOfAll = customVjp(
  (x) => {
    const { values, indices } = x.sort(0)
    return x.take(middle(values, indices, 0).squeeze(0))
  },
  (dy, [x], y) => {
    const equal = x.eq(y).logicalOr(x.isnan().logicalAnd(y.isnan())).to('f32')
    return [equal.mul(dy).div(equal.sum())]
  },
)

function between(sorted: Tensor, share: number, axis: number, how: Interpolation): Tensor {
  const last = sorted.shape[axis] - 1
  const rank = share * last
  const at = (place: number): Tensor => sorted.narrow(axis, place, 1)
  const [low, high] = [Math.floor(rank), Math.ceil(rank)]
  const chosen: Record<Interpolation, () => Tensor> = {
    linear: () => (low === high ? at(low) : at(low).lerp(at(high), rank - low)),
    midpoint: () => (low === high ? at(low) : at(low).lerp(at(high), 0.5)),
    lower: () => at(low),
    higher: () => at(high),
    nearest: () => at(halfToEven(rank)),
  }
  return at(last).isnan().where(at(last), chosen[how]())
}

function halfToEven(x: number): number {
  const rounded = Math.round(x)
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

const withoutElements = (op: string): ShapeError =>
  new ShapeError(`${op}: the axis must have at least one element, got none`)
