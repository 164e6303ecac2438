export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length)
}

export interface Interval {
  low: number
  high: number
}

/** The 95 % confidence interval of the median: percentiles of the bootstrap (Efron, 1979). */
export function bootstrap(values: readonly number[], draws = 2000): Interval {
  const random = xorshift(values.length)
  const medians: number[] = []
  for (let i = 0; i < draws; i++)
    medians.push(median(values.map(() => values[Math.floor(random() * values.length)])))
  medians.sort((a, b) => a - b)
  return { low: medians[Math.floor(0.025 * draws)], high: medians[Math.floor(0.975 * draws)] }
}

/** Random numbers with a fixed seed, so that the same times give the same interval. */
function xorshift(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
