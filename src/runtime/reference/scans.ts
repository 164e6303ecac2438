// Cumulative sums, products and maxima along one axis.
import type { DType } from '../../graph/dtype.ts'
import { countOf } from '../../graph/shape.ts'
import type { Evaluate, Evaluators } from './value.ts'

type Cumulative = 'cumsum' | 'cumprod' | 'cummax'
type Combine = (sum: number, x: number) => number

export const scans: Evaluators<Cumulative> = {
  cumsum: along((dtype) => (dtype === 'f32' ? (sum, x) => sum + x : (sum, x) => (sum + x) | 0)),
  cumprod: along((dtype) => (dtype === 'f32' ? (sum, x) => sum * x : Math.imul)),
  cummax: along(() => (best, x) => Math.max(best, x)), // after a NaN, all results are NaN
}

function along(choose: (dtype: DType) => Combine): Evaluate<Cumulative> {
  return (node, [x], run) => {
    const { axis } = node.attrs
    const combine = choose(node.dtype)
    const out = run.empty(node)
    const size = x.shape[axis] ?? 1 // a scalar has no axis
    const inner = countOf(x.shape.slice(axis + 1))
    for (let block = 0; block < out.length; block += size * inner)
      for (let column = block; column < block + inner; column++) {
        let total = x.data[column]
        out[column] = total
        for (let i = 1; i < size; i++) {
          const at = column + i * inner
          total = combine(total, x.data[at])
          out[at] = total
        }
      }
    return out
  }
}
