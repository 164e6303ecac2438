import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import type { Reduction } from '../graph/ops.ts'
import { normalizeAxes, normalizeAxis, showShape } from '../graph/shape.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'
import { Trigonometry } from './trigonometry.ts'

/** The axes to reduce. Default: all axes. */
export type Axes = number | readonly number[]

/** Options of `var` and `std`. */
export interface VarianceOptions {
  /** The divisor is n - correction. Default 1 (Bessel's correction). */
  correction?: number
  /** Whether to keep reduced axes with size 1. Default false. */
  keepdim?: boolean
}

/** Reductions. `keepdim` keeps reduced axes with size 1. */
export abstract class Reductions extends Trigonometry {
  /** Returns the sum. Integers and bools are summed as i32. */
  sum(axes?: Axes, keepdim = false): Tensor {
    const x =
      this.node.dtype === 'f32' || this.node.dtype === 'u32' ? this.node : g.cast(this.node, 'i32')
    return this.reduce('sum', x, axes, keepdim)
  }

  /** Returns the product. Integers and bools are multiplied as i32. */
  prod(axes?: Axes, keepdim = false): Tensor {
    const x = this.node.dtype === 'f32' ? this.node : g.cast(this.node, 'i32')
    return this.reduce('prod', x, axes, keepdim)
  }

  /** Returns the mean, f32. */
  mean(axes?: Axes, keepdim = false): Tensor {
    checkFlag('mean', keepdim)
    const list = normalizeAxes(axes, this.rank, 'mean')
    return tensorOf(g.mean(g.cast(this.node, 'f32'), list, keepdim))
  }

  /** Returns the variance. The divisor is n - 1 by default (Bessel's correction). */
  var(axes?: Axes, options: VarianceOptions = {}): Tensor {
    checkVariance('var', options)
    const { correction = 1, keepdim = false } = options
    const list = normalizeAxes(axes, this.rank, 'var')
    const count = list.reduce((n, axis) => n * this.shape[axis], 1)
    const centred = this.sub(this.mean(list, true))
    return centred
      .square()
      .sum(list, keepdim)
      .div(Math.max(0, count - correction))
  }

  /** Returns the standard deviation. */
  std(axes?: Axes, options: VarianceOptions = {}): Tensor {
    checkVariance('std', options)
    return this.var(axes, options).sqrt()
  }

  /** Returns the maximum. Equal maxima share the gradient. */
  amax(axes?: Axes, keepdim = false): Tensor {
    return this.reduce('amax', this.node, axes, keepdim)
  }

  /** Returns the minimum. Equal minima share the gradient. */
  amin(axes?: Axes, keepdim = false): Tensor {
    return this.reduce('amin', this.node, axes, keepdim)
  }

  /** Returns the maximum, or `{ values, indices }` along an axis, where the gradient goes to the first maximum. */
  max(): Tensor
  max(axis: number, keepdim?: boolean): { values: Tensor; indices: Tensor }
  max(axis?: number, keepdim = false): Tensor | { values: Tensor; indices: Tensor } {
    if (axis === undefined) return this.amax()
    return this.chosen('argmax', axis, keepdim)
  }

  /** Returns the minimum, or `{ values, indices }` along an axis, where the gradient goes to the first minimum. */
  min(): Tensor
  min(axis: number, keepdim?: boolean): { values: Tensor; indices: Tensor }
  min(axis?: number, keepdim = false): Tensor | { values: Tensor; indices: Tensor } {
    if (axis === undefined) return this.amin()
    return this.chosen('argmin', axis, keepdim)
  }

  /** Returns the i32 index of the first maximum. Without an axis, the index in the flattened tensor. */
  argmax(axis?: number, keepdim = false): Tensor {
    return this.reduce('argmax', this.node, axis, keepdim)
  }

  /** Returns the i32 index of the first minimum. Without an axis, the index in the flattened tensor. */
  argmin(axis?: number, keepdim = false): Tensor {
    return this.reduce('argmin', this.node, axis, keepdim)
  }

  /** Returns whether any element is not zero, as bool. */
  any(axes?: Axes, keepdim = false): Tensor {
    return tensorOf(this.node).ne(0).to('i32').amax(axes, keepdim).to('bool')
  }

  /** Returns whether all elements are not zero, as bool. */
  all(axes?: Axes, keepdim = false): Tensor {
    return tensorOf(this.node).ne(0).to('i32').amin(axes, keepdim).to('bool')
  }

  /** Returns the number of nonzero elements, i32. */
  countNonzero(axes?: Axes): Tensor {
    return this.ne(0).sum(axes)
  }

  /** log Σ exp(x), computed without overflow. */
  logsumexp(axes?: Axes, keepdim = false): Tensor {
    checkFlag('logsumexp', keepdim)
    const list = normalizeAxes(axes, this.rank, 'logsumexp')
    const top = this.amax(list, true).detach()
    const safe = top.isfinite().where(top, 0) // a row of -inf stays -inf
    const sum = this.sub(safe).exp().sum(list, true).log().add(safe)
    return keepdim ? sum : tensorOf(g.reshape(sum.node, withoutAxes(this.node, list)))
  }

  /** Returns the p-norm, (Σ |x|^p)^(1/p). As in PyTorch, the gradient at zero is zero. */
  norm(p = 2, axes?: Axes, keepdim = false): Tensor {
    checkArgument('norm', 'p', p, 'number')
    if (p === Number.POSITIVE_INFINITY) return this.abs().amax(axes, keepdim)
    if (p === 1) return this.abs().sum(axes, keepdim)
    const powers = p === 2 ? this.square() : this.abs().pow(p)
    const sum = powers.sum(axes, keepdim)
    const zero = sum.eq(0) // where the root is not differentiable
    return zero.where(0, zero.where(1, sum).pow(1 / p))
  }

  /** Returns the cumulative sum along an axis. */
  cumsum(axis: number): Tensor {
    return this.cumulative('cumsum', axis)
  }

  /** Returns the cumulative product along an axis. */
  cumprod(axis: number): Tensor {
    return this.cumulative('cumprod', axis)
  }

  /** Returns the cumulative maximum along an axis, and the index of its last occurrence. */
  cummax(axis: number): { values: Tensor; indices: Tensor } {
    const values = this.cumulative('cummax', axis)
    const place = tensorOf(g.iota(this.shape, normalizeAxis(axis, this.rank, 'cummax')))
    const reached = this.eq(values).logicalOr(this.isnan())
    return { values, indices: reached.where(place, 0).cumulative('cummax', axis) }
  }

  /** Logarithm of the cumulative sum of exp(x) along an axis, computed without overflow. */
  logcumsumexp(axis: number): Tensor {
    const at = normalizeAxis(axis, this.rank, 'logcumsumexp')
    let out = tensorOf(this.node)
    // Parallel prefix sum (Hillis and Steele, 1986): each round doubles the number of elements included.
    for (let by = 1; by < (this.shape[at] ?? 1); by *= 2) {
      const [head, tail] = [out.narrow(at, 0, by), out.narrow(at, by, this.shape[at] - by)]
      const earlier = out.narrow(at, 0, this.shape[at] - by)
      out = tensorOf(g.concat([head.node, tail.logaddexp(earlier).node], at))
    }
    return out
  }

  // --- along one axis, as composites

  /** Softmax along an axis. */
  softmax(axis = -1): Tensor {
    return this.onLastAxis(axis, (x) => g.make('softmax', [x], {}))
  }

  /** Logarithm of softmax along an axis, computed without overflow. */
  logSoftmax(axis = -1): Tensor {
    return this.onLastAxis(axis, (x) => g.make('logSoftmax', [x], {}))
  }

  private reduce(op: Reduction, x: Node, axes: Axes | undefined, keepdim: boolean): Tensor {
    checkFlag(op, keepdim)
    const list = normalizeAxes(axes, this.rank, op)
    if (op !== 'sum' && op !== 'prod' && list.some((axis) => x.shape[axis] === 0))
      throw new ShapeError(
        `${op}: the reduced axes must have at least one element, got shape ${showShape(x.shape)}`,
      )
    return tensorOf(g.reduce(op, x, list, keepdim))
  }

  private chosen(
    op: 'argmax' | 'argmin',
    axis: number,
    keepdim: boolean,
  ): { values: Tensor; indices: Tensor } {
    checkFlag(op, keepdim)
    const at = normalizeAxis(axis, this.rank, op)
    const kept = g.reduce(op, this.node, [at], true)
    const values = g.gather(this.node, kept, at)
    const shape = keepdim ? kept.shape : withoutAxes(this.node, [at])
    return { values: tensorOf(g.reshape(values, shape)), indices: tensorOf(g.reshape(kept, shape)) }
  }

  private cumulative(op: 'cumsum' | 'cumprod' | 'cummax', axis: number): Tensor {
    const x =
      this.node.dtype === 'bool' || this.node.dtype === 'u8' ? g.cast(this.node, 'i32') : this.node
    const at = normalizeAxis(axis, this.rank, op)
    return tensorOf(this.rank === 0 ? x : g.make(op, [x], { axis: at }))
  }

  private onLastAxis(axis: number, op: (x: Node) => Node): Tensor {
    const at = normalizeAxis(axis, this.rank, 'softmax')
    const last = this.rank - 1
    const x = g.cast(this.node, 'f32')
    if (this.rank === 0) return tensorOf(g.reshape(op(g.reshape(x, [1])), []))
    if (at === last) return tensorOf(op(x))
    const order = this.shape.map((_, i) => (i === at ? last : i === last ? at : i))
    return tensorOf(g.permute(op(g.permute(x, order)), order))
  }
}

const VARIANCE = optionKinds<VarianceOptions>({ correction: 'number?', keepdim: 'flag?' })

function checkVariance(op: string, options: VarianceOptions): void {
  VARIANCE.check(op, options)
}

function checkFlag(op: string, keepdim: unknown): void {
  if (typeof keepdim !== 'boolean')
    throw wrongArgument(op, 'keepdim', keepdim, 'true or false', `Pass several axes as an array: ${op}([0, 1]).`) // biome-ignore format: one line
}

const withoutAxes = (x: Node, axes: readonly number[]): number[] =>
  x.shape.filter((_, i) => !axes.includes(i))
