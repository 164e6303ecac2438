import { describe, expect, it } from 'vitest'
import { bootstrap, geometricMean, median } from '../../bench/statistics.ts'

describe('statistics of the bench', () => {
  it('takes the middle, or the mean of the two middles', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
  })

  it('weighs ratios alike', () => {
    expect(geometricMean([0.5, 2])).toBeCloseTo(1)
  })

  it('finds an interval around the median, the same one each time', () => {
    const values = [1.0, 1.1, 0.9, 1.05, 0.95, 1.2, 0.8]
    const { low, high } = bootstrap(values)
    expect(low).toBeLessThan(1)
    expect(high).toBeGreaterThan(1)
    expect(low).toBeGreaterThanOrEqual(0.8)
    expect(high).toBeLessThanOrEqual(1.2)
    expect(bootstrap(values)).toEqual({ low, high })
  })

  it('has no doubt about values that are all the same', () => {
    expect(bootstrap([2, 2, 2])).toEqual({ low: 2, high: 2 })
  })
})
