// Attention of a decoder to the states of a recurrent encoder.
// B batch, T queries, S states, Q size of a query, K size of a state, A size of the hidden layer

import { checkTensors } from '../tensor/arguments.ts'
import type { Tensor } from '../tensor/index.ts'
import { checkArguments } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

/** Options of attention to states. */
export interface StateAttentionOptions {
  /** bool (B, S), true for states to attend to. Default: all states. */
  mask?: Tensor | null
  /** Result of `project`, to be reused in several calls with the same states. */
  projected?: Tensor
}

/** The result of attention to states. */
export interface StateAttentionOutput {
  /** Weighted mean of the states, (B, T, K). */
  context: Tensor
  /** Attention weights, (B, T, S). Each row sums to 1. */
  weights: Tensor
}

const OPTIONS = optionKinds<StateAttentionOptions>({ mask: 'tensor|null?', projected: 'tensor?' })

/**
 * Base class of attention to the states of an encoder: query (B, T, Q), states (B, S, K). Subclasses define the scores.
 */
export abstract class StateAttention extends Module {
  /** Computes the part of the scores that does not depend on the query: (B, S, K) -> (B, S, A). */
  abstract project(states: Tensor): Tensor
  /** Computes the scores (B, T, S) from a query (B, T, Q) and the result of `project`. */
  protected abstract scores(query: Tensor, projected: Tensor): Tensor

  /** Attends from query (B, T, Q) to states (B, S, K). */
  forward(
    query: Tensor,
    states: Tensor,
    options: StateAttentionOptions = {},
  ): StateAttentionOutput {
    checkTensors(this.constructor.name, { query, states })
    OPTIONS.check(`${this.constructor.name}.forward`, options)
    const { mask, projected } = options
    const all = this.scores(query, projected ?? this.project(states))
    const scores = mask ? mask.unsqueeze(1).where(all, HIDDEN) : all
    const weights = scores.softmax(-1)
    return { context: weights.matmul(states), weights }
  }
}

/** Additive attention, with the scores vᵀ·tanh(W·s + U·h) (Bahdanau et al., 2015, appendix A.1.2). */
export class AdditiveAttention extends StateAttention {
  /** W: projection of the query, Q to A features. */
  query: Linear
  /** U: projection of the states, K to A features. */
  key: Linear
  /** v: A features to one score. */
  score: Linear

  /** Creates the layer for queries of `querySize` and states of `keySize` features. Default `hidden` (A): `keySize`. */
  constructor(querySize: number, keySize: number, hidden = keySize) {
    super()
    this.query = new Linear(querySize, hidden, { bias: false })
    this.key = new Linear(keySize, hidden, { bias: false })
    this.score = new Linear(hidden, 1, { bias: false })
  }

  project(states: Tensor): Tensor {
    return this.key.forward(states)
  }

  protected scores(query: Tensor, projected: Tensor): Tensor {
    return scored(this.score, sums(this.query.forward(query), projected).tanh())
  }
}

/**
 * Attention with a one-hidden-layer network on query and state: v·relu(W·[s; h] + b) + d. See `AdditiveAttention` for
 * tanh.
 */
export class MLPAttention extends StateAttention {
  /** The query's part of W, Q to A features. */
  query: Linear
  /** The states' part of W, K to A features, with the bias of the hidden layer. */
  key: Linear
  /** v and d: A features to one score. */
  score: Linear

  /** Creates the layer for queries of `querySize` and states of `keySize` features. Default `hidden` (A): `keySize`. */
  constructor(querySize: number, keySize: number, hidden = keySize) {
    super()
    this.query = new Linear(querySize, hidden, { bias: false })
    this.key = new Linear(keySize, hidden)
    this.score = new Linear(hidden, 1)
  }

  project(states: Tensor): Tensor {
    return this.key.forward(states)
  }

  protected scores(query: Tensor, projected: Tensor): Tensor {
    return scored(this.score, sums(this.query.forward(query), projected).relu())
  }
}

/** Options of `DotAttention`. */
export interface DotAttentionConfig {
  /** Size of a state, if it differs from the query's size. The states are then projected by a matrix W. */
  keySize?: number
  /** Factor of the scores. Default 1. */
  scale?: number
}

const DOT = optionKinds<DotAttentionConfig>({ keySize: 'size?', scale: 'number?' })

/** Dot-product attention, with the scores sᵀ·h, or sᵀ·W·h with `keySize` (Luong et al., 2015, equation 8). */
export class DotAttention extends StateAttention {
  /** Number of features of a query, Q. */
  readonly querySize: number
  /** Factor of the scores. */
  readonly scale: number
  /** W: projection of the states, K to Q features; null if both have the same size. */
  key: Linear | null

  /** Creates the layer for queries of `querySize` features. */
  constructor(querySize: number, config: DotAttentionConfig = {}) {
    super()
    DOT.check('DotAttention', config)
    checkArguments('DotAttention', { querySize }, 'size')
    const { keySize, scale = 1 } = config
    this.querySize = querySize
    this.scale = scale
    this.key = keySize === undefined ? null : new Linear(keySize, querySize, { bias: false })
  }

  project(states: Tensor): Tensor {
    const keys = this.key ? this.key.forward(states) : states
    if (keys.shape.at(-1) !== this.querySize)
      throw new ShapeError(
        `DotAttention: queries and states must have the same size, got ${this.querySize} and ${keys.shape.at(-1)}`,
        { remedy: 'Set `keySize` to project the states.' },
      )
    return keys
  }

  protected scores(query: Tensor, projected: Tensor): Tensor {
    return query.matmul(projected.transpose(-2, -1)).mul(this.scale)
  }
}

/** The sum of each query and each state: (B, T, A) and (B, S, A) -> (B, T, S, A). */
const sums = (query: Tensor, keys: Tensor): Tensor => query.unsqueeze(2).add(keys.unsqueeze(1))

/** (B, T, S, A) -> (B, T, S). A fused multiply and sum, so that the products are not stored. */
function scored({ weight, bias }: Linear, x: Tensor): Tensor {
  const sum = x.mul(weight.reshape(-1)).sum(-1)
  return bias ? sum.add(bias) : sum
}

const HIDDEN = -1e30
