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

/** Which axes disappear; all of them when none is named. */
export type Axes = number | readonly number[]

export interface VarianceOptions {
  /** n - correction is the divisor. Default 1, which is Bessel's. */
  correction?: number
  /** Default false. */
  keepdim?: boolean
}

/** Sums and their kin. `keepdim` leaves a size of 1 where an axis was reduced. */
export abstract class Reductions extends Trigonometry {
  /** Integers and bools add up as i32. */
  sum(axes?: Axes, keepdim = false): Tensor {
    const x =
      this.node.dtype === 'f32' || this.node.dtype === 'u32' ? this.node : g.cast(this.node, 'i32')
    return this.reduce('sum', x, axes, keepdim)
  }

  prod(axes?: Axes, keepdim = false): Tensor {
    const x = this.node.dtype === 'f32' ? this.node : g.cast(this.node, 'i32')
    return this.reduce('prod', x, axes, keepdim)
  }

  mean(axes?: Axes, keepdim = false): Tensor {
    checkFlag('mean', keepdim)
    const list = normalizeAxes(axes, this.rank, 'mean')
    return tensorOf(g.mean(g.cast(this.node, 'f32'), list, keepdim))
  }

  /** The variance; `correction` 1 (Bessel's) divides by n - 1. */
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

  std(axes?: Axes, options: VarianceOptions = {}): Tensor {
    checkVariance('std', options)
    return this.var(axes, options).sqrt()
  }

  /** The largest; equal ones share the gradient. */
  amax(axes?: Axes, keepdim = false): Tensor {
    return this.reduce('amax', this.node, axes, keepdim)
  }

  amin(axes?: Axes, keepdim = false): Tensor {
    return this.reduce('amin', this.node, axes, keepdim)
  }

  /** The largest of all, or, along an axis, `{ values, indices }`; the gradient goes to the first. */
  max(): Tensor
  max(axis: number, keepdim?: boolean): { values: Tensor; indices: Tensor }
  max(axis?: number, keepdim = false): Tensor | { values: Tensor; indices: Tensor } {
    if (axis === undefined) return this.amax()
    return this.chosen('argmax', axis, keepdim)
  }

  min(): Tensor
  min(axis: number, keepdim?: boolean): { values: Tensor; indices: Tensor }
  min(axis?: number, keepdim = false): Tensor | { values: Tensor; indices: Tensor } {
    if (axis === undefined) return this.amin()
    return this.chosen('argmin', axis, keepdim)
  }

  /** i32 index of the largest, the first of equals; without an axis, in the flat tensor. */
  argmax(axis?: number, keepdim = false): Tensor {
    return this.reduce('argmax', this.node, axis, keepdim)
  }

  argmin(axis?: number, keepdim = false): Tensor {
    return this.reduce('argmin', this.node, axis, keepdim)
  }

  any(axes?: Axes, keepdim = false): Tensor {
    return tensorOf(this.node).ne(0).to('i32').amax(axes, keepdim).to('bool')
  }

  all(axes?: Axes, keepdim = false): Tensor {
    return tensorOf(this.node).ne(0).to('i32').amin(axes, keepdim).to('bool')
  }

  /** How many are not zero, as i32. */
  countNonzero(axes?: Axes): Tensor {
    return this.ne(0).sum(axes)
  }

  /** log Σ exp, without overflow. */
  logsumexp(axes?: Axes, keepdim = false): Tensor {
    checkFlag('logsumexp', keepdim)
    const list = normalizeAxes(axes, this.rank, 'logsumexp')
    const top = this.amax(list, true).detach()
    const safe = top.isfinite().where(top, 0) // a row of -inf stays -inf
    const sum = this.sub(safe).exp().sum(list, true).log().add(safe)
    return keepdim ? sum : tensorOf(g.reshape(sum.node, withoutAxes(this.node, list)))
  }

  /** The p-norm, (Σ |x|^p)^(1/p). The gradient at zero is zero, as in PyTorch. */
  norm(p = 2, axes?: Axes, keepdim = false): Tensor {
    checkArgument('norm', 'p', p, 'number')
    if (p === Number.POSITIVE_INFINITY) return this.abs().amax(axes, keepdim)
    if (p === 1) return this.abs().sum(axes, keepdim)
    const powers = p === 2 ? this.square() : this.abs().pow(p)
    const sum = powers.sum(axes, keepdim)
    const zero = sum.eq(0) // where a root has no slope
    return zero.where(0, zero.where(1, sum).pow(1 / p))
  }

  cumsum(axis: number): Tensor {
    return this.cumulative('cumsum', axis)
  }

  cumprod(axis: number): Tensor {
    return this.cumulative('cumprod', axis)
  }

  /** The largest so far, and where the last of equals was. */
  cummax(axis: number): { values: Tensor; indices: Tensor } {
    const values = this.cumulative('cummax', axis)
    const place = tensorOf(g.iota(this.shape, normalizeAxis(axis, this.rank, 'cummax')))
    const reached = this.eq(values).logicalOr(this.isnan())
    return { values, indices: reached.where(place, 0).cumulative('cummax', axis) }
  }

  /** log of the sum of exp so far, without overflow. */
  logcumsumexp(axis: number): Tensor {
    const at = normalizeAxis(axis, this.rank, 'logcumsumexp')
    let out = tensorOf(this.node)
    // Hillis and Steele (1986): after each round, every element has taken in twice as many.
    for (let by = 1; by < (this.shape[at] ?? 1); by *= 2) {
      const [head, tail] = [out.narrow(at, 0, by), out.narrow(at, by, this.shape[at] - by)]
      const earlier = out.narrow(at, 0, this.shape[at] - by)
      out = tensorOf(g.concat([head.node, tail.logaddexp(earlier).node], at))
    }
    return out
  }

  // --- over one axis, as composites

  softmax(axis = -1): Tensor {
    return this.onLastAxis(axis, (x) => g.make('softmax', [x], {}))
  }

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
    throw wrongArgument(op, 'keepdim', keepdim, 'true or false', `Several axes are a list: ${op}([0, 1]).`) // biome-ignore format: one line
}

const withoutAxes = (x: Node, axes: readonly number[]): number[] =>
  x.shape.filter((_, i) => !axes.includes(i))
