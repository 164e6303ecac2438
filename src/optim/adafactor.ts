import { type Parameter, runtimeScalar, type Tensor, zeros } from '../tensor/index.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import type { Group, GroupInput } from './groups.ts'
import {
  Optimizer,
  type OptimizerOptions,
  type ParameterState,
  type UpdateRule,
  zeroState,
} from './optimizer.ts'
import { rms, scaledRate } from './parameter-scale.ts'

/** Options of a parameter group of `Adafactor`. */
export interface AdafactorGroupOptions {
  /** Learning rate. With `relativeStep`, its maximum. */
  lr: number
  /** Term added to the squared gradients, and minimum root mean square used by `scaleParameter`. */
  eps: readonly [number, number]
  /** Maximum root mean square of an update. Larger updates are scaled down. */
  clipThreshold: number
  /** The running mean of squared gradients decays by 1 - step^decayRate. Negative. */
  decayRate: number
  /** Decay rate of the mean update. 0 keeps no mean, which saves memory. */
  beta1: number
  /** Decoupled weight decay, times the learning rate. */
  weightDecay: number
  /** Whether to multiply the learning rate by the root mean square of each parameter. */
  scaleParameter: boolean
  /** Whether to limit the learning rate to 1/√step. */
  relativeStep: boolean
  /** Whether to also limit the learning rate to 1e-6·step. Requires `relativeStep`. */
  warmupInit: boolean
}

/** Options of `Adafactor`: those of all groups, and those of the optimiser. */
export type AdafactorOptions = OptimizerOptions<AdafactorGroupOptions>

/**
 * Adafactor (Shazeer and Stern, 2018), as in transformers. For matrices, it stores only row and column means of the
 * squared gradients. The learning rate is min(lr, 1/√step) times the root mean square of the parameter; without
 * `relativeStep`, it is `lr` times that. `lr` is 0.01 by default, the maximum in transformers.
 */
export class Adafactor extends Optimizer<AdafactorGroupOptions> {
  /** @throws HeedError for unknown options or options out of range, and for `warmupInit` without `relativeStep` */
  constructor(
    params: Iterable<Parameter> | Iterable<GroupInput<AdafactorGroupOptions>>,
    options: AdafactorOptions = {},
  ) {
    const defaults: AdafactorGroupOptions = {
      lr: 1e-2,
      eps: [1e-30, 1e-3],
      clipThreshold: 1,
      decayRate: -0.8,
      beta1: 0,
      weightDecay: 0,
      scaleParameter: true,
      relativeStep: true,
      warmupInit: false,
    }
    super(params, defaults, options)
    for (const group of this.groups) checkGroup(group)
  }

  protected initialState(parameter: Parameter): ParameterState {
    const { shape } = parameter
    const group = this.groups.find(({ params }) => params.includes(parameter))
    return {
      ...(shape.length < 2
        ? { exp_avg_sq: zeroState(parameter) }
        : {
            exp_avg_sq_row: zeroState(zeros(shape.slice(0, -1))),
            exp_avg_sq_col: zeroState(zeros([...shape.slice(0, -2), ...shape.slice(-1)])),
          }),
      ...(group?.beta1 ? { exp_avg: zeroState(parameter) } : {}),
    }
  }

  protected ruleFor(group: Group<AdafactorGroupOptions>): UpdateRule {
    const rate = runtimeScalar(() => this.rate(group))
    const fresh = runtimeScalar(() => this.stepCount ** group.decayRate) // 1 - β₂
    const [tiny, least] = [0, 1].map((i) => runtimeScalar(() => group.eps[i]))
    const threshold = runtimeScalar(() => group.clipThreshold)
    const beta1 = runtimeScalar(() => group.beta1)
    const decay = runtimeScalar(() => group.weightDecay)
    return (parameter, gradient, scale) => {
      const grad = scale ? gradient.mul(scale) : gradient
      const { exp_avg, ...squares } = this.stateOf(parameter)
      const state: Tensor[] = []
      /** Updates a running mean s: s + (1 - β₂)(x - s). */
      const average = (mean: Tensor, x: Tensor): Tensor => {
        const next = mean.add(x.sub(mean).mul(fresh))
        state.push(mean.assign(next))
        return next
      }
      const inverse = inverseRoot(squares, grad.square().add(tiny), average)
      const direction = grad.mul(inverse)
      const lr = group.scaleParameter ? scaledRate(rate, parameter, least) : rate
      let update = direction.div(rms(direction).div(threshold).maximum(1)).mul(lr)
      if (exp_avg) {
        update = exp_avg.mul(beta1).add(update.sub(update.mul(beta1)))
        state.push(exp_avg.assign(update))
      }
      const kept = group.weightDecay === 0 ? parameter : parameter.sub(parameter.mul(decay.mul(lr)))
      parameter.assign(kept.sub(update))
      return state
    }
  }

  private rate({ lr, relativeStep, warmupInit }: AdafactorGroupOptions): number {
    if (!relativeStep) return lr
    return Math.min(lr, 1 / Math.sqrt(this.stepCount), warmupInit ? 1e-6 * this.stepCount : lr)
  }
}

/** 1/√v, where v is the running mean of `squared` (… R, C). For matrices, v = rows · columns / mean of rows. */
function inverseRoot(
  { exp_avg_sq, exp_avg_sq_row, exp_avg_sq_col }: ParameterState,
  squared: Tensor,
  average: (mean: Tensor, x: Tensor) => Tensor,
): Tensor {
  if (exp_avg_sq) return average(exp_avg_sq, squared).rsqrt()
  const rows = average(exp_avg_sq_row, squared.mean(-1)) // (… R)
  const columns = average(exp_avg_sq_col, squared.mean(-2)) // (… C)
  const shares = rows.div(rows.mean(-1, true))
  return shares.rsqrt().unsqueeze(-1).mul(columns.rsqrt().unsqueeze(-2))
}

function checkGroup(group: AdafactorGroupOptions): void {
  const { eps, clipThreshold, decayRate, beta1, relativeStep, warmupInit } = group
  const refuse = (key: string, value: unknown, expected: string, remedy: string): never => {
    throw invalidOption({ key, value, expected, remedy })
  }
  if (eps.length !== 2 || !eps.every((value) => value > 0))
    refuse('eps', eps, 'two numbers > 0', 'Its default is [1e-30, 0.001].')
  if (!(clipThreshold > 0))
    refuse('clipThreshold', clipThreshold, 'a number > 0', 'Its default is 1.')
  if (!(decayRate < 0)) refuse('decayRate', decayRate, 'a number < 0', 'Its default is -0.8.')
  if (!(beta1 >= 0 && beta1 < 1))
    refuse('beta1', beta1, 'a number in [0, 1)', 'Pass 0 to keep no mean of the updates.')
  if (warmupInit && !relativeStep)
    throw new HeedError('invalid-option', '`warmupInit` must be used with `relativeStep`', {
      key: 'warmupInit',
      value: warmupInit,
      remedy: 'Set `relativeStep`, or warm up with a schedule.',
    })
}
