import { setValues } from '../nn/index.ts'
import { nodeOf, nodesOf } from '../tensor/arguments.ts'
import { tensorOf } from '../tensor/core.ts'
import { noGrad, type Parameter, realize, type Tensor, zerosLike } from '../tensor/index.ts'
import { pendingBuffers } from '../tensor/module-buffer.ts'
import { release } from '../tensor/submit.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { checkKeys } from '../util/check-keys.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { refuseNonFinite } from './check-finite.ts'
import { clipScale, gradNormOf } from './clip.ts'
import { clearGrad } from './gradients.ts'
import { type Group, type GroupInput, groupsOf } from './groups.ts'
import { matchSaved } from './saved-state.ts'

/** The state tensors of one parameter, keyed by PyTorch's names (`exp_avg`). */
export type ParameterState = Record<string, Tensor>

/**
 * The state of an optimiser in a checkpoint. Together with the options, it is sufficient to resume training exactly.
 */
export interface OptimizerState {
  /** Number of steps so far. */
  step: number
  /** Keyed by parameter and state name: `transformer.wte.weight.exp_avg`. */
  tensors: Record<string, Tensor>
}

/** Updates one parameter with its gradient times `scale`. Returns the state tensors that it assigned. */
export type UpdateRule = (parameter: Parameter, grad: Tensor, scale: Tensor | null) => Tensor[]

/** Options of an optimiser: defaults for all groups, and options of the optimiser itself. */
export type OptimizerOptions<Options> = Partial<Options> & {
  /** Maximum norm of the gradients. See `Optimizer.maxGradNorm`. */
  maxGradNorm?: number | null
  /** Whether to compute the joint norm of the gradients in each step, see `Optimizer.gradNorm`. Default false. */
  gradNorm?: boolean
  /** Whether to reject a step with a non-finite loss or gradient before it changes any state. Default false. */
  checkFinite?: boolean
}

/** Options of `Optimizer.step`. */
export interface StepOptions {
  /** Further tensors to compute in the same program. They can be read after the step. */
  keep?: readonly Tensor[]
  /** Whether to compute the joint norm of the gradients, see `Optimizer.gradNorm`. */
  gradNorm?: boolean
  /** Whether to reject a non-finite loss or gradient before any state changes. Such a step takes longer. */
  checkFinite?: boolean
}

const STEP = optionKinds<StepOptions>({ keep: 'list?', gradNorm: 'flag?', checkFinite: 'flag?' })

/**
 * Base class of optimisers. Subclasses define `ruleFor` and `initialState`. A training loop calls `loss.backward()` and
 * `await optimizer.step()`. The forward pass, the backward pass and the update run as one program.
 */
export abstract class Optimizer<Options extends { lr: number } = { lr: number }> {
  /** Groups of parameters with their options. Options can be changed between steps. */
  readonly groups: Group<Options>[]
  /** Number of updates so far. */
  stepCount = 0
  /** Maximum joint norm of the gradients. Gradients with a larger norm are scaled down. null: no limit. */
  maxGradNorm: number | null
  /** Joint norm of the gradients in the last step, before clipping; null without `gradNorm` and `maxGradNorm`. */
  gradNorm: Tensor | null = null
  private readonly asksNorm: boolean
  private readonly checksFinite: boolean
  /** The state tensors of each parameter that has been updated. */
  protected readonly state = new Map<Parameter, ParameterState>()
  /** Whether parameters can lack state after training, as with SGD without momentum. */
  protected readonly stateIsOptional: boolean = false

  /** @throws HeedError for options that are not in `defaults`, and for values of another type */
  constructor(
    params: Iterable<Parameter> | Iterable<GroupInput<Options>>,
    defaults: Options,
    options: OptimizerOptions<Options> = {},
  ) {
    const owner = this.constructor.name
    checkKeys(owner, options, [...Object.keys(defaults), 'maxGradNorm', 'gradNorm', 'checkFinite'])
    const { maxGradNorm = null, gradNorm = false, checkFinite = false, ...given } = options
    checkMaxNorm(maxGradNorm)
    checkArgument(owner, 'gradNorm', gradNorm, 'flag')
    checkArgument(owner, 'checkFinite', checkFinite, 'flag')
    this.asksNorm = gradNorm
    this.checksFinite = checkFinite
    this.groups = groupsOf(owner, params, defaults, given as Partial<Options>)
    this.maxGradNorm = maxGradNorm
  }

  /** The parameters of all groups. */
  get params(): Parameter[] {
    return this.groups.flatMap((group) => group.params)
  }

  /**
   * Updates every parameter that has a gradient, in one program with the forward and backward pass. The program also
   * computes the losses and the tensors in `keep`, which can be read afterwards. Resolves when the previous step has
   * finished, so that one step can be prepared while another runs.
   * @throws HeedError if there are no gradients; with `checkFinite`, also for NaN or infinity (code 'diverged')
   */
  async step(options: StepOptions = {}): Promise<void> {
    STEP.check('step()', options)
    const { keep = [], gradNorm = this.asksNorm, checkFinite = this.checksFinite } = options
    nodesOf(keep, 'step()', 'keep')
    const roots = new Set(this.params.flatMap((parameter) => parameter.gradRoots))
    if (this.params.every((parameter) => !parameter.grad))
      throw new HeedError(
        'invalid-state',
        'A parameter must have a gradient when step() is called, got no gradient',
        {
          remedy:
            'Call loss.backward() before each step(), on a loss that depends on the parameters.',
        },
      )
    if (checkFinite) await refuseNonFinite(this.params, [...roots])
    this.beginStep()
    const outputs = [
      ...this.update(gradNorm),
      ...[...roots].map(tensorOf),
      ...keep,
      ...pendingBuffers(),
    ]
    if (this.gradNorm) outputs.push(this.gradNorm)
    await realize(outputs)
    release(roots)
    release(outputs.map((tensor) => tensor.node))
  }

  /** Counts a step. Called by `step()`, and by loops with a held program before each run. */
  beginStep(): void {
    this.stepCount++
  }

  /**
   * Records the update in the graph, for the body of a held program. Clears the gradients and returns all state that
   * the update assigns.
   */
  update(gradNorm = this.asksNorm): Tensor[] {
    return noGrad(() => {
      const trained = this.params.filter((p) => p.grad && p.requiresGrad)
      const grads = trained.map((p) => p.grad as Tensor)
      const norm = gradNorm || this.maxGradNorm !== null ? gradNormOf(grads) : null
      this.gradNorm = norm
      const scale =
        norm && this.maxGradNorm !== null
          ? clipScale(norm, () => this.maxGradNorm ?? Infinity)
          : null
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

  /** Clears the gradients. `step()` does this automatically. */
  zeroGrad(): void {
    for (const parameter of this.params) clearGrad(parameter)
  }

  /** Returns the state for a checkpoint, keyed by the names in `model.namedParameters()`. */
  stateDict(names: Iterable<[string, Parameter]>): OptimizerState {
    checkNames('stateDict', names)
    const tensors: Record<string, Tensor> = {}
    for (const [name, parameter] of names)
      for (const [key, tensor] of Object.entries(this.state.get(parameter) ?? {}))
        tensors[`${name}.${key}`] = tensor
    return { step: this.stepCount, tensors }
  }

  /** Restores a saved state. @throws HeedError for the state of another optimiser or model */
  loadStateDict(state: OptimizerState, names: Iterable<[string, Parameter]>): void {
    checkNames('loadStateDict', names)
    checkArgument('loadStateDict', 'state', state, 'object')
    const { step, tensors } = state
    checkArgument('loadStateDict', 'step', step, 'count')
    checkArgument('loadStateDict', 'tensors', tensors, 'object')
    const mine = new Set(this.params)
    const named = [...names].filter(([, parameter]) => mine.has(parameter))
    const matched = matchSaved(this.constructor.name, { step, tensors }, named, {
      initialState: (parameter) => this.initialState(parameter),
      optional: this.stateIsOptional,
    })
    for (const parameter of this.state.keys())
      if (!matched.has(parameter)) this.state.delete(parameter)
    for (const [parameter, saved] of matched) {
      const own = this.stateOf(parameter)
      for (const [key, values] of Object.entries(saved)) setValues(own[key], values)
    }
    this.stepCount = step
  }

  /**
   * Returns the update rule of a group. Numbers that may change, such as `lr`, must be passed through `runtimeScalar`,
   * which is read at each run.
   */
  protected abstract ruleFor(group: Group<Options>): UpdateRule

  /** Returns the state of a parameter before its first update. */
  protected abstract initialState(parameter: Parameter): ParameterState

  /** Returns the state of a parameter; created at its first update. */
  protected stateOf(parameter: Parameter): ParameterState {
    let state = this.state.get(parameter)
    if (!state) {
      state = this.initialState(parameter)
      this.state.set(parameter, state)
    }
    return state
  }
}

/** Returns zeros with the shape of `like`, as state that an update can assign. */
export function zeroState(like: Tensor): Tensor {
  nodeOf(like, 'zeroState', 'like')
  const state = zerosLike(like)
  state.becomeState()
  return state
}

function checkNames(owner: string, names: Iterable<[string, Parameter]>): void {
  if (typeof names !== 'object' || names === null || !(Symbol.iterator in names))
    throw wrongArgument(owner, 'names', names, 'the result of model.namedParameters()')
}

function checkMaxNorm(value: number | null): void {
  if (value !== null && !(value > 0))
    throw invalidOption({
      key: 'maxGradNorm',
      value,
      expected: 'a positive number or null',
      remedy: 'Pass null for no limit.',
    })
}
