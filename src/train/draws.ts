import type { Draw } from '../pipelines/run-examples.ts'
import { deriveSeed, randomUniform } from '../util/random.ts'

/** A sequence of random numbers that depends only on seed, step and purpose. */
export class Draws {
  private readonly seed: number
  private readonly step: number
  private index = 0

  constructor({ seed, step }: Draw, purpose: string) {
    this.seed = deriveSeed(seed, purpose)
    this.step = step
  }

  /** Draws a number in [0, 1). */
  next(): number {
    return randomUniform(this.seed, this.step, this.index++)
  }

  /** Draws a whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** Draws `count` different whole numbers in [0, limit), in random order. */
  some(count: number, limit: number): number[] {
    const all = Array.from({ length: limit }, (_, i) => i)
    for (let i = 0; i < count; i++) {
      const j = i + this.below(limit - i)
      ;[all[i], all[j]] = [all[j], all[i]]
    }
    return all.slice(0, count)
  }
}
