import { type Parameter, runtimeScalar, type Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Group, GroupInput } from './groups.ts'
import {
  Optimizer,
  type OptimizerOptions,
  type ParameterState,
  type UpdateRule,
  zeroState,
} from './optimizer.ts'

/** Options of a parameter group of `SGD`. */
export interface SGDGroupOptions {
  /** Learning rate. Default 1e-3. */
  lr: number
  /** Fraction of the previous update that is kept. Default 0. */
  momentum: number
  /** Fraction of each gradient after the first that is left out of the momentum. Default 0. */
  dampening: number
  /** Whether to use Nesterov momentum. Default false. */
  nesterov: boolean
  /** Weight decay, added to the gradient. Default 0. */
  weightDecay: number
}

/** Options of `SGD`: those of all groups, and those of the optimiser. */
export type SGDOptions = OptimizerOptions<SGDGroupOptions>

/**
 * Stochastic gradient descent (Robbins and Monro, 1951) with optional momentum, as in PyTorch (Sutskever et al., 2013).
 */
export class SGD extends Optimizer<SGDGroupOptions> {
  /**
   * Creates the optimiser of these parameters, in one group or in several with options of their own.
   * @throws HeedError for `nesterov` without `momentum` or with `dampening`, and for unknown options
   */
  constructor(
    params: Iterable<Parameter> | Iterable<GroupInput<SGDGroupOptions>>,
    options: SGDOptions = {},
  ) {
    const defaults = { lr: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0 }
    super(params, defaults, options)
    for (const { nesterov, momentum, dampening } of this.groups)
      if (nesterov && (momentum <= 0 || dampening !== 0))
        throw new HeedError(
          'invalid-option',
          `\`nesterov\` must be used with \`momentum\` > 0 and \`dampening\` 0, got ${momentum} and ${dampening}`,
          {
            key: 'nesterov',
            value: nesterov,
            remedy: 'Set `momentum` to 0.9 and `dampening` to 0.',
          },
        )
  }

  protected override readonly stateIsOptional = true

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
