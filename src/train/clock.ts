/** A rate over the last few steps, without the pauses for looking and saving. */
export class Clock {
  private last = performance.now()
  private rate = 0

  /** Counts what a step has gone through; returns how much of it goes through a second. */
  count(amount: number): number {
    const now = performance.now()
    const rate = (1000 * amount) / Math.max(0.001, now - this.last)
    this.last = now
    this.rate = this.rate === 0 ? rate : 0.9 * this.rate + 0.1 * rate
    return this.rate
  }

  async pause<T>(body: () => Promise<T>): Promise<T> {
    const before = performance.now()
    const result = await body()
    this.last += performance.now() - before
    return result
  }
}
