// Operations whose result has a size that depends on values. They compute what they read, and therefore return
// promises.
import type { TypedArray } from '../graph/dtype.ts'
import { broadcastShapes, normalizeAxis, sameShape, stridesOf } from '../graph/shape.ts'
import { HeedError, ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { nodeOf } from './arguments.ts'
import { tensorOf } from './core.ts'
import { tensor } from './create.ts'
import {
  bernoulli,
  defaultGenerator,
  type Generator,
  type MultinomialOptions,
  multinomial,
} from './random.ts'
import { Statistics } from './statistics.ts'
import type { Tensor } from './tensor.ts'
import { uniqueSlices } from './unique.ts'

/** Options of `allclose`. */
export interface CloseOptions {
  /** Relative tolerance. Default 1e-5. */
  rtol?: number
  /** Absolute tolerance. Default 1e-8. */
  atol?: number
  /** Whether NaN equals NaN. Default false. */
  equalNan?: boolean
}

/** Options of `unique`. */
export interface UniqueOptions {
  /** Axis whose slices are compared. Default: elements are compared. */
  axis?: number
}

/** The result of `unique`. */
export interface Unique {
  /** The unique elements, or slices, in ascending order. */
  values: Tensor
  /** i32: the index in `values` of each element, or slice. */
  inverse: Tensor
  /** i32: the number of occurrences of each value. */
  counts: Tensor
}

/** Options of `bincount`. */
export interface BincountOptions {
  /** f32 weight of each element. Default 1. */
  weights?: Tensor
  /** Minimum size of the result. Default 0. */
  minLength?: number
}

/** Operations whose result has a size, or truth value, that depends on values, and random choices. */
export abstract class Selections extends Statistics {
  /** Returns the indices of nonzero elements, i32 (N, rank), in row-major order. */
  async nonzero(): Promise<Tensor> {
    const flat = await this.flatPlaces()
    const strides = stridesOf(this.shape)
    const out = new Int32Array(flat.length * this.rank)
    for (let i = 0; i < flat.length; i++)
      for (let axis = 0; axis < this.rank; axis++)
        out[i * this.rank + axis] = Math.floor(flat[i] / strides[axis]) % this.shape[axis]
    return tensor(out, { shape: [flat.length, this.rank] })
  }

  /** Returns the elements where the mask is true, as a vector. Tensor and mask are broadcast. Differentiable. */
  async maskedSelect(mask: Tensor): Promise<Tensor> {
    nodeOf(mask, 'maskedSelect', 'mask')
    if (mask.dtype !== 'bool')
      throw new ShapeError(`maskedSelect: the mask must be bool, got ${mask.dtype}`, {
        remedy: 'Compare first, for example x.maskedSelect(x.gt(0)).',
      })
    const shape = broadcastShapes(this.shape, mask.shape, 'maskedSelect')
    const places = await mask.broadcastTo(shape).flatPlaces()
    return this.broadcastTo(shape).flatten().take(tensor(places))
  }

  /** Returns the unique elements, or slices of an axis, in ascending order. */
  async unique(options: UniqueOptions = {}): Promise<Unique> {
    UNIQUE.check('unique', options)
    const { axis } = options
    const x = axis === undefined ? this.flatten() : tensorOf(this.node)
    const at = normalizeAxis(axis ?? 0, x.rank, 'unique')
    const slices = x.movedim(at, 0)
    const { first, inverse, counts } = uniqueSlices(await slices.data(), slices.shape)
    return {
      values: x.detach().take(tensor(first), at),
      inverse: tensor(inverse, { shape: axis === undefined ? this.shape : [x.shape[at]] }),
      counts: tensor(counts),
    }
  }

  /** Counts the occurrences of each integer from 0 in a vector: i32, or f32 sums of weights. */
  async bincount(options: BincountOptions = {}): Promise<Tensor> {
    BINCOUNT.check('bincount', options)
    const { weights, minLength = 0 } = options
    if (
      this.rank !== 1 ||
      this.dtype === 'f32' ||
      (weights && !sameShape(weights.shape, this.shape))
    )
      throw new ShapeError(
        `bincount: the tensor must be a vector of integers, with as many weights, got ${this.toString()}`,
        { remedy: 'Convert it first with x.to("i32").' },
      )
    const values = await this.data()
    const out = new Int32Array(lengthFor(values, minLength))
    for (let i = 0; i < values.length; i++) out[values[i]]++
    if (!weights) return tensor(out)
    const given = await weights.data()
    const sums = new Float32Array(out.length)
    for (let i = 0; i < values.length; i++) sums[values[i]] += given[i]
    return tensor(sums)
  }

  /** Returns whether |this - other| ≤ atol + rtol·|other| for all elements. */
  async allclose(other: Tensor, options: CloseOptions = {}): Promise<boolean> {
    CLOSE.check('allclose', options)
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options
    nodeOf(other, 'allclose')
    const near = this.sub(other).abs().le(other.abs().mul(rtol).add(atol))
    const finite = near.logicalAnd(other.isfinite()).logicalOr(this.eq(other))
    const close = equalNan ? finite.logicalOr(this.isnan().logicalAnd(other.isnan())) : finite
    return close.size === 0 || (await close.all().item()) === 1
  }

  /** Returns whether both tensors have the same shape and elements. */
  async equal(other: Tensor): Promise<boolean> {
    nodeOf(other, 'equal')
    if (!sameShape(this.shape, other.shape)) return false
    return this.size === 0 || (await this.eq(other).all().item()) === 1
  }

  /** Draws from the Bernoulli distribution, with these elements as probabilities. f32 zeros and ones. */
  bernoulli(generator: Generator = defaultGenerator()): Tensor {
    return bernoulli(tensorOf(this.node), generator)
  }

  /** Draws indices with these elements as weights. See `multinomial`. */
  multinomial(count: number, options: MultinomialOptions = {}): Tensor {
    return multinomial(tensorOf(this.node), count, options)
  }

  /** Row-major positions of nonzero elements. */
  private async flatPlaces(): Promise<Int32Array> {
    const values = await this.data()
    let count = 0
    const places = new Int32Array(values.length)
    for (let i = 0; i < values.length; i++) if (values[i] !== 0) places[count++] = i
    return places.slice(0, count)
  }
}

const CLOSE = optionKinds<CloseOptions>({ rtol: 'number?', atol: 'number?', equalNan: 'flag?' })
const UNIQUE = optionKinds<UniqueOptions>({ axis: 'integer?' })
const BINCOUNT = optionKinds<BincountOptions>({ weights: 'tensor?', minLength: 'count?' })

function lengthFor(values: TypedArray, least: number): number {
  let length = least
  for (let i = 0; i < values.length; i++) {
    if (values[i] < 0)
      throw new HeedError('invalid-option', `bincount: elements must be >= 0, got ${values[i]}`, {
        value: values[i],
      })
    length = Math.max(length, values[i] + 1)
  }
  return length
}
