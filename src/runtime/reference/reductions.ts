// Reductions move the reduced axes to the end and then reduce each row.
import type { DType, TypedArray } from '../../graph/dtype.ts'
import type { Node } from '../../graph/node.ts'
import type { Reduction } from '../../graph/ops.ts'
import { countOf, stridesOf } from '../../graph/shape.ts'
import { copyStrided, plainLayout } from './strided.ts'
import type { Evaluators, Run, Value } from './value.ts'

type RowRule = (data: TypedArray, start: number, end: number) => number

export const reductions: Evaluators<Reduction> = {
  sum: (node, [x], run) => reduce(node, x, run, isWhole(x.dtype) ? wholeSum : sum),
  prod: (node, [x], run) => reduce(node, x, run, isWhole(x.dtype) ? wholeProduct : product),
  amax: (node, [x], run) => reduce(node, x, run, largest),
  amin: (node, [x], run) => reduce(node, x, run, smallest),
  argmax: (node, [x], run) =>
    reduce(node, x, run, (data, start, end) => {
      let best = start
      for (let i = start + 1; i < end; i++) if (beats(data[i], data[best])) best = i
      return best - start
    }),
  argmin: (node, [x], run) =>
    reduce(node, x, run, (data, start, end) => {
      let best = start
      for (let i = start + 1; i < end; i++) if (beats(-data[i], -data[best])) best = i
      return best - start
    }),
}

function reduce(node: Node<Reduction>, x: Value, run: Run, rule: RowRule): TypedArray {
  const out = run.empty(node)
  const data = reducedLast(x, node.attrs.axes, run)
  const length = node.attrs.axes.reduce((n, axis) => n * x.shape[axis], 1)
  for (let row = 0; row < out.length; row++) out[row] = rule(data, row * length, (row + 1) * length)
  if (node.dtype === 'bool') for (let i = 0; i < out.length; i++) out[i] = out[i] ? 1 : 0
  return out
}

/** The elements with the reduced axes, in ascending order, after the others. */
function reducedLast(x: Value, axes: readonly number[], run: Run): TypedArray {
  const rank = x.shape.length
  const all = x.shape.map((_, axis) => axis)
  const order = [
    ...all.filter((axis) => !axes.includes(axis)),
    ...all.filter((axis) => axes.includes(axis)),
  ]
  if (order.every((axis, i) => axis === i) || rank === 0) return x.data
  const shape = order.map((axis) => x.shape[axis])
  const own = stridesOf(x.shape)
  const out = run.empty({ shape, dtype: x.dtype })
  const strides = order.map((axis) => own[axis])
  if (countOf(shape) > 0)
    copyStrided(shape, x.data, { offset: 0, strides }, out, plainLayout(shape))
  return out
}

/** bool is reduced as an integer; results other than 0 are stored as 1. */
const isWhole = (dtype: DType): boolean => dtype !== 'f32'

const sum: RowRule = (data, start, end) => {
  let total = 0
  for (let i = start; i < end; i++) total += data[i]
  return total
}

const product: RowRule = (data, start, end) => {
  let total = 1
  for (let i = start; i < end; i++) total *= data[i]
  return total
}

const wholeSum: RowRule = (data, start, end) => {
  let total = 0
  for (let i = start; i < end; i++) total = (total + data[i]) | 0
  return total
}

const wholeProduct: RowRule = (data, start, end) => {
  let total = 1
  for (let i = start; i < end; i++) total = Math.imul(total, data[i])
  return total
}

// Both return NaN if any element is NaN.
const largest: RowRule = (data, start, end) => {
  let best = Number.NEGATIVE_INFINITY
  for (let i = start; i < end; i++) best = Math.max(best, data[i])
  return best
}

const smallest: RowRule = (data, start, end) => {
  let best = Number.POSITIVE_INFINITY
  for (let i = start; i < end; i++) best = Math.min(best, data[i])
  return best
}

/** NaN is above all numbers; among equal values the first one remains. */
function beats(x: number, best: number): boolean {
  return x > best || (Number.isNaN(x) && !Number.isNaN(best))
}
