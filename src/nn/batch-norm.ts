import { countOf, showShape } from '../graph/shape.ts'
import { checkTensors } from '../tensor/arguments.ts'
import { F, ModuleBuffer, noGrad, Parameter, type Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'

export interface BatchNormOptions {
  eps?: number
  /** The newest batch's share of the running statistics; null: the mean over all batches. Default 0.1. */
  momentum?: number | null
  /** Whether there are weight and bias. Default true. */
  affine?: boolean
  /** Whether there are running statistics; without them a batch's own serve evaluation too. Default true. */
  trackRunningStats?: boolean
}

const BATCH_NORM = optionKinds<BatchNormOptions>({
  eps: 'number?',
  momentum: 'number|null?',
  affine: 'flag?',
  trackRunningStats: 'flag?',
})

/**
 * Normalises each channel over the batch and all places (Ioffe and Szegedy, 2015). Training uses the
 * batch's own statistics and moves the running ones; evaluation uses the running ones.
 */
abstract class BatchNorm extends Module {
  weight: Parameter | null
  bias: Parameter | null
  running_mean: ModuleBuffer | null
  running_var: ModuleBuffer | null
  num_batches_tracked: ModuleBuffer | null
  readonly eps: number
  readonly momentum: number | null
  protected abstract readonly shapes: readonly string[]

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
    // Checkpoints of before 2018 have no counter.
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
        `${this.constructor.name}: a channel must have at least two values in training, got one`,
        {
          remedy: 'Train with batches of at least two, or freeze the layer with eval().',
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

/** (B, C) or (B, C, L). */
export class BatchNorm1d extends BatchNorm {
  protected override readonly shapes = ['', '', '(B, C)', '(B, C, L)']
}

/** (B, C, H, W). */
export class BatchNorm2d extends BatchNorm {
  protected override readonly shapes = ['', '', '', '', '(B, C, H, W)']
}
