import type { TypedArray } from '../../graph/dtype.ts'
import { countOf } from '../../graph/shape.ts'
import { broadcastLayout, eachRow } from './strided.ts'
import type { Evaluate } from './value.ts'

/** (..., M, K) x (..., K, N), accumulated in double precision. */
export const matmul: Evaluate<'matmul'> = (node, [a, b], run) => {
  const out = run.empty(node)
  const [m, n] = node.shape.slice(-2)
  const k = a.shape.at(-1) as number
  const batch = node.shape.slice(0, -2)
  const matrices = [
    broadcastLayout(a.shape.slice(0, -2), batch),
    broadcastLayout(b.shape.slice(0, -2), batch),
  ]
  const sums = new Float64Array(n)
  let at = 0
  eachRow(batch, matrices, (count, [i, j], [stepA, stepB]) => {
    for (let c = 0; c < count; c++, i += stepA, j += stepB) {
      const right = b.data.subarray(j * k * n, (j + 1) * k * n)
      for (let row = 0; row < m; row++, at += n) {
        const start = (i * m + row) * k
        rowTimesMatrix(a.data.subarray(start, start + k), right, sums)
        out.set(sums, at)
      }
    }
  })
  if (at !== countOf(node.shape)) throw new Error('matmul: not every row was computed')
  return out
}

/** sums[j] = Σ row[k]·matrix[k][j], four k at a time, so that the sums are loaded and stored less often. */
function rowTimesMatrix(row: TypedArray, matrix: TypedArray, sums: Float64Array): void {
  const n = sums.length
  const whole = row.length - (row.length % 4)
  sums.fill(0)
  for (let k = 0; k < whole; k += 4) {
    const [r0, r1, r2, r3] = [row[k], row[k + 1], row[k + 2], row[k + 3]]
    for (let j = 0, p = k * n; j < n; j++, p++)
      sums[j] +=
        r0 * matrix[p] + r1 * matrix[p + n] + r2 * matrix[p + 2 * n] + r3 * matrix[p + 3 * n]
  }
  for (let k = whole; k < row.length; k++)
    for (let j = 0, p = k * n; j < n; j++, p++) sums[j] += row[k] * matrix[p]
}
