import { argumentKinds } from '../util/argument-kinds.ts'

/** A mean with its confidence interval. */
export interface MeanInterval {
  /** The mean. */
  mean: number
  /** 95 % confidence interval of the mean; null for a single value. */
  interval: [low: number, high: number] | null
}

const checkMeanInterval = argumentKinds('meanInterval', { values: 'numbers' })

/**
 * Computes the mean of a few values, such as the accuracies of several seeds, and its 95 % confidence interval by
 * Student's t distribution (Student, 1908). Without values, the mean is NaN.
 */
export function meanInterval(values: readonly number[]): MeanInterval {
  checkMeanInterval(values)
  const { length: n } = values
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  if (n < 2) return { mean, interval: null }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  const margin = quantile(n - 1) * Math.sqrt(variance / n)
  return { mean, interval: [mean - margin, mean + margin] }
}

/** The 97.5 % quantile of the t distribution. Above 10 degrees of freedom, a series that is exact to 3 digits. */
function quantile(freedom: number): number {
  const z = 1.959964
  return QUANTILES[freedom - 1] ?? z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) // biome-ignore format: one line
}

const QUANTILES = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281]
