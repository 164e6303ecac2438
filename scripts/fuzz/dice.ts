import { deriveSeed, randomBelow, randomUniform } from '../../src/util/random.ts'

/** The random choices of one input: the same for the same seed, reader and number of the input. */
export class Dice {
  readonly #seed: number
  readonly #input: number
  #draws = 0

  constructor(seed: number, reader: string, input: number) {
    this.#seed = deriveSeed(seed, reader)
    this.#input = input
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return randomBelow(limit, this.#seed, this.#input, this.#draws++)
  }

  chance(probability: number): boolean {
    return randomUniform(this.#seed, this.#input, this.#draws++) < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  /** Small numbers are as likely as large ones: 1, 2-3, 4-7 … up to `most`. */
  size(most: number): number {
    const power = this.below(Math.max(1, Math.ceil(Math.log2(most + 1))))
    return Math.min(most, 2 ** power + this.below(2 ** power))
  }
}
