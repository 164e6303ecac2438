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

export interface AdamGroupOptions {
  lr: number
  betas: readonly [number, number]
  eps: number
  weightDecay: number
  /**
   * Multiply the rate by the root mean square of each parameter, at least 1e-3, as Adafactor does. `lr` is then the
   * relative change of a step, and matrices of any size learn equally fast.
   */
  scaleParameter: boolean
}

export type AdamOptions = OptimizerOptions<AdamGroupOptions>

type Params = Iterable<Parameter> | Iterable<GroupInput<AdamGroupOptions>>

/** Base of Adam and AdamW, which differ in where weight decay enters. */
abstract class AdamBase extends Optimizer<AdamGroupOptions> {
  constructor(params: Params, weightDecay: number, options: AdamOptions) {
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

  /** `decay` is the decoupled weight decay: it shrinks the parameter directly. */
  protected adamRule(group: Group<AdamGroupOptions>, decay: () => number): UpdateRule {
    // β is rounded to f32 as in the program, so that the first step divides by the very factor by
    // which it multiplied.
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

/** Adam with decoupled weight decay (Loshchilov and Hutter, 2019). */
export class AdamW extends AdamBase {
  constructor(params: Params, options: AdamOptions = {}) {
    super(params, 1e-2, options)
  }

  protected ruleFor(group: Group<AdamGroupOptions>): UpdateRule {
    return this.adamRule(group, () => group.weightDecay)
  }
}

/** Adam (Kingma and Ba, 2015). Weight decay, by default 0, is added to the gradient. */
export class Adam extends AdamBase {
  constructor(params: Params, options: AdamOptions = {}) {
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
