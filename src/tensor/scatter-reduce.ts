// torch.scatter_reduce, with gradients as PyTorch defines them.
import { iota } from '../graph/build.ts'
import { normalizeAxis } from '../graph/shape.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { alternatives } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkTensors } from './arguments.ts'
import { tensorOf } from './core.ts'
import { zeros } from './create.ts'
import { indexNode } from './index-node.ts'
import type { Tensor } from './tensor.ts'
import { customVjp } from './transforms.ts'

/** Options of `scatterReduce`. */
export interface ScatterReduceOptions {
  /** Whether the tensor's own element is included in the reduction. Default true. */
  includeSelf?: boolean
}

/**
 * How elements with the same target are reduced.
 * @useDeclaredType
 */
export type ScatterReduction = keyof typeof reductions

const SCATTER_REDUCE = optionKinds<ScatterReduceOptions>({ includeSelf: 'flag?' })

/** Reduces each element of x with the elements of `source` whose index points to it. See `Tensor.scatterReduce`. */
export function scatterReduce(
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
  how: ScatterReduction,
  options: ScatterReduceOptions = {},
): Tensor {
  SCATTER_REDUCE.check('scatterReduce', options)
  if (!Object.hasOwn(reductions, how))
    throw wrongArgument('scatterReduce', 'reduction', how, alternatives(Object.keys(reductions)))
  const { includeSelf = true } = options
  const at = normalizeAxis(axis, x.rank, 'scatterReduce')
  checkTensors('scatterReduce', { index, source })
  const hits = zeros(x.shape).scatterAdd(at, index, 1)
  // The source may be larger than the index, whose shape then selects the part that is used.
  const used = index.shape.reduce((y, n, i) => (y.shape[i] > n ? y.narrow(i, 0, n) : y), source)
  return reductions[how](x, used, {
    axis: at,
    index: tensorOf(indexNode(index, 'scatterReduce')),
    includeSelf,
    hits,
  })
}

interface Targets {
  axis: number
  index: Tensor
  includeSelf: boolean
  /** f32: number of sources of each element. */
  hits: Tensor
}

type Rule = (x: Tensor, source: Tensor, targets: Targets) => Tensor

/** x where it is included in the reduction, otherwise `neutral`. */
const baseOf = (x: Tensor, neutral: number, { includeSelf, hits }: Targets): Tensor =>
  includeSelf ? x : hits.gt(0).where(neutral, x)

const sum: Rule = (x, source, targets) =>
  baseOf(x, 0, targets).scatterAdd(targets.axis, targets.index, source)

const mean: Rule = (x, source, targets) => {
  const total = sum(x, source, targets)
  const count = targets.hits.add(targets.includeSelf ? 1 : 0).maximum(1)
  return x.dtype === 'f32' ? total.div(count) : total.floorDivide(count.to('i32'))
}

/** Sources are written in sorted order, so that the extreme one is written last. NaN counts as the largest. */
const extreme =
  (largest: boolean): Rule =>
  (x, source, targets) => {
    const { axis, index, includeSelf, hits } = targets
    const extremeOf = (mine: Tensor, given: Tensor): Tensor => {
      const order = given.argsort(axis, !largest)
      const best = mine.scatter(axis, index.gather(axis, order), given.gather(axis, order))
      const both = largest ? mine.maximum(best) : mine.minimum(best)
      const found = includeSelf ? both : best
      if (largest || given.dtype !== 'f32') return found
      const holes = zeros(mine.shape).scatterAdd(axis, index, given.isnan().to('f32'))
      return holes.gt(0).where(Number.NaN, found)
    }
    if (x.dtype !== 'f32') return extremeOf(x, source)
    // Elements equal to the result share the gradient equally.
    return customVjp(extremeOf, (dy, [mine, given], y) => {
      const kept = mine.eq(y).to('f32')
      const theirs = given.eq(y.gather(axis, index)).to('f32')
      // PyTorch counts the tensor's own element even if it is excluded.
      const share = dy.div(kept.scatterAdd(axis, index, theirs))
      const counted = includeSelf ? kept : hits.gt(0).where(0, kept)
      return [counted.mul(share), theirs.mul(share.gather(axis, index))]
    })(x, source)
  }

/** Compares every element with every source along the axis: n·m operations, in one kernel. */
const prod: Rule = (x, source, targets) => {
  const { axis, index } = targets
  const base = baseOf(x, 1, targets)
  const wide = (y: Tensor): Tensor => grownTo(y, x, axis).unsqueeze(axis) // (..., 1, m, ...)
  const place = tensorOf(iota(x.shape, axis)).unsqueeze(axis + 1) // (..., n, 1, ...)
  const factors = wide(index.add(1)).sub(1).eq(place).where(wide(source), 1)
  return base.mul(factors.prod(axis + 1))
}

/** Pads y with zeros to the size of x on all other axes, for elements without an index. */
function grownTo(y: Tensor, x: Tensor, axis: number): Tensor {
  return y.pad(x.shape.map((n, i) => [0, i === axis ? 0 : n - y.shape[i]] as const))
}

const reductions = {
  sum,
  mean,
  prod,
  amax: extreme(true),
  amin: extreme(false),
} as const satisfies Record<string, Rule>
