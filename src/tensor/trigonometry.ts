// Inverse trigonometric and hyperbolic functions, composed of primitives. Their gradients are explicit, because those
// of the compositions would be inaccurate.
import { type Operand, tensorOf } from './core.ts'
import { Elementwise } from './elementwise.ts'
import type { Tensor } from './tensor.ts'
import { customVjp } from './transforms.ts'

/** Inverse trigonometric and hyperbolic functions. Integers are converted to f32. */
export abstract class Trigonometry extends Elementwise {
  /** Arcsine, in radians. */
  asin(): Tensor {
    return arcsine(this.to('f32'))
  }

  /** Arccosine, in radians. */
  acos(): Tensor {
    return arccosine(this.to('f32'))
  }

  /** Arctangent, in radians. */
  atan(): Tensor {
    return arctangent(this.to('f32'))
  }

  /** Angle of the point (x = other, y = this), from -π to π. */
  atan2(other: Operand): Tensor {
    const x = tensorOf(this.lift(other, 'atan2'))
    return angle(this.to('f32'), x.to('f32'))
  }

  /** Inverse hyperbolic sine. */
  asinh(): Tensor {
    return areaSine(this.to('f32'))
  }

  /** Inverse hyperbolic cosine. */
  acosh(): Tensor {
    return areaCosine(this.to('f32'))
  }

  /** Inverse hyperbolic tangent. */
  atanh(): Tensor {
    return areaTangent(this.to('f32'))
  }
}

/** 1 - x², computed without cancellation. */
const within = (x: Tensor): Tensor => x.neg().add(1).mul(x.add(1))

type Slope = (x: Tensor) => Tensor

/** A function of one argument with the derivative `slope(x)`. */
const withSlope = (value: (x: Tensor) => Tensor, slope: Slope): ((x: Tensor) => Tensor) =>
  customVjp(value, (dy, [x]) => [dy.mul(slope(x))])

const arctangent = withSlope(arctan, (x) => x.square().add(1).reciprocal())

// asin x = 2·atan(x / (1 + √(1 - x²))), where the argument is within ±1
const arcsine = withSlope(
  (x) => arctan(x.div(x.neg().add(1).mul(x.add(1)).sqrt().add(1))).mul(2),
  (x) => within(x).rsqrt(),
)

// acos x = 2·atan(√((1 - x) / (1 + x)))
const arccosine = withSlope(
  (x) => arctan(x.neg().add(1).div(x.add(1)).sqrt()).mul(2),
  (x) => within(x).rsqrt().neg(),
)

// asinh |x| = log1p(|x| + x²/(1 + √(1 + x²))); log(2|x|) where 1 is negligible against x²
const areaSine = withSlope(
  (x) => {
    const size = x.abs()
    const near = size.minimum(FAR)
    const square = near.square()
    const inner = near.add(square.div(square.add(1).sqrt().add(1))).log1p()
    return withSignOf(x, size.gt(FAR).where(size.log().add(Math.LN2), inner))
  },
  (x) => x.square().add(1).rsqrt(),
)

// acosh x = log1p(t + √t·√(t + 2)) with t = x - 1
const areaCosine = withSlope(
  (x) => {
    const t = x.sub(1)
    const inner = t.add(t.sqrt().mul(t.add(2).sqrt())).log1p()
    return x.gt(FAR).where(x.log().add(Math.LN2), inner)
  },
  (x) => x.sub(1).mul(x.add(1)).rsqrt(),
)

// atanh |x| = log1p(2|x| / (1 - |x|)) / 2
const areaTangent = withSlope(
  (x) => {
    const size = x.abs()
    return withSignOf(x, size.mul(2).div(size.neg().add(1)).log1p().mul(0.5))
  },
  (x) => within(x).reciprocal(),
)

/** Above this value, √(1 + x²) equals |x|, even in double precision. */
const FAR = 1e8

const angle = customVjp(
  (y, x) => {
    const [height, width] = [y.abs(), x.abs()]
    const [least, most] = [height.minimum(width), height.maximum(width)]
    // 0/0 counts as 0, and ∞/∞ as 1.
    const ratio = least.eq(most).where(most.eq(0).where(0, 1), least.div(most))
    const low = arctan(ratio)
    const acute = height.gt(width).where(low.neg().add(Math.PI / 2), low)
    return withSignOf(y, isNegative(x).where(acute.neg().add(Math.PI), acute))
  },
  (dy, [y, x]) => {
    const share = dy.mul(y.square().add(x.square()).reciprocal())
    return [sumLike(share.mul(x), y), sumLike(share.mul(y).neg(), x)]
  },
)

/** Sums over broadcast axes. */
function sumLike(x: Tensor, like: Tensor): Tensor {
  const lead = x.rank - like.rank
  const axes = x.shape.flatMap((n, i) => (i < lead || (like.shape[i - lead] === 1 && n !== 1) ? [i] : [])) // biome-ignore format: one line
  return axes.length === 0 ? x : x.sum(axes).reshape(like.shape)
}

/** True for negative numbers and -0. */
const isNegative = (x: Tensor): Tensor =>
  x.lt(0).logicalOr(x.eq(0).logicalAnd(x.reciprocal().lt(0)))

const withSignOf = (x: Tensor, size: Tensor): Tensor => isNegative(x).where(size.neg(), size)

/**
 * Arctangent: a polynomial on [0, 1] (Abramowitz and Stegun, 4.4.49, error below 2e-8), then one step of Newton's
 * method for tan y = t, which squares the error: y - (sin y - t·cos y)·cos y. For |x| > 1, atan x = π/2 - atan(1/x).
 */
function arctan(x: Tensor): Tensor {
  const size = x.abs()
  const beyond = size.gt(1)
  const t = beyond.where(size.reciprocal(), size)
  const square = t.square()
  const [first, second, ...rest] = POLYNOMIAL
  const series = rest.reduce((sum, c) => sum.mul(square).add(c), square.mul(first).add(second))
  const near = t.mul(series)
  const cosine = near.cos()
  const y = near.sub(near.sin().sub(t.mul(cosine)).mul(cosine))
  return withSignOf(x, beyond.where(y.neg().add(Math.PI / 2), y))
}

/** Coefficients of t¹⁶, t¹⁴ … 1. */
const POLYNOMIAL = [
  0.0028662257, -0.0161657367, 0.0429096138, -0.07528964, 0.1065626393, -0.1420889944, 0.1999355085,
  -0.3333314528, 1,
]
