// Random numbers: counter-based, so that a draw is a pure function of (seed, number of the draw,
// index of the element), equal on every device and repeatable from two numbers.
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { checkShape, type Shape } from '../graph/shape.ts'
import { invalidOption } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

/** Where a stream of draws stands: all that has to be saved to repeat it. */
export interface RandomState {
  seed: number
  draws: number
}

export class Generator {
  private seed = 0
  private draws = 0

  constructor(seed = 0) {
    this.manualSeed(seed)
  }

  /** Restarts the stream. @throws HeedError when the seed is not a whole number from 0 to 2³² - 1. */
  manualSeed(seed: number): this {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
      throw invalidOption({
        key: 'seed',
        value: seed,
        expected: 'a whole number from 0 to 4294967295',
      })
    this.seed = seed
    this.draws = 0
    return this
  }

  getState(): RandomState {
    return { seed: this.seed, draws: this.draws }
  }

  setState({ seed, draws }: RandomState): void {
    this.manualSeed(seed)
    this.draws = draws
  }

  /** The seed and the number of the next draw, as run-time inputs: held programs draw anew. @internal */
  next(): { seed: Node; draw: Node } {
    const seed = (): number => this.seed
    const draw = (): number => this.draws++
    return { seed: g.scalar(seed(), 'u32', seed), draw: g.scalar(draw(), 'u32', draw) }
  }
}

const shared = new Generator()

/** The stream that is used when none is named. */
export const defaultGenerator = (): Generator => shared

export const manualSeed = (seed: number): Generator => shared.manualSeed(seed)

/** Uniform in [0, 1). */
export function rand(shape: Shape, generator = shared): Tensor {
  const { seed, draw } = generator.next()
  return tensorOf(g.uniform(checkShape(shape, 'rand'), seed, draw))
}

/** Uniform in [low, high). */
export const uniform = (shape: Shape, low = 0, high = 1, generator = shared): Tensor =>
  rand(shape, generator)
    .mul(high - low)
    .add(low)

/** Normal with mean 0 and standard deviation 1 (Box and Muller, 1958). */
export function randn(shape: Shape, generator = shared): Tensor {
  const radius = rand(shape, generator)
  const angle = rand(shape, generator)
  // 1 - u lies in (0, 1], so that the logarithm is finite.
  const length = radius.neg().add(1).log().mul(-2).sqrt()
  return length.mul(angle.mul(2 * Math.PI).cos())
}

export const normal = (shape: Shape, mean = 0, std = 1, generator = shared): Tensor =>
  randn(shape, generator).mul(std).add(mean)

/** Whole numbers in [low, high), i32. */
export const randint = (low: number, high: number, shape: Shape, generator = shared): Tensor =>
  rand(shape, generator)
    .mul(high - low)
    .floor()
    .to('i32')
    .add(low)

/** 1 with this probability, else 0, as bool. */
export const bernoulli = (p: number, shape: Shape, generator = shared): Tensor =>
  rand(shape, generator).lt(p)

/** The numbers from 0 to n - 1 in random order, i32. */
export const randperm = (n: number, generator = shared): Tensor => rand([n], generator).argsort()
