/** Measures a moving average of the amount per second, without the time of evaluation and saving. */
export class Clock {
  private last = performance.now()
  private rate = 0

  /** Adds the amount of a step; returns the amount per second. */
  count(amount: number): number {
    const now = performance.now()
    const rate = (1000 * amount) / Math.max(0.001, now - this.last)
    this.last = now
    this.rate = this.rate === 0 ? rate : 0.9 * this.rate + 0.1 * rate
    return this.rate
  }

  /** Runs `body` without counting its time. */
  async pause<T>(body: () => Promise<T>): Promise<T> {
    const before = performance.now()
    const result = await body()
    this.last += performance.now() - before
    return result
  }
}
