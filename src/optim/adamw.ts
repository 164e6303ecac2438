import { make, outputs } from '../graph/build.ts'
import { tensorOf } from '../tensor/core.ts'
import { ones, type Parameter, runtimeScalar, type Tensor } from '../tensor/index.ts'
import type { Group, GroupInput } from './groups.ts'
import { Optimizer, type ParameterState, type UpdateRule, zeroState } from './optimizer.ts'

export interface AdamGroupOptions {
  lr: number
  betas: readonly [number, number]
  eps: number
  weightDecay: number
}

export interface AdamOptions extends Partial<AdamGroupOptions> {
  /** See `Optimizer.maxGradNorm`. */
  maxGradNorm?: number | null
}

type Params = Iterable<Parameter> | Iterable<GroupInput<AdamGroupOptions>>

/** What Adam and AdamW share: they differ in what weight decay acts on. */
abstract class AdamBase extends Optimizer<AdamGroupOptions> {
  constructor(params: Params, defaultDecay: number, { maxGradNorm, ...options }: AdamOptions) {
    const rest = { lr: 1e-3, betas: [0.9, 0.999] as const, eps: 1e-8, weightDecay: defaultDecay }
    super(params, { ...rest, ...options }, maxGradNorm)
  }

  protected initialState(parameter: Parameter): ParameterState {
    return { exp_avg: zeroState(parameter), exp_avg_sq: zeroState(parameter) }
  }

  /** `decay` shrinks the parameter itself, apart from the gradient. */
  protected adamRule(group: Group<AdamGroupOptions>, decay: () => number): UpdateRule {
    // Of the β that the program computes with, so that the first step divides by just what it
    // multiplied with.
    const correction = (i: 0 | 1): number => 1 - Math.fround(group.betas[i]) ** this.stepCount
    const numbers = [
      () => group.lr,
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
      const inputs = [...tensors, ...numbers, (scale ?? ones([])).node]
      const [p, mean, square] = outputs(make('adamw', inputs, {})).map(tensorOf)
      parameter.assign(p)
      return [m.assign(mean), v.assign(square)]
    }
  }
}

/** Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2019). */
export class AdamW extends AdamBase {
  constructor(params: Params, options: AdamOptions = {}) {
    super(params, 1e-2, options)
  }

  protected ruleFor(group: Group<AdamGroupOptions>): UpdateRule {
    return this.adamRule(group, () => group.weightDecay)
  }
}

/** Kingma and Ba (2015). Weight decay, if any, is part of the gradient. */
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
