import { countOf, showShape } from '../graph/shape.ts'
import { checkTensors } from '../tensor/arguments.ts'
import { F, ModuleBuffer, noGrad, Parameter, type Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

/** Options of batch normalisation. */
export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
  /** Weight of the current batch in the running statistics. null: cumulative mean over all batches. Default 0.1. */
  momentum?: number | null
  /** Whether to have a learnable weight and bias. Default true. */
  affine?: boolean
  /** Whether to keep running statistics. Otherwise evaluation also uses the statistics of the batch. Default true. */
  trackRunningStats?: boolean
}

const BATCH_NORM = optionKinds<BatchNormOptions>({
  eps: 'number?',
  momentum: 'number|null?',
  affine: 'flag?',
  trackRunningStats: 'flag?',
})

/**
 *
 * Normalises each channel over the batch and all positions (Ioffe and Szegedy, 2015). Training uses the statistics of
 * the batch and updates the running statistics; evaluation uses the running statistics.
 *
 */
abstract class BatchNorm extends Module {
  /** Scale (C), or null. */
  weight: Parameter | null
  /** Shift (C), or null. */
  bias: Parameter | null
  /** Running mean of each channel, (C); null without running statistics. */
  running_mean: ModuleBuffer | null
  /** Running variance of each channel, (C); null without running statistics. */
  running_var: ModuleBuffer | null
  /** Number of batches in the running statistics, i32; null without them. */
  num_batches_tracked: ModuleBuffer | null
  /** Added to the variance. */
  readonly eps: number
  /** Weight of the current batch in the running statistics; null for the cumulative mean. */
  readonly momentum: number | null
  protected abstract readonly shapes: readonly string[]

  /** Creates a layer for `channels` channels, C. */
  constructor(channels: number, options: BatchNormOptions = {}) {
    super()
    BATCH_NORM.check(new.target.name, options)
    checkArgument(new.target.name, 'channels', channels, 'size')
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options
    this.weight = affine ? new Parameter(init.ones([channels])) : null
    this.bias = affine ? new Parameter(init.zeros([channels])) : null
    const tracked = <T>(make: () => T): T | null => (trackRunningStats ? make() : null)
    this.running_mean = tracked(() => new ModuleBuffer(init.zeros([channels])))
    this.running_var = tracked(() => new ModuleBuffer(init.ones([channels])))
    // Checkpoints written before 2018 have no counter.
    this.num_batches_tracked = tracked(
      () => new ModuleBuffer(init.zeros([], 'i32'), { optional: true }),
    )
    this.eps = eps
    this.momentum = momentum
  }

  forward(x: Tensor): Tensor {
    checkTensors(this.constructor.name, { x })
    if (!this.shapes[x.rank])
      throw new ShapeError(
        `${this.constructor.name}: the input must be ${this.shapes.filter(Boolean).join(' or ')}, got ${showShape(x.shape)}`,
      )
    const { weight, bias, eps, running_mean, running_var } = this
    if (!this.training && running_mean && running_var)
      return F.batchNorm(x, { mean: running_mean, variance: running_var, weight, bias, eps })
    const count = countOf(x.shape) / x.shape[1]
    if (this.training && count < 2)
      throw new ShapeError(
        `${this.constructor.name}: a channel must have at least two values in training, got 1`,
        {
          remedy: 'Train with batches of two or more, or freeze the layer with eval().',
        },
      )
    const { y, mean, variance } = F.batchNormOfBatch(x, weight, bias, eps)
    if (this.training) noGrad(() => this.track(mean, variance.mul(count / (count - 1))))
    return y
  }

  private track(mean: Tensor, variance: Tensor): void {
    const { running_mean, running_var, num_batches_tracked, momentum } = this
    if (!running_mean || !running_var || !num_batches_tracked) return
    num_batches_tracked.assign(num_batches_tracked.add(1))
    const share = momentum ?? num_batches_tracked.to('f32').reciprocal()
    running_mean.assign(mix(running_mean, mean, share))
    running_var.assign(mix(running_var, variance, share))
  }
}

const mix = (old: Tensor, now: Tensor, share: number | Tensor): Tensor =>
  old.add(now.detach().sub(old).mul(share))

/** Batch normalisation of (B, C) or (B, C, L) (Ioffe and Szegedy, 2015). See `BatchNormOptions`. */
export class BatchNorm1d extends BatchNorm {
  protected override readonly shapes = ['', '', '(B, C)', '(B, C, L)']
}

/** Batch normalisation of images (B, C, H, W) (Ioffe and Szegedy, 2015). See `BatchNormOptions`. */
export class BatchNorm2d extends BatchNorm {
  protected override readonly shapes = ['', '', '', '', '(B, C, H, W)']
}
