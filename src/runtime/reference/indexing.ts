// Reading and writing at positions that are known only when the program runs.
import type { TypedArray } from '../../graph/dtype.ts'
import type { Node } from '../../graph/node.ts'
import { countOf, type Shape, stridesOf } from '../../graph/shape.ts'
import { invalidPlaces } from '../invalid-places.ts'
import { copyStrided, plainLayout } from './strided.ts'
import type { Evaluators, Run, Value } from './value.ts'

type Indexing = 'take' | 'scatterAdd' | 'scatterSet' | 'sliceAt' | 'updateAt'

export const indexing: Evaluators<Indexing> = {
  take: (node, [x, index], run) => {
    const out = run.empty(node)
    eachPlace(node, x.shape, index, (place, at, inner) => {
      for (let i = 0; i < inner; i++) out[at + i] = x.data[place + i]
    })
    return out
  },

  scatterAdd: (node, [base, index, source], run) => {
    const out = copied(base, run)
    eachPlace(node, base.shape, index, (place, at, inner) => {
      for (let i = 0; i < inner; i++) out[place + i] += source.data[at + i]
    })
    return out
  },

  scatterSet: (node, [base, index, source], run) => {
    const out = copied(base, run)
    eachPlace(node, base.shape, index, (place, at, inner) => {
      for (let i = 0; i < inner; i++) out[place + i] = source.data[at + i]
    })
    return out
  },

  sliceAt: (node, [x, offset], run) => {
    const { axis, size } = node.attrs
    const out = run.empty(node)
    const start = checkedOffset(offset, size, axis, x.shape[axis])
    const strides = stridesOf(x.shape)
    const source = { offset: start * strides[axis], strides }
    copyStrided(node.shape, x.data, source, out, plainLayout(node.shape))
    return out
  },

  updateAt: ({ attrs: { axis } }, [x, source, offset], run) =>
    overwritten(x, source, offset, axis, run),
}

/** A copy of `x` in which `source` overwrites the elements from `offset` along `axis`. */
export function overwritten(
  x: Value,
  source: Value,
  offset: Value,
  axis: number,
  run: Run,
): TypedArray {
  const out = copied(x, run)
  const start = checkedOffset(offset, source.shape[axis], axis, x.shape[axis])
  const strides = stridesOf(x.shape)
  const target = { offset: start * strides[axis], strides }
  copyStrided(source.shape, source.data, plainLayout(source.shape), out, target)
  return out
}

/**
 * Visits each index with the start of its slice in an array of `shape` (`place`), the start in an array
 * with the shape of take's output (`at`), and the number of contiguous elements (`inner`).
 */
function eachPlace(
  node: Node<'take' | 'scatterAdd' | 'scatterSet'>,
  shape: Shape,
  index: Value,
  visit: (place: number, at: number, inner: number) => void,
): void {
  const { axis } = node.attrs
  const size = shape[axis]
  const outer = countOf(shape.slice(0, axis))
  const inner = countOf(shape.slice(axis + 1))
  let at = 0
  for (let o = 0; o < outer; o++)
    for (const i of index.data) {
      if (i < 0 || i >= size)
        throw invalidPlaces(
          node.op,
          `${node.op}: index ${i} is out of range for axis ${axis}, which has size ${size}`,
        )
      visit((o * size + i) * inner, at, inner)
      at += inner
    }
}

function checkedOffset({ data }: Value, count: number, axis: number, size: number): number {
  const start = data[0]
  if (start < 0 || start + count > size)
    throw invalidPlaces(
      'slice',
      `[${start}, ${start + count}) is out of range for axis ${axis}, which has size ${size}`,
    )
  return start
}

function copied(x: Value, run: Run): TypedArray {
  const out = run.empty(x)
  out.set(x.data)
  return out
}
