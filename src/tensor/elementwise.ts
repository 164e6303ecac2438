import * as g from '../graph/build.ts'
import { checkDType, type DType, isFloat } from '../graph/dtype.ts'
import type { Node } from '../graph/node.ts'
import type { Binary, Unary } from '../graph/ops.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { nodeOf, operandNode } from './arguments.ts'
import { type Operand, TensorCore, tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

/** Element-wise operations, with broadcasting and the names and dtype promotion of PyTorch. */
export abstract class Elementwise extends TensorCore {
  // --- arithmetic

  /** Addition. */
  add(other: Operand): Tensor {
    return this.binary('add', other)
  }

  /** Subtraction. */
  sub(other: Operand): Tensor {
    return this.binary('sub', other)
  }

  /** Multiplication. */
  mul(other: Operand): Tensor {
    return this.binary('mul', other)
  }

  /** True division. Integers are converted to f32, as in PyTorch. */
  div(other: Operand): Tensor {
    const [a, b] = g.promoted(this.node, this.lift(other, 'div'))
    return tensorOf(g.div(asFloat(a), asFloat(b)))
  }

  /** Division rounded towards negative infinity. Integer division by 0 gives 0. */
  floorDivide(other: Operand): Tensor {
    const [a, b] = g.promoted(this.node, this.lift(other, 'floorDivide'))
    const quotient = g.div(a, b)
    return tensorOf(isFloat(a.dtype) ? g.unary('floor', quotient) : quotient)
  }

  /** Remainder with the sign of the divisor. */
  remainder(other: Operand): Tensor {
    return this.binary('mod', other)
  }

  /** Remainder with the sign of the dividend. */
  fmod(other: Operand): Tensor {
    const x = self(this)
    const rest = magnitude(x).remainder(magnitude(tensorOf(this.lift(other, 'fmod'))))
    return x.lt(0).where(rest.neg(), rest)
  }

  /** Power with this tensor as the base. */
  pow(exponent: Operand): Tensor {
    if (exponent === 2) return tensorOf(g.square(this.node))
    if (exponent === 0.5) return this.sqrt()
    return this.binary('pow', exponent)
  }

  /** Element-wise maximum of two tensors. */
  maximum(other: Operand): Tensor {
    return this.binary('maximum', other)
  }

  /** Element-wise minimum of two tensors. */
  minimum(other: Operand): Tensor {
    return this.binary('minimum', other)
  }

  /** Limits the values to [min, max]: `clamp({ min, max })` or `clamp(min, max)`. Either bound is optional. */
  clamp(bounds: Bounds): Tensor
  clamp(min: Operand | null | undefined, max?: Operand | null): Tensor
  clamp(min: Bounds | Operand | null | undefined, max?: Operand | null): Tensor {
    const bounds = boundsOf(min, max)
    // The gradient at a bound is 0. With maximum and minimum, half of it would pass.
    let out = self(this)
    if (bounds.min !== undefined)
      out = out.gt(bounds.min).where(out, out.detach().maximum(bounds.min))
    if (bounds.max !== undefined)
      out = out.lt(bounds.max).where(out, out.detach().minimum(bounds.max))
    return out
  }

  /** Alias of `clamp`. */
  clip(bounds: Bounds): Tensor
  clip(min: Operand | null | undefined, max?: Operand | null): Tensor
  clip(min: Bounds | Operand | null | undefined, max?: Operand | null): Tensor {
    return this.clamp(boundsOf(min, max))
  }

  /** Linear interpolation: this + weight·(end - this). */
  lerp(end: Tensor, weight: Operand): Tensor {
    nodeOf(end, 'lerp', 'end')
    return this.add(end.sub(self(this)).mul(weight))
  }

  /** log(exp(this) + exp(other)), computed without overflow. */
  logaddexp(other: Tensor): Tensor {
    nodeOf(other, 'logaddexp')
    const same = this.eq(other) // excludes equal infinities, whose difference is NaN
    const gap = same.where(0, self(this)).sub(same.where(0, other))
    return this.maximum(other).add(gap.abs().neg().exp().log1p())
  }

  // --- one argument

  /** Negation. */
  neg(): Tensor {
    return this.unary('neg')
  }

  /** Absolute value. */
  abs(): Tensor {
    return this.unary('abs')
  }

  /** The sign: -1, 0 or 1. */
  sign(): Tensor {
    return this.unary('sign')
  }

  /** Exponential function. */
  exp(): Tensor {
    return this.floating('exp')
  }

  /** exp(x) - 1, accurate near 0. */
  expm1(): Tensor {
    return this.floating('expm1')
  }

  /** Natural logarithm. */
  log(): Tensor {
    return this.floating('log')
  }

  /** log(1 + x), accurate near 0. */
  log1p(): Tensor {
    return this.floating('log1p')
  }

  /** Logarithm to base 2. */
  log2(): Tensor {
    return this.log().mul(Math.LOG2E)
  }

  /** Logarithm to base 10. */
  log10(): Tensor {
    return this.log().mul(Math.LOG10E)
  }

  /** Square root. */
  sqrt(): Tensor {
    return this.floating('sqrt')
  }

  /** Reciprocal of the square root. */
  rsqrt(): Tensor {
    return this.floating('rsqrt')
  }

  /** Square. */
  square(): Tensor {
    return tensorOf(g.square(this.node))
  }

  /** Reciprocal, 1/x. */
  reciprocal(): Tensor {
    return this.floating('recip')
  }

  /** Sine of an angle in radians. */
  sin(): Tensor {
    return this.floating('sin')
  }

  /** Cosine of an angle in radians. */
  cos(): Tensor {
    return this.floating('cos')
  }

  /** Tangent of an angle in radians. */
  tan(): Tensor {
    return this.sin().div(this.cos())
  }

  /** Hyperbolic tangent. */
  tanh(): Tensor {
    return this.floating('tanh')
  }

  /** Hyperbolic sine. */
  sinh(): Tensor {
    return this.exp().sub(this.neg().exp()).mul(0.5)
  }

  /** Hyperbolic cosine. */
  cosh(): Tensor {
    return this.exp().add(this.neg().exp()).mul(0.5)
  }

  /** Error function. */
  erf(): Tensor {
    return this.floating('erf')
  }

  /** Rounds down to an integer. */
  floor(): Tensor {
    return this.unary('floor')
  }

  /** Rounds up to an integer. */
  ceil(): Tensor {
    return this.unary('ceil')
  }

  /** Rounds to the nearest integer, ties to even. */
  round(): Tensor {
    return this.unary('round')
  }

  /** Rounds towards zero to an integer. */
  trunc(): Tensor {
    return this.unary('trunc')
  }

  // --- activations

  /** ReLU: max(x, 0) (Nair and Hinton, 2010). */
  relu(): Tensor {
    // maximum(x, 0) would have the gradient 1/2 at 0, where PyTorch has 0.
    const { node } = this
    return tensorOf(
      g.where(g.binary('lt', g.constant(0, node.dtype), node), node, g.constant(0, node.dtype)),
    )
  }

  /** Leaky ReLU: x where x > 0, slope·x elsewhere (Maas et al., 2013). */
  leakyRelu(slope = 0.01): Tensor {
    checkArgument('leakyRelu', 'slope', slope, 'number')
    return this.gt(0).where(self(this), this.mul(slope))
  }

  /** ELU: x where x > 0, alpha·(exp(x) - 1) elsewhere (Clevert et al., 2016). */
  elu(alpha = 1): Tensor {
    checkArgument('elu', 'alpha', alpha, 'number')
    const positive = this.gt(0)
    const x = self(this)
    return positive.where(x, positive.where(0, x).expm1().mul(alpha))
  }

  /** Softplus: log(1 + exp(x)), computed without overflow (Dugas et al., 2001). */
  softplus(): Tensor {
    return this.maximum(0).add(this.abs().neg().exp().log1p())
  }

  /** Mish: x·tanh(softplus(x)) (Misra, 2019). */
  mish(): Tensor {
    return this.mul(this.softplus().tanh())
  }

  /** Sigmoid: 1/(1 + exp(-x)). */
  sigmoid(): Tensor {
    return this.floating('sigmoid')
  }

  /** Hardswish: x·min(max(x + 3, 0), 6)/6 (Howard et al., 2019). */
  hardswish(): Tensor {
    return this.mul(
      this.add(3)
        .clamp({ min: 0, max: 6 })
        .mul(1 / 6),
    )
  }

  /** Logarithm of the sigmoid, computed without overflow. */
  logSigmoid(): Tensor {
    return this.neg().softplus().neg()
  }

  /** GELU: x·Φ(x), or its tanh approximation (Hendrycks and Gimpel, 2016). */
  gelu(approximate: 'none' | 'tanh' = 'none'): Tensor {
    if (approximate !== 'none' && approximate !== 'tanh')
      throw wrongArgument('gelu', 'approximate', approximate, "'none' or 'tanh'")
    return tensorOf(g.make('gelu', [this.node], { tanh: approximate === 'tanh' }))
  }

  /** SiLU, also called swish: x·sigmoid(x) (Elfwing et al., 2018). */
  silu(): Tensor {
    return tensorOf(g.make('silu', [this.node], {}))
  }

  // --- comparison and logic (results are bool)

  /** Whether elements are equal. */
  eq(other: Operand): Tensor {
    return this.binary('eq', other)
  }

  /** Whether elements differ. */
  ne(other: Operand): Tensor {
    return this.binary('ne', other)
  }

  /** Whether elements are less than those of the other operand. */
  lt(other: Operand): Tensor {
    return this.binary('lt', other)
  }

  /** Whether elements are less than or equal to those of the other operand. */
  le(other: Operand): Tensor {
    return this.binary('le', other)
  }

  /** Whether elements are greater than those of the other operand. */
  gt(other: Operand): Tensor {
    const [a, b] = g.promoted(this.node, this.lift(other, 'gt'))
    return tensorOf(g.binary('lt', b, a))
  }

  /** Whether elements are greater than or equal to those of the other operand. */
  ge(other: Operand): Tensor {
    const [a, b] = g.promoted(this.node, this.lift(other, 'ge'))
    return tensorOf(g.binary('le', b, a))
  }

  /** Logical AND. Every value except 0 is true. */
  logicalAnd(other: Tensor): Tensor {
    return tensorOf(g.binary('and', truth(this.node), truth(nodeOf(other, 'logicalAnd'))))
  }

  /** Logical OR. Every value except 0 is true. */
  logicalOr(other: Tensor): Tensor {
    return tensorOf(g.binary('or', truth(this.node), truth(nodeOf(other, 'logicalOr'))))
  }

  /** Logical XOR. Every value except 0 is true. */
  logicalXor(other: Tensor): Tensor {
    return tensorOf(g.binary('xor', truth(this.node), truth(nodeOf(other, 'logicalXor'))))
  }

  /** Logical NOT. Every value except 0 is true. */
  logicalNot(): Tensor {
    return tensorOf(g.unary('not', truth(this.node)))
  }

  /** Bitwise AND of integers or bools. */
  bitwiseAnd(other: Operand): Tensor {
    return this.binary('and', other)
  }

  /** Bitwise OR of integers or bools. */
  bitwiseOr(other: Operand): Tensor {
    return this.binary('or', other)
  }

  /** Bitwise XOR of integers or bools. */
  bitwiseXor(other: Operand): Tensor {
    return this.binary('xor', other)
  }

  /** Bitwise NOT of integers or bools. */
  bitwiseNot(): Tensor {
    return this.unary('not')
  }

  /** Whether elements are NaN. */
  isnan(): Tensor {
    return tensorOf(g.binary('ne', this.node, this.node))
  }

  /** Whether elements are infinite. */
  isinf(): Tensor {
    return this.abs().eq(Number.POSITIVE_INFINITY)
  }

  /** Whether elements are neither infinite nor NaN. */
  isfinite(): Tensor {
    return this.abs().lt(Number.POSITIVE_INFINITY)
  }

  // --- selection and conversion

  /** Selects `yes` where this tensor is true, else `no`: `condition.where(yes, no)`. */
  where(yes: Operand, no: Operand): Tensor {
    if (yes == null || no == null) throw withoutChoices()
    const [a, b] = g.promoted(choiceNode(yes, no), choiceNode(no, yes))
    return tensorOf(g.where(truth(this.node), a, b))
  }

  /** Replaces elements with `value` where `mask` is true. */
  maskedFill(mask: Tensor, value: number): Tensor {
    if (typeof value !== 'number' && typeof value !== 'boolean')
      throw wrongArgument('maskedFill', 'value', value, 'a number')
    const chosen = truth(nodeOf(mask, 'maskedFill', 'mask'))
    return tensorOf(g.where(chosen, g.constant(Number(value), this.dtype), this.node))
  }

  /** Converts to another dtype. f32 to integers truncates; to bool, every value except 0 is true. */
  to(dtype: DType): Tensor {
    return tensorOf(g.cast(this.node, checkDType(dtype, 'to')))
  }

  /** Replaces NaN and infinities. Defaults: 0 for NaN, the largest finite numbers for infinities. */
  nanToNum(options: NanToNumOptions = {}): Tensor {
    NAN_TO_NUM.check('nanToNum', options)
    const { nan = 0, posinf = LARGEST, neginf = -LARGEST } = options
    const x = self(this)
    if (!isFloat(x.dtype)) return x
    const finite = x.isnan().where(nan, x)
    const below = finite.eq(Number.POSITIVE_INFINITY).where(posinf, finite)
    return below.eq(Number.NEGATIVE_INFINITY).where(neginf, below)
  }

  private unary(op: Unary): Tensor {
    return tensorOf(g.unary(op, this.node))
  }

  private floating(op: Unary): Tensor {
    return tensorOf(g.unary(op, asFloat(this.node)))
  }

  private binary(op: Binary, other: Operand): Tensor {
    const [a, b] = g.promoted(this.node, this.lift(other, op))
    return tensorOf(g.binary(op, a, b))
  }
}

/** Bounds of `clamp`. */
export interface Bounds {
  /** Lower bound. Default: none. */
  min?: Operand
  /** Upper bound. Default: none. */
  max?: Operand
}

/** Replacements in `nanToNum`. */
export interface NanToNumOptions {
  /** Replaces NaN. Default 0. */
  nan?: number
  /** Replaces +∞. Default: the largest finite f32 number. */
  posinf?: number
  /** Replaces -∞. Default: the smallest finite f32 number. */
  neginf?: number
}

const NAN_TO_NUM = optionKinds<NanToNumOptions>({
  nan: 'number?',
  posinf: 'number?',
  neginf: 'number?',
})
const BOUNDS = optionKinds<Bounds>({ min: 'any?', max: 'any?' })
/** The largest finite f32. */
const LARGEST = 3.4028234663852886e38

function boundsOf(min: Bounds | Operand | null | undefined, max?: Operand | null): Bounds {
  const isBound = min == null || typeof min !== 'object' || 'node' in min
  if (!isBound) BOUNDS.check('clamp', min)
  const bounds = isBound ? { min: min ?? undefined, max: max ?? undefined } : min
  if (bounds.min !== undefined || bounds.max !== undefined) return bounds
  throw wrongArgument('clamp', 'min', undefined, 'given, or `max`', 'Write clamp({ min: 0, max: 1 }) or clamp(0, 1).') // biome-ignore format: one line
}

const withoutChoices = (): HeedError =>
  new HeedError('invalid-option', 'where: `yes` and `no` must be given, got none', {
    remedy:
      'Write where(condition, yes, no). To list the indices of true elements, use `await condition.nonzero()`.',
  })

/** One operand of `where` as a node, with the dtype that it has when combined with the other operand. */
function choiceNode(x: Operand, other: Operand): Node {
  if (typeof other !== 'number' && typeof other !== 'boolean') {
    operandNode(other, 'where')
    return other.lift(x, 'where')
  }
  return typeof x === 'number' || typeof x === 'boolean'
    ? g.constant(Number(x))
    : operandNode(x, 'where')
}

/** The same tensor, typed with the operations of all classes. */
const self = (x: Elementwise): Tensor => x as unknown as Tensor

/** |x| with gradient 1 at 0. */
const magnitude = (x: Tensor): Tensor => x.lt(0).where(x.neg(), x)

const asFloat = (x: Node): Node => g.cast(x, 'f32')

const truth = (x: Node): Node =>
  x.dtype === 'bool' ? x : g.binary('ne', x, g.constant(0, x.dtype))
