// The value head of PPO: what reward a model expects from the tokens that it has written so far.
import type { CausalLM } from '../../models/index.ts'
import { captureActivations, Linear, Module } from '../../nn/index.ts'
import { noGrad, type Tensor, zeros } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'

/** A linear layer from the hidden states of a language model to values. All values are 0 at first. */
export class ValueHead extends Module {
  /** C to 1 features. */
  readonly linear: Linear
  readonly #model: CausalLM

  /** Creates the head of a model, whose layers it shares. */
  constructor(model: CausalLM) {
    super()
    this.#model = model
    this.linear = new Linear(widthOf(model), 1, { std: 0 })
  }

  /** Computes logits f32 (N, T, V) and values f32 (N, T) of ids i32 (N, T). */
  forward(ids: Tensor): { logits: Tensor; values: Tensor } {
    const { logits, states } = withStates(this.#model, ids)
    return { logits, values: this.linear.forward(states).squeeze(-1) }
  }
}

/** Creates the value head of a model, or returns the one that it has. */
export function valueHeadOf(model: CausalLM): ValueHead {
  const head = heads.get(model) ?? new ValueHead(model)
  heads.set(model, head)
  return head
}

const heads = new WeakMap<CausalLM, ValueHead>()

/** Logits, and the hidden states from which they are computed, without those of virtual tokens. */
function withStates(model: CausalLM, ids: Tensor): { logits: Tensor; states: Tensor } {
  const path = stackOf(model)
  const { result, activations } = captureActivations(model, [path], () => model.forward(ids))
  const states = activations.get(path)
  if (states === undefined) throw notShared(model)
  const [, tokens] = ids.shape
  return { logits: result, states: states.narrow(1, states.shape[1] - tokens, tokens) }
}

/** The path of the layers below the output layer. */
function stackOf(model: CausalLM): string {
  const base: unknown = Reflect.get(model.constructor, 'base')
  const [path] = [base].flat()
  if (typeof path !== 'string') throw notShared(model)
  return path
}

function widthOf(model: CausalLM): number {
  const { states } = noGrad(() => withStates(model, zeros([1, 1], 'i32')))
  return states.shape[2]
}

const notShared = (model: CausalLM): HeedError =>
  new HeedError(
    'unsupported',
    `The model must have layers below its output layer, got ${model.constructor.name}`,
    { key: 'from', remedy: 'Use grpo or rloo, which need no value head.' },
  )
