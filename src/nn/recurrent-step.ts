// One step of each kind of recurrent network, after the matrix products.
// B batch, H hidden size, G gates
import { cat, type Tensor } from '../tensor/index.ts'

/** The state of a recurrent network: [h], or [h, c] for an LSTM. */
export type RecurrentState = readonly Tensor[]

/** What distinguishes RNN, LSTM and GRU: gates, state and step. */
export interface RecurrentKind {
  /** Number of gates: blocks of rows in the weights. */
  readonly gates: number
  /** Number of tensors in the state. The first is the output. */
  readonly states: number
  /**
   * Whether the hidden part needs its own bias. If both parts are simply added, the sum of both biases is added to the
   * input's part, for all steps in one operation.
   */
  readonly biasApart: boolean
  /** Computes the next state from the input's part x (B, G·H), the hidden part u (B, G·H) and the state. */
  step(x: Tensor, u: Tensor, state: RecurrentState): RecurrentState
}

/** Simple recurrent network: h = f(x + u) (Elman, 1990). */
const elman = (activate: (x: Tensor) => Tensor): RecurrentKind => ({
  gates: 1,
  states: 1,
  biasApart: false,
  step: (x, u) => [activate(x.add(u))],
})

/** LSTM (Hochreiter and Schmidhuber, 1997), with the forget gate of Gers et al. (2000). */
const lstm: RecurrentKind = {
  gates: 4,
  states: 2,
  biasApart: false,
  step(x, u, [, c]) {
    const [i, f, g, o] = parts(x, 4).map((part, k) => part.add(parts(u, 4)[k]))
    const next = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()))
    return [o.sigmoid().mul(next.tanh()), next]
  },
}

/** GRU (Cho et al., 2014), with the reset gate applied after the product, as in PyTorch and cuDNN. */
const gru: RecurrentKind = {
  gates: 3,
  states: 1,
  biasApart: true,
  step(x, u, [h]) {
    const [xr, xz, xn] = parts(x, 3)
    const [ur, uz, un] = parts(u, 3)
    const z = xz.add(uz).sigmoid()
    const n = xn.add(xr.add(ur).sigmoid().mul(un)).tanh()
    return [n.add(z.mul(h.sub(n)))] // (1 - z)·n + z·h
  },
}

export const recurrentKinds = {
  rnn_tanh: elman((x) => x.tanh()),
  rnn_relu: elman((x) => x.relu()),
  lstm,
  gru,
} as const

const parts = (x: Tensor, count: number): Tensor[] => x.chunk(count, -1)

export interface StepsOptions {
  /** For each step bool (B, 1). The state does not change where it is false. */
  valid?: readonly Tensor[]
  /** Whether to run from the last step to the first. */
  reverse?: boolean
}

/**
 * Runs all steps of one layer in one direction. `inputs` (T·B, G·H) is the product of all steps' inputs with the
 * weights, ordered by step.
 * @returns outputs (T·B, H) and the last state
 */
export function recurrentSteps(
  kind: RecurrentKind,
  inputs: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  first: RecurrentState,
  { valid, reverse = false }: StepsOptions = {},
): { output: Tensor; state: RecurrentState } {
  const steps = inputs.split(first[0].shape[0], 0) // T x (B, G·H)
  const columns = weight.t() // outside the loop, so that its gradient is one product over all steps
  const outputs: Tensor[] = new Array(steps.length)
  let state = first
  for (let i = 0; i < steps.length; i++) {
    const t = reverse ? steps.length - 1 - i : i
    const product = state[0].matmul(columns)
    const next = kind.step(steps[t], bias ? product.add(bias) : product, state)
    const before = state
    const counts = valid?.[t]
    state = counts ? next.map((x, k) => counts.where(x, before[k])) : next
    outputs[t] = state[0]
  }
  return { output: cat(outputs, 0), state }
}
