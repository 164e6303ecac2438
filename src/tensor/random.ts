// Counter-based random numbers: a value is a pure function of the seed, the number of the draw and the index of the
// element. It is the same on every device, and two numbers are sufficient to reproduce it.
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { checkShape, type Shape, showShape } from '../graph/shape.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { invalidOption, ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkTensors, nodeOf } from './arguments.ts'
import { tensorOf } from './core.ts'
import { searchsorted } from './search.ts'
import type { Tensor } from './tensor.ts'

/** State of a generator: all that is needed to reproduce its next draws. */
export interface RandomState {
  /** Seed of the stream, an integer from 0 to 2³² - 1. */
  seed: number
  /** Number of tensors drawn since the seed was set. */
  draws: number
}

/**
 * A stream of random numbers, Threefry of (seed, draw, index) (Salmon et al., 2011). Tensors drawn from it are lazy.
 */
export class Generator {
  private seed = 0
  private draws = 0

  /** Starts a stream. Default seed 0. @throws HeedError unless the seed is an integer from 0 to 2³² - 1 */
  constructor(seed = 0) {
    this.manualSeed(seed)
  }

  /** Restarts the stream. @throws HeedError unless the seed is an integer from 0 to 2³² - 1 */
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

  /** Returns the state, to be saved in a checkpoint. */
  getState(): RandomState {
    return { seed: this.seed, draws: this.draws }
  }

  /** Restores a state. */
  setState(state: RandomState): void {
    checkArgument('setState', 'state', state, 'object')
    checkArgument('setState', 'draws', state.draws, 'count')
    this.manualSeed(state.seed)
    this.draws = state.draws
  }

  /**
   * The seed and the number of the next draw, as run-time inputs, so that each run of a held program draws new numbers.
   * @internal
   */
  next(): { seed: Node; draw: Node } {
    const seed = (): number => this.seed
    const draw = (): number => this.draws++
    return { seed: g.scalar(seed(), 'u32', seed), draw: g.scalar(draw(), 'u32', draw) }
  }
}

const shared = new Generator()

/** The generator that functions use by default. */
export const defaultGenerator = (): Generator => shared

/** Restarts the default generator with this seed. */
export const manualSeed = (seed: number): Generator => shared.manualSeed(seed)

/** Draws f32 from the uniform distribution over [0, 1). @throws HeedError for a shape that is not an array of sizes */
export function rand(shape: Shape, generator = shared): Tensor {
  const { seed, draw } = checkGenerator('rand', generator).next()
  return tensorOf(g.uniform(checkShape(shape, 'rand'), seed, draw))
}

/** Draws from the uniform distribution over [0, 1), in the shape of x. */
export function randLike(x: Tensor, generator = shared): Tensor {
  checkTensors('randLike', { x })
  return rand(x.shape, generator)
}

/**
 * Draws f32 from the uniform distribution over [low, high). @throws HeedError for a shape that is not an array of sizes
 */
export function uniform(shape: Shape, low = 0, high = 1, generator = shared): Tensor {
  checkArgument('uniform', 'low', low, 'number')
  checkArgument('uniform', 'high', high, 'number')
  return rand(checkShape(shape, 'uniform'), checkGenerator('uniform', generator))
    .mul(high - low)
    .add(low)
}

/**
 * Draws f32 from the standard normal distribution (Box and Muller, 1958). @throws HeedError for a shape that is not an
 * array of sizes
 */
export function randn(shape: Shape, generator = shared): Tensor {
  const radius = rand(checkShape(shape, 'randn'), checkGenerator('randn', generator))
  const angle = rand(shape, generator)
  // 1 - u is in (0, 1], so that the logarithm is finite.
  const length = radius.neg().add(1).log().mul(-2).sqrt()
  return length.mul(angle.mul(2 * Math.PI).cos())
}

/** Draws from the standard normal distribution, in the shape of x. */
export function randnLike(x: Tensor, generator = shared): Tensor {
  checkTensors('randnLike', { x })
  return randn(x.shape, generator)
}

/**
 * Draws f32 from the normal distribution with this mean and standard deviation. @throws HeedError for a shape that is
 * not an array of sizes
 */
export function normal(shape: Shape, mean = 0, std = 1, generator = shared): Tensor {
  checkArgument('normal', 'mean', mean, 'number')
  checkArgument('normal', 'std', std, 'number')
  return randn(checkShape(shape, 'normal'), checkGenerator('normal', generator)).mul(std).add(mean)
}

/**
 * Draws integers uniformly from [low, high), i32. @throws HeedError unless `low` and `high` are integers and `high` is
 * larger
 */
export function randint(low: number, high: number, shape: Shape, generator = shared): Tensor {
  checkArgument('randint', 'low', low, 'integer')
  checkArgument('randint', 'high', high, 'integer')
  if (high <= low) throw wrongArgument('randint', 'high', high, `above \`low\` (${low})`)
  return rand(checkShape(shape, 'randint'), checkGenerator('randint', generator))
    .mul(high - low)
    .floor()
    .to('i32')
    .add(low)
}

/** Draws from the Bernoulli distribution: bool for a number p, or f32 zeros and ones for a tensor of probabilities. */
export function bernoulli(p: number, shape: Shape, generator?: Generator): Tensor
export function bernoulli(p: Tensor, generator?: Generator): Tensor
export function bernoulli(
  p: number | Tensor,
  shape?: Shape | Generator,
  generator: Generator = shared,
): Tensor {
  if (typeof p !== 'number') {
    const source = checkGenerator('bernoulli', shape === undefined ? shared : shape)
    return rand(nodeOf(p, 'bernoulli', 'p').shape, source)
      .lt(p)
      .to('f32')
  }
  checkArgument('bernoulli', 'p', p, 'share')
  if (!isShape(shape)) throw wrongArgument('bernoulli', 'shape', shape, 'an array of sizes')
  return rand(checkShape(shape, 'bernoulli'), checkGenerator('bernoulli', generator)).lt(p)
}

/** Options of `multinomial`. */
export interface MultinomialOptions {
  /** Whether the same index can be drawn more than once. Default false. */
  replacement?: boolean
  /** Generator of the draws. Default: the global one, which `manualSeed` seeds. */
  generator?: Generator
}

const MULTINOMIAL = optionKinds<MultinomialOptions>({ replacement: 'flag?', generator: 'object?' })

/** Draws indices with probabilities proportional to weights, i32: (V) -> (count), (B, V) -> (B, count). */
export function multinomial(
  weights: Tensor,
  count: number,
  options: MultinomialOptions = {},
): Tensor {
  checkTensors('multinomial', { weights })
  MULTINOMIAL.check('multinomial', options)
  const { replacement = false, generator = shared } = options
  checkGenerator('multinomial', generator)
  const size = weights.shape.at(-1) ?? 0
  if (weights.rank < 1 || weights.rank > 2 || size === 0)
    throw new ShapeError(
      `multinomial: the weights must be (V) or (B, V), got ${showShape(weights.shape)}`,
    )
  checkArgument('multinomial', 'count', count, 'size')
  if (!replacement && count > size)
    throw wrongArgument('multinomial', 'count', count, `at most the number of weights (${size})`, 'Set `replacement: true` to draw more.') // biome-ignore format: one line
  const shares = weights.detach().to('f32')
  if (!replacement) {
    // The indices of the smallest exponential variables with these rates (Efraimidis and Spirakis, 2006).
    const times = rand(shares.shape, generator).neg().add(1).log().neg()
    return times.div(shares).topk(count, -1, false).indices
  }
  const sums = shares.cumsum(-1)
  const drawn = rand([...shares.shape.slice(0, -1), count], generator)
  return searchsorted(sums.div(sums.narrow(-1, size - 1, 1)), drawn, { right: true })
}

/** Returns a random permutation of 0 to n - 1, i32. */
export function randperm(n: number, generator = shared): Tensor {
  checkArgument('randperm', 'n', n, 'count')
  return rand([n], checkGenerator('randperm', generator)).argsort()
}

const isShape = (value: unknown): value is Shape => Array.isArray(value)

function checkGenerator(owner: string, generator: unknown): Generator {
  if (generator instanceof Generator) return generator
  throw wrongArgument(owner, 'generator', generator, 'a Generator', `Pass the shape as one array: ${owner}([2, 3]).`) // biome-ignore format: one line
}
