import { deriveSeed, randomBelow, randomUniform } from '../../src/util/random.ts'

/** The random choices for one input; they depend only on the seed, the reader and the number of the input. */
export class Dice {
  readonly #seed: number
  readonly #input: number
  #draws = 0

  constructor(seed: number, reader: string, input: number) {
    this.#seed = deriveSeed(seed, reader)
    this.#input = input
  }

  /** Draws a whole number in [0, limit). */
  below(limit: number): number {
    return randomBelow(limit, this.#seed, this.#input, this.#draws++)
  }

  chance(probability: number): boolean {
    return randomUniform(this.#seed, this.#input, this.#draws++) < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  /** Draws a number up to `most` on a logarithmic scale: 1, 2-3, 4-7 … are equally likely. */
  size(most: number): number {
    const power = this.below(Math.max(1, Math.ceil(Math.log2(most + 1))))
    return Math.min(most, 2 ** power + this.below(2 ** power))
  }
}
