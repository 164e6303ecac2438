// Views of the same elements. reshape shares the array; all others copy.
import type { TypedArray } from '../../graph/dtype.ts'
import type { Node } from '../../graph/node.ts'
import type { OpAttrs, View } from '../../graph/ops.ts'
import { type Shape, stridesOf } from '../../graph/shape.ts'
import { broadcastLayout, copyStrided, type Layout, plainLayout } from './strided.ts'
import type { Evaluators, Run, Value } from './value.ts'

export const views: Evaluators<View> = {
  reshape: (_, [x]) => x.data,

  permute: (node, [x], run) => {
    const own = stridesOf(x.shape)
    const strides = node.attrs.order.map((axis) => own[axis])
    return gather(node, x, { offset: 0, strides }, run)
  },

  expand: (node, [x], run) => gather(node, x, broadcastLayout(x.shape, node.shape), run),

  slice: (node, [x], run) => {
    const { starts, steps } = node.attrs
    const own = stridesOf(x.shape)
    const offset = starts.reduce((sum, start, i) => sum + start * own[i], 0)
    return gather(node, x, { offset, strides: own.map((s, i) => s * steps[i]) }, run)
  },

  flip: (node, [x], run) => {
    const { axes } = node.attrs
    const own = stridesOf(x.shape)
    const offset = axes.reduce((sum, axis) => sum + (x.shape[axis] - 1) * own[axis], 0)
    const strides = own.map((s, i) => (axes.includes(i) ? -s : s))
    return gather(node, x, { offset, strides }, run)
  },

  window: (node, [x], run) => gather(node, x, windowLayout(x.shape, node.attrs), run),
}

/** The layout of windows (..., P1..Pd, K1..Kd) in an array of shape (..., L1..Ld). */
export function windowLayout(
  shape: Shape,
  { kernel, stride, dilation }: OpAttrs['window'],
): Layout {
  const own = stridesOf(shape)
  const lead = shape.length - kernel.length
  const positions = kernel.map((_, i) => own[lead + i] * stride[i])
  const taps = kernel.map((_, i) => own[lead + i] * dilation[i])
  return { offset: 0, strides: [...own.slice(0, lead), ...positions, ...taps] }
}

function gather(node: Node, x: Value, layout: Layout, run: Run): TypedArray {
  const out = run.empty(node)
  copyStrided(node.shape, x.data, layout, out, plainLayout(node.shape))
  return out
}
