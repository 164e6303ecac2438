import { checkTensors } from '../tensor/arguments.ts'
import { F, Parameter, type Tensor, zeros } from '../tensor/index.ts'
import { checkArguments, wrongArgument } from '../util/check-argument.ts'
import { optionKinds } from '../util/options.ts'
import * as init from './init.ts'
import { Module } from './module.ts'
import { type RecurrentKind, type RecurrentState, recurrentKinds } from './recurrent-step.ts'

/** Options of recurrent cells. */
export interface RecurrentCellOptions {
  /** Whether to add biases. Default true. */
  bias?: boolean
}

const CELL = optionKinds<RecurrentCellOptions>({ bias: 'flag?' })
const RNN_CELL = optionKinds<RecurrentCellOptions & { nonlinearity?: 'tanh' | 'relu' }>({
  bias: 'flag?',
  nonlinearity: 'text?',
})

/** Base class of recurrent cells: one step, from x (B, C) and the state, tensors (B, H), to the next state. */
export abstract class RecurrentCell extends Module {
  /** Number of features of the hidden state, H. */
  readonly hiddenSize: number
  /** Weights of the input, (G·H, C), for G gates. */
  weight_ih: Parameter
  /** Weights of the hidden state, (G·H, H). */
  weight_hh: Parameter
  /** Bias of the input's part, (G·H), or null. */
  bias_ih: Parameter | null
  /** Bias of the hidden state's part, (G·H), or null. */
  bias_hh: Parameter | null
  /** Number of gates. Each is as wide as the hidden size. */
  readonly gates: number
  /** Number of tensors in the state. */
  readonly states: number
  /** Gates, state and step of the network. */
  protected readonly kind: RecurrentKind

  /** Creates a cell from `inputs` features to `hidden` features, with uniform initial values in ±1/√hidden. */
  constructor(kind: RecurrentKind, inputs: number, hidden: number, options: RecurrentCellOptions) {
    super()
    CELL.check(new.target.name, options)
    checkArguments(new.target.name, { inputs, hidden }, 'size')
    const { bias = true } = options
    this.kind = kind
    this.hiddenSize = hidden
    this.gates = kind.gates
    this.states = kind.states
    const rows = kind.gates * hidden
    const first = (...shape: number[]): Parameter => recurrentParameter(shape, hidden)
    this.weight_ih = first(rows, inputs)
    this.weight_hh = first(rows, hidden)
    this.bias_ih = bias ? first(rows) : null
    this.bias_hh = bias ? first(rows) : null
  }

  /** Computes the next state, whose first tensor is the output. Without `state`, the previous state is zeros. */
  forward(x: Tensor, state?: RecurrentState): RecurrentState {
    checkTensors(this.constructor.name, { x })
    if (state === undefined) return this.step(this.project(x), this.zeroState(x.shape[0]))
    if (!Array.isArray(state) || state.length !== this.states)
      throw wrongArgument(
        this.constructor.name,
        'state',
        state,
        `an array of ${this.states} tensors`,
      )
    return this.step(this.project(x), state)
  }

  /** Computes the input's part of the gates, for any number of steps in one product: (..., C) -> (..., G·H). */
  project(x: Tensor): Tensor {
    return F.linear(x, this.weight_ih, this.bias_ih)
  }

  /** Computes the next state from the result of `project` for one step. */
  step(input: Tensor, state: RecurrentState): RecurrentState {
    return this.kind.step(input, F.linear(state[0], this.weight_hh, this.bias_hh), state)
  }

  /** The initial state: zeros. */
  zeroState(batch: number): RecurrentState {
    return Array.from({ length: this.kind.states }, () => zeros([batch, this.hiddenSize]))
  }
}

/**
 * One step of a simple recurrent network: h' = tanh(W·x + b + U·h + d) (Elman, 1990). x (B, C), state [h] with h (B,
 * H).
 */
export class RNNCell extends RecurrentCell {
  /** Creates a cell from `inputs` features to a state of `hidden` features. Default nonlinearity 'tanh'. */
  constructor(
    inputs: number,
    hidden: number,
    options: RecurrentCellOptions & { nonlinearity?: 'tanh' | 'relu' } = {},
  ) {
    RNN_CELL.check('RNNCell', options)
    const { nonlinearity = 'tanh', ...others } = options
    super(rnnKind('RNNCell', nonlinearity), inputs, hidden, others)
  }
}

/**
 * One step of an LSTM (Hochreiter and Schmidhuber, 1997) with a forget gate (Gers et al., 2000). x (B, C), state [h,
 * c], each (B, H).
 */
export class LSTMCell extends RecurrentCell {
  /** Creates a cell from `inputs` features to a state of `hidden` features. */
  constructor(inputs: number, hidden: number, options: RecurrentCellOptions = {}) {
    super(recurrentKinds.lstm, inputs, hidden, options)
  }
}

/** One step of a GRU (Cho et al., 2014). x (B, C), state [h] with h (B, H). */
export class GRUCell extends RecurrentCell {
  /** Creates a cell from `inputs` features to a state of `hidden` features. */
  constructor(inputs: number, hidden: number, options: RecurrentCellOptions = {}) {
    super(recurrentKinds.gru, inputs, hidden, options)
  }
}

/** @throws HeedError for an unknown activation function */
export function rnnKind(owner: string, nonlinearity: 'tanh' | 'relu'): RecurrentKind {
  if (nonlinearity === 'tanh' || nonlinearity === 'relu')
    return recurrentKinds[`rnn_${nonlinearity}`]
  throw wrongArgument(owner, 'nonlinearity', nonlinearity, "'tanh' or 'relu'")
}

/** PyTorch's initial values: uniform in ±1/√H. */
export function recurrentParameter(shape: readonly number[], hidden: number): Parameter {
  const bound = 1 / Math.sqrt(hidden)
  return new Parameter(init.uniform(shape, -bound, bound))
}
