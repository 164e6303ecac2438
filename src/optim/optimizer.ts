import { setValues } from '../nn/index.ts'
import { tensorOf } from '../tensor/core.ts'
import { noGrad, type Parameter, realize, type Tensor, zerosLike } from '../tensor/index.ts'
import { pendingBuffers } from '../tensor/module-buffer.ts'
import { release } from '../tensor/submit.ts'
import { HeedError } from '../util/errors.ts'
import { clipScale, gradNormOf } from './clip.ts'
import { clearGrad } from './gradients.ts'
import { type Group, type GroupInput, groupsOf } from './groups.ts'
import { matchSaved } from './saved-state.ts'

/** All tensors of one parameter's state, by PyTorch's names (`exp_avg`). */
export type ParameterState = Record<string, Tensor>

/** What has to be saved, beside the options, to go on as if nothing had happened. */
export interface OptimizerState {
  step: number
  /** `transformer.wte.weight.exp_avg` and so on. */
  tensors: Record<string, Tensor>
}

/** Changes one parameter by its gradient times `scale`; returns the state that it has assigned. */
export type UpdateRule = (parameter: Parameter, grad: Tensor, scale: Tensor | null) => Tensor[]

/**
 * Changes parameters by their gradients. `backward(); await step()` is all that a loop needs: the
 * forward and backward pass and the update run as one program.
 */
export abstract class Optimizer<Options extends { lr: number }> {
  readonly groups: Group<Options>[]
  /** Updates so far. */
  stepCount = 0
  /** Gradients longer than this, all together, are scaled down to it; null lets them be. */
  maxGradNorm: number | null
  /** How long they were in the newest step, before they were scaled; null without maxGradNorm. */
  gradNorm: Tensor | null = null
  protected readonly state = new Map<Parameter, ParameterState>()

  constructor(
    params: Iterable<Parameter> | Iterable<GroupInput<Options>>,
    options: Options,
    maxGradNorm: number | null = null,
  ) {
    this.groups = groupsOf(params, options)
    this.maxGradNorm = maxGradNorm
  }

  get params(): Parameter[] {
    return this.groups.flatMap((group) => group.params)
  }

  /**
   * Updates every parameter that has a gradient, in one program with the forward and backward pass.
   * The losses can be read afterwards for nothing, and so can the tensors in `keep`. Resolves when
   * the step before this one has run.
   */
  async step({ keep = [] }: { keep?: readonly Tensor[] } = {}): Promise<void> {
    const roots = new Set(this.params.flatMap((parameter) => parameter.gradRoots))
    if (this.params.every((parameter) => !parameter.grad))
      throw new HeedError(
        'invalid-option',
        'step() of an optimiser whose parameters have no gradient',
        {
          remedy: 'Call loss.backward() before each step, on a loss that depends on them.',
        },
      )
    this.beginStep()
    const outputs = [...this.update(), ...[...roots].map(tensorOf), ...keep, ...pendingBuffers()]
    if (this.gradNorm) outputs.push(this.gradNorm)
    await realize(outputs)
    release(roots)
    release(outputs.map((tensor) => tensor.node))
  }

  /** Counts a step. Loops with a held program call it before each run; `step()` does so itself. */
  beginStep(): void {
    this.stepCount++
  }

  /**
   * The update as graph only, for the body of a held program: returns all state that it assigns,
   * and takes the gradients away.
   */
  update(): Tensor[] {
    return noGrad(() => {
      const trained = this.params.filter((p) => p.grad && p.requiresGrad)
      const grads = trained.map((p) => p.grad as Tensor)
      this.gradNorm = this.maxGradNorm === null ? null : gradNormOf(grads)
      const scale = this.gradNorm && clipScale(this.gradNorm, () => this.maxGradNorm ?? Infinity)
      const changed: Tensor[] = []
      for (const group of this.groups) {
        const rule = this.ruleFor(group)
        for (const parameter of group.params) {
          const { grad } = parameter
          if (grad && parameter.requiresGrad)
            changed.push(parameter, ...rule(parameter, grad, scale))
        }
      }
      for (const parameter of this.params) changed.push(...clearGrad(parameter))
      return changed
    })
  }

  /** Forgets the gradients. `step()` does so itself. */
  zeroGrad(): void {
    for (const parameter of this.params) clearGrad(parameter)
  }

  /** What has to be saved, under the parameters' names: `model.namedParameters()`. */
  stateDict(names: Iterable<[string, Parameter]>): OptimizerState {
    const tensors: Record<string, Tensor> = {}
    for (const [name, parameter] of names)
      for (const [key, tensor] of Object.entries(this.state.get(parameter) ?? {}))
        tensors[`${name}.${key}`] = tensor
    return { step: this.stepCount, tensors }
  }

  /** Goes on where a saved optimiser stopped. @throws HeedError when it was another model's. */
  loadStateDict({ step, tensors }: OptimizerState, names: Iterable<[string, Parameter]>): void {
    const mine = new Set(this.params)
    const named = [...names].filter(([, parameter]) => mine.has(parameter))
    const found = matchSaved(tensors, named, (parameter) => this.initialState(parameter))
    for (const parameter of this.state.keys())
      if (!found.has(parameter)) this.state.delete(parameter)
    for (const [parameter, saved] of found) {
      const state = this.stateOf(parameter)
      for (const [key, values] of Object.entries(saved)) setValues(state[key], values)
    }
    this.stepCount = step
  }

  /** How parameters of a group change. Numbers go in through `runtimeScalar`, read at each run. */
  protected abstract ruleFor(group: Group<Options>): UpdateRule

  /** The state of a parameter before its first update. */
  protected abstract initialState(parameter: Parameter): ParameterState

  protected stateOf(parameter: Parameter): ParameterState {
    let state = this.state.get(parameter)
    if (!state) {
      state = this.initialState(parameter)
      this.state.set(parameter, state)
    }
    return state
  }
}

/** Zeros that can be assigned. */
export function zeroState(like: Tensor): Tensor {
  const state = zerosLike(like)
  state.becomeState()
  return state
}
