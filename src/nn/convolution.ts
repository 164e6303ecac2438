import { perAxis } from '../tensor/convolution.ts'
import { F, Parameter, type Tensor } from '../tensor/index.ts'
import { checkArguments, wrongArgument } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** Options of convolution layers. */
export interface ConvOptions extends F.ConvolutionOptions {
  /** Whether to add a bias. Default true. */
  bias?: boolean
}

/** Options of transposed convolution layers. */
export interface ConvTransposeOptions extends F.TransposedConvolutionOptions {
  /** Whether to add a bias. Default true. */
  bias?: boolean
}

const COMMON = { stride: 'any?', padding: 'any?', dilation: 'any?', groups: 'size?', bias: 'flag?' } as const // biome-ignore format: one line
const CONV = optionKinds<ConvOptions>(COMMON)
const STD_CONV = optionKinds<ConvOptions & { eps?: number }>({ ...COMMON, eps: 'number?' })
const CONV_TRANSPOSE = optionKinds<ConvTransposeOptions>({ ...COMMON, outputPadding: 'any?' })

/** A convolution of x (B, C, ...) with a weight (O, C / groups, ...kernel). */
abstract class Convolution extends Module {
  /** (outputs, inputs / groups, ...kernel). */
  weight: Parameter
  /** (outputs), or null. */
  bias: Parameter | null
  protected readonly options: F.ConvolutionOptions

  /** @param rank number of spatial axes */
  constructor(
    rank: number,
    inputs: number,
    outputs: number,
    kernel: F.PerAxis,
    options: ConvOptions,
  ) {
    super()
    const owner = new.target.name
    CONV.check(owner, options)
    const { bias = true, ...others } = options
    const { groups = 1 } = others
    const sizes = perAxis(owner, 'kernel', kernel, rank)
    checkGroups(owner, inputs, outputs, groups)
    const first = firstValues([outputs, inputs / groups, ...sizes], outputs)
    this.weight = first.weight
    this.bias = bias ? first.bias() : null
    this.options = others
  }

  abstract override forward(x: Tensor): Tensor
}

/** PyTorch's initial values: uniform in ±1/√n, where n is the number of inputs of each output. */
function firstValues(
  shape: readonly number[],
  outputs: number,
): { weight: Parameter; bias: () => Parameter } {
  const bound = 1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b))
  const first = (size: readonly number[]): Parameter =>
    new Parameter(init.uniform(size, -bound, bound))
  return { weight: first(shape), bias: () => first([outputs]) }
}

function checkGroups(owner: string, inputs: number, outputs: number, groups: number): void {
  checkArguments(owner, { inputs, outputs, groups }, 'size')
  if (inputs % groups !== 0 || outputs % groups !== 0)
    throw wrongArgument(owner, 'groups', groups, `a divisor of ${inputs} and ${outputs} channels`)
}

/** 1-d convolution: (B, inputs, L) -> (B, outputs, P). See `F.conv1d`. Initialised as in PyTorch. */
export class Conv1d extends Convolution {
  /**
   * Creates a convolution from `inputs` to `outputs` channels. `kernel` is the length of the window.
   * @throws HeedError unless `groups` divides both numbers of channels
   */
  constructor(inputs: number, outputs: number, kernel: F.PerAxis, options: ConvOptions = {}) {
    super(1, inputs, outputs, kernel, options)
  }

  /** x f32 (B, inputs, L) -> f32 (B, outputs, P). @throws ShapeError for another shape */
  forward(x: Tensor): Tensor {
    return F.conv1d(x, this.weight, this.bias, this.options)
  }
}

/** 2-d convolution: (B, inputs, H, W) -> (B, outputs, Ph, Pw). See `F.conv2d`. Initialised as in PyTorch. */
export class Conv2d extends Convolution {
  /**
   * Creates a convolution from `inputs` to `outputs` channels. `kernel` is the height and width of the window.
   * @throws HeedError unless `groups` divides both numbers of channels
   */
  constructor(inputs: number, outputs: number, kernel: F.PerAxis, options: ConvOptions = {}) {
    super(2, inputs, outputs, kernel, options)
  }

  /** x f32 (B, inputs, H, W) -> f32 (B, outputs, Ph, Pw). @throws ShapeError for another shape */
  forward(x: Tensor): Tensor {
    return F.conv2d(x, this.weight, this.bias, this.options)
  }
}

/**
 * 2-d convolution with weight standardisation, as in BiT: the weights of each output have mean 0 and variance 1 (Qiao
 * et al., 2019). (B, inputs, H, W) -> (B, outputs, Ph, Pw).
 */
export class StdConv2d extends Conv2d {
  /** Added to the variance of the weights. */
  readonly eps: number

  /**
   * Creates a convolution from `inputs` to `outputs` channels. Default `eps` 1e-6.
   * @throws HeedError unless `groups` divides both numbers of channels
   */
  constructor(
    inputs: number,
    outputs: number,
    kernel: F.PerAxis,
    given: ConvOptions & { eps?: number } = {},
  ) {
    STD_CONV.check('StdConv2d', given)
    const { eps = 1e-6, ...options } = given
    super(inputs, outputs, kernel, options)
    this.eps = eps
  }

  /** x f32 (B, inputs, H, W) -> f32 (B, outputs, Ph, Pw). @throws ShapeError for another shape */
  override forward(x: Tensor): Tensor {
    const weight = F.layerNorm(this.weight.flatten(1), null, null, this.eps)
    return F.conv2d(x, weight.reshape(this.weight.shape), this.bias, this.options)
  }
}

/** A transposed convolution with a weight (C, O / groups, ...kernel). */
abstract class TransposedConvolution extends Module {
  /** (inputs, outputs / groups, ...kernel). */
  weight: Parameter
  /** (outputs), or null. */
  bias: Parameter | null
  protected readonly options: F.TransposedConvolutionOptions

  constructor(
    rank: number,
    inputs: number,
    outputs: number,
    kernel: F.PerAxis,
    options: ConvTransposeOptions,
  ) {
    super()
    const owner = new.target.name
    CONV_TRANSPOSE.check(owner, options)
    const { bias = true, ...others } = options
    const { groups = 1 } = others
    const sizes = perAxis(owner, 'kernel', kernel, rank)
    checkGroups(owner, inputs, outputs, groups)
    const first = firstValues([inputs, outputs / groups, ...sizes], outputs)
    this.weight = first.weight
    this.bias = bias ? first.bias() : null
    this.options = others
  }

  abstract override forward(x: Tensor): Tensor
}

/**
 * 1-d transposed convolution: (B, inputs, P) -> (B, outputs, L). See `F.convTranspose1d`. Initialised as in PyTorch.
 */
export class ConvTranspose1d extends TransposedConvolution {
  /**
   * Creates a transposed convolution from `inputs` to `outputs` channels. `kernel` is the length of the window.
   * @throws HeedError unless `groups` divides both numbers of channels
   */
  constructor(
    inputs: number,
    outputs: number,
    kernel: F.PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super(1, inputs, outputs, kernel, options)
  }

  /** x f32 (B, inputs, P) -> f32 (B, outputs, L). @throws ShapeError for another shape */
  forward(x: Tensor): Tensor {
    return F.convTranspose1d(x, this.weight, this.bias, this.options)
  }
}

/**
 * 2-d transposed convolution: (B, inputs, Ph, Pw) -> (B, outputs, H, W). See `F.convTranspose2d`. Initialised as in
 * PyTorch.
 */
export class ConvTranspose2d extends TransposedConvolution {
  /**
   * Creates a transposed convolution from `inputs` to `outputs` channels. `kernel` is the height and width of the
   * window.
   * @throws HeedError unless `groups` divides both numbers of channels
   */
  constructor(
    inputs: number,
    outputs: number,
    kernel: F.PerAxis,
    options: ConvTransposeOptions = {},
  ) {
    super(2, inputs, outputs, kernel, options)
  }

  /** x f32 (B, inputs, Ph, Pw) -> f32 (B, outputs, H, W). @throws ShapeError for another shape */
  forward(x: Tensor): Tensor {
    return F.convTranspose2d(x, this.weight, this.bias, this.options)
  }
}
