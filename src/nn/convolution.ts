import { F, Parameter, type Tensor } from '../tensor/index.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

export interface ConvOptions extends F.ConvolutionOptions {
  /** Default true. */
  bias?: boolean
}

export interface ConvTransposeOptions extends F.TransposedConvolutionOptions {
  /** Default true. */
  bias?: boolean
}

/** A weight (O, C / groups, ...kernel) that slides over the places of x (B, C, ...). */
abstract class Convolution<Options extends { groups?: number; bias?: boolean }> extends Module {
  weight: Parameter
  bias: Parameter | null
  protected readonly options: Options

  constructor(shape: readonly number[], outputs: number, options: Options) {
    super()
    const inputs = shape.slice(1).reduce((a, b) => a * b)
    const bound = 1 / Math.sqrt(inputs)
    const first = (size: readonly number[]): Tensor => init.uniform(size, -bound, bound)
    this.weight = new Parameter(first(shape))
    this.bias = (options.bias ?? true) ? new Parameter(first([outputs])) : null
    this.options = options
  }

  abstract override forward(x: Tensor): Tensor
}

const kernelOf = (size: F.PerAxis, rank: number): readonly number[] =>
  typeof size === 'number' ? new Array<number>(rank).fill(size) : size

/** (B, inputs, L) -> (B, outputs, P), see `F.conv1d`. PyTorch's first values. */
export class Conv1d extends Convolution<ConvOptions> {
  constructor(inputs: number, outputs: number, kernel: F.PerAxis, options: ConvOptions = {}) {
    const shape = [outputs, inputs / (options.groups ?? 1), ...kernelOf(kernel, 1)]
    super(shape, outputs, options)
  }

  forward(x: Tensor): Tensor {
    return F.conv1d(x, this.weight, this.bias, this.options)
  }
}

/** (B, inputs, H, W) -> (B, outputs, Ph, Pw), see `F.conv2d`. PyTorch's first values. */
export class Conv2d extends Convolution<ConvOptions> {
  constructor(inputs: number, outputs: number, kernel: F.PerAxis, options: ConvOptions = {}) {
    const shape = [outputs, inputs / (options.groups ?? 1), ...kernelOf(kernel, 2)]
    super(shape, outputs, options)
  }

  forward(x: Tensor): Tensor {
    return F.conv2d(x, this.weight, this.bias, this.options)
  }
}

/**
 * A convolution whose weight has mean 0 and variance 1 over what comes into each output (Qiao et
 * al., 2019), as BiT has it.
 */
export class StdConv2d extends Conv2d {
  readonly eps: number

  constructor(
    inputs: number,
    outputs: number,
    kernel: F.PerAxis,
    { eps = 1e-6, ...options }: ConvOptions & { eps?: number } = {},
  ) {
    super(inputs, outputs, kernel, options)
    this.eps = eps
  }

  override forward(x: Tensor): Tensor {
    const weight = F.layerNorm(this.weight.flatten(1), null, null, this.eps)
    return F.conv2d(x, weight.reshape(this.weight.shape), this.bias, this.options)
  }
}

/** (B, inputs, P) -> (B, outputs, L), see `F.convTranspose1d`. PyTorch's first values. */
export class ConvTranspose1d extends Convolution<ConvTransposeOptions> {
  constructor(
    inputs: number,
    outputs: number,
    kernel: F.PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super([inputs, outputs / (options.groups ?? 1), ...kernelOf(kernel, 1)], outputs, options)
  }

  forward(x: Tensor): Tensor {
    return F.convTranspose1d(x, this.weight, this.bias, this.options)
  }
}

/** (B, inputs, Ph, Pw) -> (B, outputs, H, W), see `F.convTranspose2d`. PyTorch's first values. */
export class ConvTranspose2d extends Convolution<ConvTransposeOptions> {
  constructor(
    inputs: number,
    outputs: number,
    kernel: F.PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super([inputs, outputs / (options.groups ?? 1), ...kernelOf(kernel, 2)], outputs, options)
  }

  forward(x: Tensor): Tensor {
    return F.convTranspose2d(x, this.weight, this.bias, this.options)
  }
}
