import type { Tensor } from '../tensor/index.ts'

/** Activation functions by the names that published configs use. */
export const activations = {
  gelu: (x: Tensor) => x.gelu(),
  gelu_fast: (x: Tensor) => x.gelu('tanh'),
  gelu_new: (x: Tensor) => x.gelu('tanh'),
  gelu_pytorch_tanh: (x: Tensor) => x.gelu('tanh'),
  leaky_relu: (x: Tensor) => x.leakyRelu(),
  linear: (x: Tensor) => x,
  quick_gelu: (x: Tensor) => x.mul(x.mul(1.702).sigmoid()),
  relu: (x: Tensor) => x.relu(),
  sigmoid: (x: Tensor) => x.sigmoid(),
  silu: (x: Tensor) => x.silu(),
  swish: (x: Tensor) => x.silu(),
  tanh: (x: Tensor) => x.tanh(),
}

export type Activation = keyof typeof activations

export const activationNames = Object.keys(activations) as [Activation, ...Activation[]]
