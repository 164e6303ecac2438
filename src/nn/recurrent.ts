// Recurrent networks over whole sequences, as in torch.nn. Field names are PyTorch's keys.
// B batch, T steps, C inputs, H hidden size, G gates, L layers, D directions

import { checkTensors, nodesOf } from '../tensor/arguments.ts'
import {
  arange,
  cat,
  F,
  type Parameter,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '../tensor/index.ts'
import { checkArguments } from '../util/check-argument.ts'
import { invalidOption, ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { Module } from './module.ts'
import { recurrentParameter, rnnKind } from './recurrent-cell.ts'
import {
  type RecurrentKind,
  type RecurrentState,
  recurrentKinds,
  recurrentSteps,
} from './recurrent-step.ts'

/** Options of `RNN`, `LSTM` and `GRU`. */
export interface RecurrentOptions {
  /** Number of layers. Default 1. */
  numLayers?: number
  /** Whether to add biases. Default true. */
  bias?: boolean
  /** Whether inputs and outputs are (B, T, C) rather than (T, B, C). Default false. */
  batchFirst?: boolean
  /** Dropout probability for the output of every layer except the last, in training. Default 0. */
  dropout?: number
  /** Whether each layer also runs in the reverse direction. Default false. */
  bidirectional?: boolean
}

/** Further inputs of recurrent networks. */
export interface RecurrentInputs {
  /** The initial state, each tensor (L·D, B, H). Default: zeros. */
  state?: RecurrentState
  /**
   * The number of valid steps of each sequence, i32 (B). As with PyTorch's pack_padded_sequence, later outputs are
   * zero, the last state is that of the last valid step, and the reverse direction starts there. Default: all steps.
   */
  lengths?: Tensor | readonly number[]
}

/** The result of recurrent networks. */
export interface RecurrentOutput {
  /** h of the last layer at each step: (T, B, D·H), or (B, T, D·H) with `batchFirst`. */
  output: Tensor
  /** The last state, each tensor (L·D, B, H): layers in order, forward before reverse. */
  state: RecurrentState
}

const COMMON = {
  numLayers: 'size?',
  bias: 'flag?',
  batchFirst: 'flag?',
  dropout: 'share?',
  bidirectional: 'flag?',
} as const
const RECURRENT = optionKinds<RecurrentOptions>(COMMON)
const RNN_OPTIONS = optionKinds<RNNOptions>({ ...COMMON, nonlinearity: 'text?' })
const INPUTS = optionKinds<RecurrentInputs>({ state: 'list?', lengths: 'object?' })

abstract class Recurrent extends Module {
  /** Number of features of an input, C. */
  readonly inputSize: number
  /** Number of features of the hidden state, H. */
  readonly hiddenSize: number
  /** Number of layers. */
  readonly numLayers: number
  /** Whether each layer also reads the sequence in reverse. */
  readonly bidirectional: boolean
  /** Whether inputs are (B, T, C) rather than (T, B, C). */
  readonly batchFirst: boolean
  /** Dropout probability between layers. */
  readonly dropout: number
  protected readonly kind: RecurrentKind
  /** Suffixes of parameter names: layers in order, forward before reverse. */
  readonly #suffixes: string[] = []

  constructor(kind: RecurrentKind, inputs: number, hidden: number, options: RecurrentOptions) {
    super()
    const owner = new.target.name
    RECURRENT.check(owner, options)
    checkArguments(owner, { inputs, hidden }, 'size')
    const {
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout = 0,
      bidirectional = false,
    } = options
    this.kind = kind
    this.inputSize = inputs
    this.hiddenSize = hidden
    this.numLayers = numLayers
    this.batchFirst = batchFirst
    this.dropout = dropout
    this.bidirectional = bidirectional
    for (let layer = 0; layer < numLayers; layer++)
      for (const suffix of bidirectional ? ['', '_reverse'] : ['']) {
        const width = layer === 0 ? inputs : hidden * (bidirectional ? 2 : 1)
        this.#makeWeights(`l${layer}${suffix}`, width, bias)
      }
  }

  /** x (T, B, C), or (B, T, C) with `batchFirst`. @throws ShapeError if x or the state has another shape */
  forward(x: Tensor, inputs: RecurrentInputs = {}): RecurrentOutput {
    checkTensors(this.constructor.name, { x })
    INPUTS.check(`${this.constructor.name}.forward`, inputs)
    const { state, lengths } = inputs
    if (x.rank !== 3 || x.shape[2] !== this.inputSize || x.size === 0)
      throw new ShapeError(
        `${this.constructor.name}: the input must be (${this.batchFirst ? 'batch, steps' : 'steps, batch'}, ${this.inputSize}), got (${x.shape.join(', ')})`,
      )
    const steps = this.batchFirst ? x.transpose(0, 1) : x // (T, B, C)
    const [count, batch] = steps.shape
    const first = this.#firstStates(state, batch)
    const counted = lengths ? countedSteps(lengths, count, batch) : null // (T, B, 1)
    const last: RecurrentState[] = []
    let y = steps
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0 && this.training) y = F.dropout(y, this.dropout)
      const sides = this.#layerWeights(layer).map((weights, side) => {
        const found = this.#run(y, weights, first[last.length], counted, side === 1)
        last.push(found.state)
        return found.output
      })
      y = cat(sides, -1) // (T, B, D·H)
    }
    const output = counted ? counted.where(y, 0) : y
    return {
      output: this.batchFirst ? output.transpose(0, 1) : output,
      state: last[0].map((_, k) => stack(last.map((state) => state[k]))),
    }
  }

  /** The initial state: zeros, each tensor (L·D, B, H). */
  zeroState(batch: number): RecurrentState {
    const shape = [this.#suffixes.length, batch, this.hiddenSize]
    return Array.from({ length: this.kind.states }, () => zeros(shape))
  }

  #run(
    x: Tensor, // (T, B, C)
    { weight_ih, weight_hh, bias_ih, bias_hh }: Weights,
    first: RecurrentState,
    counted: Tensor | null,
    reverse: boolean,
  ): RecurrentOutput {
    const [count, batch, width] = x.shape
    const together = bias_ih && bias_hh && !this.kind.biasApart ? bias_ih.add(bias_hh) : bias_ih
    const inputs = F.linear(x.reshape(count * batch, width), weight_ih, together) // (T·B, G·H)
    const bias = this.kind.biasApart ? bias_hh : null
    const valid = counted?.unbind(0) // T x (B, 1)
    const found = recurrentSteps(this.kind, inputs, weight_hh, bias, first, { valid, reverse })
    return { ...found, output: found.output.reshape(count, batch, this.hiddenSize) }
  }

  /** The initial state of each layer and direction. */
  #firstStates(state: RecurrentState | undefined, batch: number): RecurrentState[] {
    const given = state ?? this.zeroState(batch)
    nodesOf(given, this.constructor.name, 'state')
    const expected = [this.#suffixes.length, batch, this.hiddenSize].join(', ')
    if (given.length !== this.kind.states || given.some((x) => x.shape.join(', ') !== expected))
      throw new ShapeError(
        `${this.constructor.name}: the state must have ${this.kind.states} tensors of shape (${expected}), got ${given.map((x) => `(${x.shape.join(', ')})`).join(' and ')}`,
      )
    return this.#suffixes.map((_, i) => given.map((x) => x.select(0, i)))
  }

  #layerWeights(layer: number): Weights[] {
    const directions = this.bidirectional ? 2 : 1
    const fields = this as unknown as Record<string, Parameter | null>
    return this.#suffixes.slice(layer * directions, (layer + 1) * directions).map((suffix) => ({
      weight_ih: fields[`weight_ih_${suffix}`] as Parameter,
      weight_hh: fields[`weight_hh_${suffix}`] as Parameter,
      bias_ih: fields[`bias_ih_${suffix}`],
      bias_hh: fields[`bias_hh_${suffix}`],
    }))
  }

  #makeWeights(suffix: string, inputs: number, bias: boolean): void {
    const rows = this.kind.gates * this.hiddenSize
    const first = (...shape: number[]): Parameter => recurrentParameter(shape, this.hiddenSize)
    this.#suffixes.push(suffix)
    Object.assign(this, {
      [`weight_ih_${suffix}`]: first(rows, inputs),
      [`weight_hh_${suffix}`]: first(rows, this.hiddenSize),
      [`bias_ih_${suffix}`]: bias ? first(rows) : null,
      [`bias_hh_${suffix}`]: bias ? first(rows) : null,
    })
  }
}

interface Weights {
  weight_ih: Parameter
  weight_hh: Parameter
  bias_ih: Parameter | null
  bias_hh: Parameter | null
}

/** Options of `RNN`. */
export interface RNNOptions extends RecurrentOptions {
  /** Activation function. Default 'tanh'. */
  nonlinearity?: 'tanh' | 'relu'
}

/** Simple recurrent network: h = tanh(W·x + b + U·h + d) (Elman, 1990). State [h]. */
export class RNN extends Recurrent {
  /** Creates a network from `inputs` features to a state of `hidden` features. Default nonlinearity 'tanh'. */
  constructor(inputs: number, hidden: number, options: RNNOptions = {}) {
    RNN_OPTIONS.check('RNN', options)
    const { nonlinearity = 'tanh', ...others } = options
    super(rnnKind('RNN', nonlinearity), inputs, hidden, others)
  }
}

/** LSTM (Hochreiter and Schmidhuber, 1997) with a forget gate (Gers et al., 2000). State [h, c]. */
export class LSTM extends Recurrent {
  /** Creates a network from `inputs` features to a state of `hidden` features. */
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(recurrentKinds.lstm, inputs, hidden, options)
  }
}

/** GRU (Cho et al., 2014). State [h]. */
export class GRU extends Recurrent {
  /** Creates a network from `inputs` features to a state of `hidden` features. */
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(recurrentKinds.gru, inputs, hidden, options)
  }
}

/** bool (T, B, 1), true for valid steps. */
function countedSteps(lengths: Tensor | readonly number[], count: number, batch: number): Tensor {
  const given = Array.isArray(lengths)
    ? tensor(Int32Array.from(lengths as number[]))
    : (lengths as Tensor)
  if (given.rank !== 1 || given.shape[0] !== batch)
    throw new ShapeError(`\`lengths\` must have shape (${batch}), got (${given.shape.join(', ')})`)
  const wrong = Array.isArray(lengths) ? lengths.find((n) => !(n >= 1 && n <= count)) : undefined
  if (wrong !== undefined)
    throw invalidOption({
      key: 'lengths',
      value: wrong,
      expected: `whole numbers from 1 to ${count}, the number of steps`,
    })
  return arange(count)
    .reshape(count, 1, 1)
    .lt(given.reshape(1, batch, 1))
}
