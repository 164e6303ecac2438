// Longer derivations used by the table of gradient rules.
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import type { OpAttrs } from '../graph/ops.ts'
import { countOf, type Shape } from '../graph/shape.ts'

/** 1 where `wins` is true, 1/2 where a equals b, otherwise 0: PyTorch's gradient of maximum and minimum. */
export function tieShare(wins: Node, a: Node, b: Node): Node {
  const half = g.scale(g.cast(g.binary('eq', a, b), 'f32'), 0.5)
  return g.add(g.cast(wins, 'f32'), half)
}

/** The adjoint of a slice: places the gradient in zeros of the original shape. */
export function undoSlice(dy: Node, shape: Shape, { starts, steps }: OpAttrs['slice']): Node {
  let out = dy
  const before: number[] = []
  const after: number[] = []
  for (let axis = 0; axis < shape.length; axis++) {
    if (steps[axis] > 1) out = spread(out, axis, steps[axis])
    before.push(starts[axis])
    after.push(shape[axis] - starts[axis] - out.shape[axis])
  }
  // A spread axis may end in zeros beyond the original size.
  const over = after.map((n) => Math.max(0, -n))
  if (over.some((n) => n > 0)) {
    const sizes = out.shape.map((n, i) => n - over[i])
    out = g.slice(
      out,
      sizes.map(() => 0),
      sizes,
    )
  }
  return g.pad(
    out,
    before,
    after.map((n) => Math.max(0, n)),
  )
}

/** Inserts zeros along an axis: [a, b] -> [a, 0, 0, b, 0, 0] for step 3. */
function spread(x: Node, axis: number, step: number): Node {
  const wide = g.unsqueeze(x, [axis + 1])
  const after = wide.shape.map((_, i) => (i === axis + 1 ? step - 1 : 0))
  const padded = g.pad(
    wide,
    after.map(() => 0),
    after,
  )
  return g.reshape(
    padded,
    x.shape.map((n, i) => (i === axis ? n * step : n)),
  )
}

/** The adjoint of `gather` along `axis`: adds each gradient at the position that `index` read. */
export function gatherBackward(shape: Shape, index: Node, axis: number, dy: Node): Node {
  const zeros = g.filled(0, [countOf(shape)])
  const flat = g.scatter('scatterAdd', zeros, g.flatIndex(shape, index, axis), dy, 0)
  return g.reshape(flat, shape)
}

/**
 * d prod: the gradient of each factor is the product of the others. It is the product of all factors
 * to the left times that of all to the right, without a division, so that zeros are allowed.
 */
export function prodBackward(x: Node, axes: readonly number[], dy: Node): Node {
  const rank = x.shape.length
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const order = [...kept, ...axes]
  const moved = g.permute(x, order)
  const count = axes.reduce((n, axis) => n * x.shape[axis], 1)
  const flat = g.reshape(moved, [...kept.map((i) => x.shape[i]), count])
  const axis = kept.length
  const left = exclusiveProduct(flat, axis)
  const right = g.flip(exclusiveProduct(g.flip(flat, [axis]), axis), [axis])
  const grad = g.mul(g.mul(left, right), g.unsqueeze(dy, [axis]))
  const inverse = new Array<number>(rank)
  order.forEach((from, to) => {
    inverse[from] = to
  })
  return g.permute(g.reshape(grad, moved.shape), inverse)
}

/** Exclusive cumulative product: [a, b, c] -> [1, a, a·b]. */
function exclusiveProduct(x: Node, axis: number): Node {
  const n = x.shape[axis]
  if (n === 0) return x
  const products = g.make('cumprod', [x], { axis })
  const ones = g.filled(
    1,
    x.shape.map((size, i) => (i === axis ? 1 : size)),
  )
  return g.concat([ones, g.narrow(products, axis, 0, n - 1)], axis)
}

/**
 * d cumprod without a division, so that zeros are allowed: dx[k] = Σ over i >= k of
 * dy[i] · Π over j <= i, j != k of x[j]. Needs memory for n² elements along the axis.
 */
export function pairProducts(x: Node, axis: number, dy: Node): Node {
  const n = x.shape[axis]
  const rows = axis // k
  const columns = axis + 1 // j, then i
  const shape = [...x.shape.slice(0, axis), n, ...x.shape.slice(axis)]
  const k = g.iota(shape, rows)
  const j = g.iota(shape, columns)
  const others = g.where(g.binary('eq', k, j), g.constant(1), g.unsqueeze(x, [rows]))
  const products = g.make('cumprod', [others], { axis: columns })
  const terms = g.mul(g.unsqueeze(dy, [rows]), products)
  return g.sum(g.where(g.binary('le', k, j), terms, g.constant(0)), [columns])
}
