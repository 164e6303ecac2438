import type { Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { nearestFirst } from '../util/nearest.ts'

// Laplace activation of MEGA (Ma et al., 2022), with the constants of transformers.
// biome-ignore lint/suspicious/noApproximativeNumericConstant: not the exact root
const LAPLACE = { mean: 0.707107, deviation: 0.282095 }

/** Activation functions, keyed by the names used in published configs. */
export const activations = {
  /** GELU: x·Φ(x) (Hendrycks and Gimpel, 2016). */
  gelu: (x: Tensor) => x.gelu(),
  /** GELU, clipped to [-10, 10]. */
  gelu_10: (x: Tensor) => x.gelu().clamp({ min: -10, max: 10 }),
  /** GELU's tanh approximation. Computed as `gelu_new`. */
  gelu_accurate: (x: Tensor) => x.gelu('tanh'),
  /** GELU's tanh approximation. Computed as `gelu_new`. */
  gelu_fast: (x: Tensor) => x.gelu('tanh'),
  /** GELU's tanh approximation, used by GPT-2. */
  gelu_new: (x: Tensor) => x.gelu('tanh'),
  /** GELU: x·Φ(x). The same as `gelu`. */
  gelu_python: (x: Tensor) => x.gelu(),
  /** GELU's tanh approximation. Computed as `gelu_new`. */
  gelu_python_tanh: (x: Tensor) => x.gelu('tanh'),
  /** GELU's tanh approximation. Computed as `gelu_new`. */
  gelu_pytorch_tanh: (x: Tensor) => x.gelu('tanh'),
  /** Hardswish: x·min(max(x + 3, 0), 6)/6 (Howard et al., 2019). */
  hardswish: (x: Tensor) => x.hardswish(),
  /** Laplace activation: (1 + erf((x - 0.707107)/(0.282095·√2)))/2 (Ma et al., 2022). */
  laplace: (x: Tensor) =>
    x
      .sub(LAPLACE.mean)
      .div(LAPLACE.deviation * Math.SQRT2)
      .erf()
      .add(1)
      .div(2),
  /** Leaky ReLU with slope 0.01 for negative numbers. */
  leaky_relu: (x: Tensor) => x.leakyRelu(),
  /** Identity. */
  linear: (x: Tensor) => x,
  /** Mish: x·tanh(softplus(x)) (Misra, 2019). */
  mish: (x: Tensor) => x.mish(),
  /** Sigmoid approximation of GELU: x·sigmoid(1.702·x) (Hendrycks and Gimpel, 2016). */
  quick_gelu: (x: Tensor) => x.mul(x.mul(1.702).sigmoid()),
  /** ReLU: max(x, 0). */
  relu: (x: Tensor) => x.relu(),
  /** Squared ReLU: max(x, 0)² (So et al., 2021). */
  relu2: (x: Tensor) => x.relu().square(),
  /** ReLU, clipped: min(max(x, 0), 6). */
  relu6: (x: Tensor) => x.clamp({ min: 0, max: 6 }),
  /** Sigmoid: 1/(1 + exp(-x)). */
  sigmoid: (x: Tensor) => x.sigmoid(),
  /** SiLU (swish): x·sigmoid(x). */
  silu: (x: Tensor) => x.silu(),
  /** √softplus(x). */
  sqrtsoftplus: (x: Tensor) => x.softplus().sqrt(),
  /** Swish: x·sigmoid(x). The same as `silu`. */
  swish: (x: Tensor) => x.silu(),
  /** Hyperbolic tangent. */
  tanh: (x: Tensor) => x.tanh(),
}

/** Returns the activation function with this name. @throws HeedError for an unknown name, with the most similar one */
export function activationOf(owner: string, name: Activation): (x: Tensor) => Tensor {
  if (Object.hasOwn(activations, name)) return activations[name]
  throw wrongArgument(owner, 'activation', name, `one of ${activationNames.join(', ')}`, `Did you mean ${nearestFirst(String(name), activationNames)[0]}?`) // biome-ignore format: one line
}

/**
 * Name of an activation function, as in published configs.
 * @useDeclaredType
 */
export type Activation = keyof typeof activations

/** All names of activation functions. */
export const activationNames = Object.keys(activations) as [Activation, ...Activation[]]
