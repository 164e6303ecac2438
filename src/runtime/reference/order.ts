// Sorting along the last axis: stable, with NaN above all numbers.
import type { TypedArray } from '../../graph/dtype.ts'
import type { Node } from '../../graph/node.ts'
import type { Evaluators, Run, Value } from './value.ts'

export const order: Evaluators<'sort' | 'topk'> = {
  sort: (node, [x], run) => ordered(node, x, node.attrs.descending, x.shape.at(-1) as number, run),
  topk: (node, [x], run) => ordered(node, x, node.attrs.largest, node.attrs.k, run),
}

/** The first `count` values of each sorted row, and their indices in the row. */
function ordered(
  node: Node<'sort' | 'topk'>,
  x: Value,
  descending: boolean,
  count: number,
  run: Run,
): TypedArray[] {
  const [values, indices] = (node.forms ?? []).map((form) => run.empty(form))
  const length = x.shape.at(-1) as number
  const places = new Int32Array(length)
  for (let row = 0; row * count < values.length; row++) {
    const data = x.data.subarray(row * length, (row + 1) * length)
    for (let i = 0; i < length; i++) places[i] = i
    places.sort((i, j) => (descending ? compare(data[j], data[i]) : compare(data[i], data[j])))
    for (let i = 0; i < count; i++) {
      values[row * count + i] = data[places[i]]
      indices[row * count + i] = places[i]
    }
  }
  return [values, indices]
}

function compare(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1
  if (Number.isNaN(b)) return -1
  return a < b ? -1 : a > b ? 1 : 0
}
