import { make, outputs } from '../graph/build.ts'
import { tensorOf } from '../tensor/core.ts'
import { ones, type Parameter, runtimeScalar, type Tensor } from '../tensor/index.ts'
import { invalidOption } from '../util/errors.ts'
import type { Group, GroupInput } from './groups.ts'
import {
  Optimizer,
  type OptimizerOptions,
  type ParameterState,
  type UpdateRule,
  zeroState,
} from './optimizer.ts'
import { scaledRate } from './parameter-scale.ts'

/** Options of a parameter group of `Adam` and `AdamW`. */
export interface AdamGroupOptions {
  /** Learning rate. Default 1e-3. */
  lr: number
  /** Decay rates of the mean gradient and the mean squared gradient. Default [0.9, 0.999]. */
  betas: readonly [number, number]
  /** Term added to the denominator. Default 1e-8. */
  eps: number
  /** Weight decay. Default 0.01 for AdamW, 0 for Adam. */
  weightDecay: number
  /**
   * Whether to multiply the learning rate by the root mean square of each parameter (at least 1e-3), as in Adafactor.
   * `lr` is then the relative change per step, so that parameters of any scale train equally fast.
   */
  scaleParameter: boolean
}

/** Options of `Adam` and `AdamW`: those of all groups, and those of the optimiser. */
export type AdamOptions = OptimizerOptions<AdamGroupOptions>

/** Parameters of `Adam` and `AdamW`, or groups of them with options of their own. */
export type AdamParameters = Iterable<Parameter> | Iterable<GroupInput<AdamGroupOptions>>

/** Base of Adam and AdamW, which differ in how weight decay is applied. */
abstract class AdamBase extends Optimizer<AdamGroupOptions> {
  constructor(params: AdamParameters, weightDecay: number, options: AdamOptions) {
    const defaults: AdamGroupOptions = {
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay,
      scaleParameter: false,
    }
    super(params, defaults, options)
    for (const { betas } of this.groups)
      if (betas.length !== 2 || betas.some((beta) => !(beta >= 0 && beta < 1)))
        throw invalidOption({
          key: 'betas',
          value: betas,
          expected: 'two numbers in [0, 1)',
          remedy: 'Its default is [0.9, 0.999].',
        })
  }

  protected initialState(parameter: Parameter): ParameterState {
    return { exp_avg: zeroState(parameter), exp_avg_sq: zeroState(parameter) }
  }

  /** `decay` is decoupled weight decay, which shrinks the parameter directly. */
  protected adamRule(group: Group<AdamGroupOptions>, decay: () => number): UpdateRule {
    // β is rounded to f32 as in the program, so that the bias correction of the first step cancels exactly.
    const correction = (i: 0 | 1): number => 1 - Math.fround(group.betas[i]) ** this.stepCount
    const lr = runtimeScalar(() => group.lr)
    const numbers = [
      () => group.betas[0],
      () => group.betas[1],
      () => group.eps,
      decay,
      () => correction(0),
      () => correction(1),
    ].map((read) => runtimeScalar(read).node)
    return (parameter, grad, scale) => {
      const { exp_avg: m, exp_avg_sq: v } = this.stateOf(parameter)
      const tensors = [parameter, grad, m, v].map((tensor) => tensor.node)
      const rate = group.scaleParameter ? scaledRate(lr, parameter, 1e-3) : lr
      const inputs = [...tensors, rate.node, ...numbers, (scale ?? ones([])).node]
      const [p, mean, square] = outputs(make('adamw', inputs, {})).map(tensorOf)
      parameter.assign(p)
      return [m.assign(mean), v.assign(square)]
    }
  }
}

/** AdamW: Adam with decoupled weight decay, 0.01 by default (Loshchilov and Hutter, 2019). */
export class AdamW extends AdamBase {
  /**
   * Creates the optimiser of these parameters, in one group or in several with options of their own.
   * @throws HeedError for unknown options and for `betas` that are not two numbers in [0, 1)
   */
  constructor(params: AdamParameters, options: AdamOptions = {}) {
    super(params, 1e-2, options)
  }

  protected ruleFor(group: Group<AdamGroupOptions>): UpdateRule {
    return this.adamRule(group, () => group.weightDecay)
  }
}

/** Adam (Kingma and Ba, 2015). Weight decay, 0 by default, is added to the gradient. */
export class Adam extends AdamBase {
  /**
   * Creates the optimiser of these parameters, in one group or in several with options of their own.
   * @throws HeedError for unknown options and for `betas` that are not two numbers in [0, 1)
   */
  constructor(params: AdamParameters, options: AdamOptions = {}) {
    super(params, 0, options)
  }

  protected ruleFor(group: Group<AdamGroupOptions>): UpdateRule {
    const rule = this.adamRule(group, () => 0)
    if (group.weightDecay === 0) return rule
    const decay = runtimeScalar(() => group.weightDecay)
    return (parameter, grad, scale) => {
      const clipped: Tensor = scale ? grad.mul(scale) : grad
      return rule(parameter, clipped.add(parameter.mul(decay)), null)
    }
  }
}
