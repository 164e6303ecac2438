// One step of each kind of recurrent network, after the products with the weights.
// B batch, H hidden size, G gates
import { cat, type Tensor } from '../tensor/index.ts'

/** What a network remembers: [h], or [h, c] of an LSTM. */
export type RecurrentState = readonly Tensor[]

export interface RecurrentKind {
  readonly gates: number
  /** Tensors that are carried from step to step; the first is the output. */
  readonly states: number
  /**
   * Whether the hidden part's bias stays with the hidden part. Where both parts are only added, one
   * bias for both is added to the input's part, for all steps at once.
   */
  readonly biasApart: boolean
  /** The next state from the input's part x (B, G·H), the hidden part u (B, G·H) and the state. */
  step(x: Tensor, u: Tensor, state: RecurrentState): RecurrentState
}

/** h = f(x + u) (Elman, 1990). */
const elman = (activate: (x: Tensor) => Tensor): RecurrentKind => ({
  gates: 1,
  states: 1,
  biasApart: false,
  step: (x, u) => [activate(x.add(u))],
})

/** Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000). */
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

/** Cho et al. (2014), the reset gate behind the product, as in PyTorch and cuDNN. */
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
  /** bool (B, 1) for each step: where it is false, the state stays as it is. */
  valid?: readonly Tensor[]
  /** From the last step to the first. */
  reverse?: boolean
}

/**
 * All steps of one layer in one direction. The product with the inputs is done before, for all steps
 * at once: `inputs` (T·B, G·H), step after step. Outputs (T·B, H) and the last state.
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
  const columns = weight.t() // once, so that its gradient is one product over all steps
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
