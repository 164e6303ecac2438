import type { Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { nearestFirst } from '../util/nearest.ts'

// Laplace activation of MEGA (Ma et al., 2022), with the constants of transformers.
// biome-ignore lint/suspicious/noApproximativeNumericConstant: not the exact root
const LAPLACE = { mean: 0.707107, deviation: 0.282095 }

/** Activation functions, keyed by the names used in published configs. */
export const activations = {
  gelu: (x: Tensor) => x.gelu(),
  gelu_10: (x: Tensor) => x.gelu().clamp({ min: -10, max: 10 }),
  gelu_accurate: (x: Tensor) => x.gelu('tanh'),
  gelu_fast: (x: Tensor) => x.gelu('tanh'),
  gelu_new: (x: Tensor) => x.gelu('tanh'),
  gelu_python: (x: Tensor) => x.gelu(),
  gelu_python_tanh: (x: Tensor) => x.gelu('tanh'),
  gelu_pytorch_tanh: (x: Tensor) => x.gelu('tanh'),
  hardswish: (x: Tensor) => x.hardswish(),
  laplace: (x: Tensor) =>
    x
      .sub(LAPLACE.mean)
      .div(LAPLACE.deviation * Math.SQRT2)
      .erf()
      .add(1)
      .div(2),
  leaky_relu: (x: Tensor) => x.leakyRelu(),
  linear: (x: Tensor) => x,
  mish: (x: Tensor) => x.mish(),
  quick_gelu: (x: Tensor) => x.mul(x.mul(1.702).sigmoid()),
  relu: (x: Tensor) => x.relu(),
  relu2: (x: Tensor) => x.relu().square(),
  relu6: (x: Tensor) => x.clamp({ min: 0, max: 6 }),
  sigmoid: (x: Tensor) => x.sigmoid(),
  silu: (x: Tensor) => x.silu(),
  sqrtsoftplus: (x: Tensor) => x.softplus().sqrt(),
  swish: (x: Tensor) => x.silu(),
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
