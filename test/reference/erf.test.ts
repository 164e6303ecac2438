import { expect, it } from 'vitest'
import { erf } from '../../src/runtime/reference/erf.ts'

// From tables with 17 digits.
it.each([
  [0, 0],
  [1e-10, 1.1283791670955126e-10],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [2, 0.9953222650189527],
  [2.49, 0.9995707121322661],
  [2.51, 0.9996142945182758],
  [3, 0.9999779095030014],
  [5, 0.9999999999984626],
  [7, 1],
  [Number.POSITIVE_INFINITY, 1],
])('erf(%d) is %d', (x, y) => {
  expect(Math.abs(erf(x) - y)).toBeLessThanOrEqual(2e-15 * Math.max(y, 1e-10))
  expect(erf(-x)).toBe(-erf(x))
})

it('keeps NaN and the sign of zero', () => {
  expect(erf(Number.NaN)).toBeNaN()
  expect(erf(-0)).toBe(-0)
})
