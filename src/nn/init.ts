// Initial values of parameters: lazy tensors, drawn from the default generator in the order of the calls. Values that a
// checkpoint replaces are never computed.
import { checkShape, type Shape } from '../graph/shape.ts'
import { type Tensor, where } from '../tensor/index.ts'
import * as random from '../tensor/random.ts'
import { checkArgument, checkArguments } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'

export { ones, zeros } from '../tensor/index.ts'

/** Values from the normal distribution with mean 0 and standard deviation `std`. */
export function normal(shape: Shape, std = 1): Tensor {
  checkArgument('init.normal', 'std', std, 'number')
  return random.randn(shape).mul(std)
}

/** Values from the uniform distribution over [low, high). */
export function uniform(shape: Shape, low: number, high: number): Tensor {
  checkArguments('init.uniform', { low, high }, 'number')
  return random.uniform(shape, low, high)
}

/** Values from the normal distribution with standard deviation `std`, truncated to [low, high]. */
export function truncNormal(shape: Shape, std = 1, low = -2, high = 2): Tensor {
  checkArguments('init.truncNormal', { std, low, high }, 'number')
  // Inverse transform sampling: uniform between Φ(low) and Φ(high), mapped through the inverse of Φ.
  const from = normalCdf(low / std)
  const to = normalCdf(high / std)
  const share = random.uniform(shape, 2 * from - 1, 2 * to - 1)
  return inverseErf(share)
    .mul(Math.SQRT2 * std)
    .clamp({ min: low, max: high })
}

/** Xavier uniform initialisation: keeps the variance of activations and gradients (Glorot and Bengio, 2010). */
export function xavierUniform(shape: Shape, gain = 1): Tensor {
  checkArgument('init.xavierUniform', 'gain', gain, 'number')
  const [fanIn, fanOut] = fans(shape)
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut))
  return uniform(shape, -bound, bound)
}

/** Xavier normal initialisation (Glorot and Bengio, 2010). */
export function xavierNormal(shape: Shape, gain = 1): Tensor {
  checkArgument('init.xavierNormal', 'gain', gain, 'number')
  const [fanIn, fanOut] = fans(shape)
  return normal(shape, gain * Math.sqrt(2 / (fanIn + fanOut)))
}

/**
 * Kaiming uniform initialisation: keeps the variance of activations through ReLU, whose gain is √2 (He et al., 2015).
 */
export function kaimingUniform(shape: Shape, gain = Math.SQRT2): Tensor {
  checkArgument('init.kaimingUniform', 'gain', gain, 'number')
  const bound = gain * Math.sqrt(3 / fans(shape)[0])
  return uniform(shape, -bound, bound)
}

/** Kaiming normal initialisation (He et al., 2015). */
export function kaimingNormal(shape: Shape, gain = Math.SQRT2): Tensor {
  checkArgument('init.kaimingNormal', 'gain', gain, 'number')
  return normal(shape, gain / Math.sqrt(fans(shape)[0]))
}

/** Fan-in and fan-out of a weight (out, in, ...kernel). @throws ShapeError for fewer than two dimensions */
function fans(shape: Shape): [number, number] {
  checkShape(shape, 'init')
  if (shape.length < 2)
    throw new ShapeError(
      `The weight must have at least two dimensions (out, in, ...kernel), got (${shape.join(', ')})`,
      { remedy: 'For vectors, use init.normal, init.uniform, init.zeros or init.ones.' },
    )
  const [out, inputs, ...kernel] = shape
  const field = kernel.reduce((a, b) => a * b, 1)
  return [inputs * field, out * field]
}

/** Φ, by formula 7.1.26 of Abramowitz and Stegun. Absolute error below 1e-7. */
function normalCdf(x: number): number {
  const z = Math.abs(x) * Math.SQRT1_2
  const t = 1 / (1 + 0.3275911 * z)
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592]
  const tail = 0.5 * t * series.reduce((sum, c) => sum * t + c, 0) * Math.exp(-z * z)
  return x < 0 ? tail : 1 - tail
}

/** Inverse error function in single precision: one polynomial for the centre, one for the tails (Giles, 2010). */
function inverseErf(x: Tensor): Tensor {
  const w = x.square().neg().log1p().neg()
  const polynomial = (t: Tensor, coefficients: number[]): Tensor =>
    coefficients
      .slice(2)
      .reduce((sum, c) => sum.mul(t).add(c), t.mul(coefficients[0]).add(coefficients[1]))
  const middle = polynomial(w.sub(2.5), MIDDLE)
  const tails = polynomial(w.sqrt().sub(3), TAILS)
  return where(w.lt(5), middle, tails).mul(x)
}

const MIDDLE = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 2.1858087e-4, -1.25372503e-3,
  -4.17768164e-3, 0.246640727, 1.50140941,
]
const TAILS = [
  -2.00214257e-4, 1.00950558e-4, 1.34934322e-3, -3.67342844e-3, 5.73950773e-3, -7.6224613e-3,
  9.43887047e-3, 1.00167406, 2.83297682,
]
