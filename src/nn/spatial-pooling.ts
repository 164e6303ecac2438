import { perAxis } from '../tensor/convolution.ts'
import { F, type Tensor } from '../tensor/index.ts'
import { AVG_POOL, MAX_POOL } from '../tensor/pooling.ts'
import type { OptionRules } from '../util/options.ts'
import { Module } from './module.ts'

abstract class Pool<Options> extends Module {
  protected readonly kernel: F.PerAxis
  protected readonly options: Options

  constructor(rank: number, rules: OptionRules, kernel: F.PerAxis, options: Options) {
    super()
    perAxis(new.target.name, 'kernel', kernel, rank)
    rules.check(new.target.name, options)
    this.kernel = kernel
    this.options = options
  }

  abstract override forward(x: Tensor): Tensor
}

/** 1-d max pooling: (B, C, L) -> (B, C, P). See `F.maxPool1d`. */
export class MaxPool1d extends Pool<F.MaxPoolOptions> {
  /** Creates the layer. `kernel` is the length of the window. */
  constructor(kernel: F.PerAxis, options: F.MaxPoolOptions = {}) {
    super(1, MAX_POOL, kernel, options)
  }

  /** x (B, C, L) -> (B, C, P). @throws ShapeError for another shape */
  forward(x: Tensor): Tensor {
    return F.maxPool1d(x, this.kernel, this.options)
  }
}

/** 2-d max pooling: (B, C, H, W) -> (B, C, Ph, Pw). See `F.maxPool2d`. */
export class MaxPool2d extends Pool<F.MaxPoolOptions> {
  /** Creates the layer. `kernel` is the height and width of the window. */
  constructor(kernel: F.PerAxis, options: F.MaxPoolOptions = {}) {
    super(2, MAX_POOL, kernel, options)
  }

  /** x (B, C, H, W) -> (B, C, Ph, Pw). @throws ShapeError for another shape */
  forward(x: Tensor): Tensor {
    return F.maxPool2d(x, this.kernel, this.options)
  }
}

/** 1-d average pooling: (B, C, L) -> (B, C, P). See `F.avgPool1d`. */
export class AvgPool1d extends Pool<F.AvgPoolOptions> {
  /** Creates the layer. `kernel` is the length of the window. */
  constructor(kernel: F.PerAxis, options: F.AvgPoolOptions = {}) {
    super(1, AVG_POOL, kernel, options)
  }

  /** x (B, C, L) -> (B, C, P). @throws ShapeError for another shape */
  forward(x: Tensor): Tensor {
    return F.avgPool1d(x, this.kernel, this.options)
  }
}

/** 2-d average pooling: (B, C, H, W) -> (B, C, Ph, Pw). See `F.avgPool2d`. */
export class AvgPool2d extends Pool<F.AvgPoolOptions> {
  /** Creates the layer. `kernel` is the height and width of the window. */
  constructor(kernel: F.PerAxis, options: F.AvgPoolOptions = {}) {
    super(2, AVG_POOL, kernel, options)
  }

  /** x (B, C, H, W) -> (B, C, Ph, Pw). @throws ShapeError for another shape */
  forward(x: Tensor): Tensor {
    return F.avgPool2d(x, this.kernel, this.options)
  }
}

/** 1-d average pooling to a given output size: (B, C, L) -> (B, C, size). See `F.adaptiveAvgPool1d`. */
export class AdaptiveAvgPool1d extends Module {
  /** Length of the output. */
  readonly size: F.PerAxis

  /** Creates the layer. `size` is the length of the output. */
  constructor(size: F.PerAxis) {
    super()
    perAxis('AdaptiveAvgPool1d', 'size', size, 1)
    this.size = size
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool1d(x, this.size)
  }
}

/** 2-d average pooling to a given output size: (B, C, H, W) -> (B, C, ...size). See `F.adaptiveAvgPool2d`. */
export class AdaptiveAvgPool2d extends Module {
  /** Height and width of the output. */
  readonly size: F.PerAxis

  /** Creates the layer. `size` is the height and width of the output; one number sets both. */
  constructor(size: F.PerAxis) {
    super()
    perAxis('AdaptiveAvgPool2d', 'size', size, 2)
    this.size = size
  }

  forward(x: Tensor): Tensor {
    return F.adaptiveAvgPool2d(x, this.size)
  }
}
