import { type Parameter, runtimeScalar, type Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Group, GroupInput } from './groups.ts'
import { Optimizer, type ParameterState, type UpdateRule, zeroState } from './optimizer.ts'

export interface SGDGroupOptions {
  lr: number
  momentum: number
  /** How much less of each gradient after the first goes into the momentum. */
  dampening: number
  nesterov: boolean
  weightDecay: number
}

export interface SGDOptions extends Partial<SGDGroupOptions> {
  /** See `Optimizer.maxGradNorm`. */
  maxGradNorm?: number | null
}

/** Stochastic gradient descent with momentum, as PyTorch has it (Sutskever et al., 2013). */
export class SGD extends Optimizer<SGDGroupOptions> {
  constructor(
    params: Iterable<Parameter> | Iterable<GroupInput<SGDGroupOptions>>,
    { maxGradNorm, ...options }: SGDOptions = {},
  ) {
    const rest = { lr: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 }
    super(params, { ...rest, ...options }, maxGradNorm)
    for (const { nesterov, momentum, dampening } of this.groups)
      if (nesterov && (momentum <= 0 || dampening !== 0))
        throw new HeedError(
          'invalid-option',
          'SGD: nesterov needs a momentum above 0 and no dampening',
        )
  }

  protected initialState(parameter: Parameter): ParameterState {
    return { momentum_buffer: zeroState(parameter) }
  }

  protected ruleFor(group: Group<SGDGroupOptions>): UpdateRule {
    const lr = runtimeScalar(() => group.lr)
    const decay = runtimeScalar(() => group.weightDecay)
    const momentum = runtimeScalar(() => group.momentum)
    const share = runtimeScalar(() => (this.stepCount === 1 ? 1 : 1 - group.dampening))
    return (parameter, grad, scale) => {
      const clipped = scale ? grad.mul(scale) : grad
      let change: Tensor = group.weightDecay === 0 ? clipped : clipped.add(parameter.mul(decay))
      const state: Tensor[] = []
      if (group.momentum !== 0) {
        const { momentum_buffer: buffer } = this.stateOf(parameter)
        const fresh = group.dampening === 0 ? change : change.mul(share)
        const next = buffer.mul(momentum).add(fresh)
        change = group.nesterov ? change.add(next.mul(momentum)) : next
        state.push(buffer.assign(next))
      }
      parameter.assign(parameter.sub(change.mul(lr)))
      return state
    }
  }
}
