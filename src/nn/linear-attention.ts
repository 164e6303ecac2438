// Attention with cost linear in the number of tokens (Katharopoulos et al., 2020, "Transformers are RNNs").
// softmax(q·kᵀ) becomes φ(q)·φ(k)ᵀ, so that sums over keys do not depend on the queries.
// B batch, H heads, T queries, S keys, D features, E = Dv + 1, N chunks of C tokens

import { checkTensors } from '../tensor/arguments.ts'
import { cat, ones, type Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { alternatives, ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'

/** Feature maps φ, which make attention weights positive. */
export const featureMaps = {
  /** elu(x) + 1 (Katharopoulos et al., 2020, section 3.2.1). */
  elu: (x: Tensor) => x.elu().add(1),
  /** max(x, 0). */
  relu: (x: Tensor) => x.relu(),
}

/** Options of `linearAttention`. */
export interface LinearAttentionOptions {
  /** Name of the feature map. Default `elu`: elu(x) + 1. */
  feature?: keyof typeof featureMaps
  /** Whether each query sees only the keys up to its own position. Default false. */
  causal?: boolean
  /** Number of tokens per chunk in causal attention. Memory and time per token grow with it. Default 64. */
  chunk?: number
}

/**
 * Computes linear attention, φ(q)·(Σ φ(k)ᵀ·v) / φ(q)·Σ φ(k), for all queries in parallel (Katharopoulos et al., 2020,
 * section 3.2). A query that is orthogonal to all keys (possible with `relu`) gets 0.
 * @param q (B, H, T, D)
 * @param k (B, H, S, D)
 * @param v (B, H, S, Dv)
 * @returns (B, H, T, Dv)
 * @throws ShapeError if `causal` is set and T differs from S
 */
export function linearAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: LinearAttentionOptions = {},
): Tensor {
  checkHeads('linearAttention', { q, k, v })
  LINEAR_ATTENTION.check('linearAttention', options)
  const { feature = 'elu', causal = false, chunk = 64 } = options
  const map = featureMap('linearAttention', feature)
  const [query, key, value] = [map(q), map(k), counted(v)]
  if (!causal) return normalized(query.matmul(key.transpose(-2, -1).matmul(value)))
  const [tokens, keys] = [q.shape[2], k.shape[2]]
  if (tokens !== keys)
    throw new ShapeError(
      `linearAttention: causal attention must have one key for each query, got ${tokens} queries and ${keys} keys`,
      { remedy: 'To continue a sequence, use linearAttentionStep().' },
    )
  const size = Math.min(chunk, tokens)
  const [qs, ks, vs] = [query, key, value].map((x) => chunked(x, size)) // (B, H, N, C, ·)
  const own = qs.matmul(ks.transpose(-2, -1)).tril().matmul(vs) // within a chunk
  const sums = before(ks.transpose(-2, -1).matmul(vs)) // (B, H, N, D, E)
  const all = own.add(qs.matmul(sums)).flatten(2, 3) // (B, H, N·C, E)
  return normalized(all.narrow(2, 0, tokens))
}

/** State of recurrent linear attention, (B, H, D, E). Its size does not depend on the length of the sequence. */
export type LinearAttentionState = Tensor

/**
 * Computes causal linear attention of one token (Katharopoulos et al., 2020, section 3.4). The state contains the sums
 * over earlier keys; the returned state includes this token. q, k and v are (B, H, 1, ·). Pass null as the state of the
 * first token.
 */
export function linearAttentionStep(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  state: LinearAttentionState | null,
  feature: keyof typeof featureMaps = 'elu',
): { out: Tensor; state: LinearAttentionState } {
  checkHeads('linearAttentionStep', { q, k, v })
  if (state !== null) checkTensors('linearAttentionStep', { state })
  const map = featureMap('linearAttentionStep', feature)
  const share = map(k).transpose(-2, -1).matmul(counted(v)) // (B, H, D, E)
  const sums = state ? state.add(share) : share
  return { out: normalized(map(q).matmul(sums)), state: sums }
}

const LINEAR_ATTENTION = optionKinds<LinearAttentionOptions>({
  feature: 'text?',
  causal: 'flag?',
  chunk: 'size?',
})

function featureMap(op: string, name: keyof typeof featureMaps): (x: Tensor) => Tensor {
  if (Object.hasOwn(featureMaps, name)) return featureMaps[name]
  throw wrongArgument(op, 'feature', name, alternatives(Object.keys(featureMaps)))
}

function checkHeads(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  checkTensors(op, tensors)
  for (const key in tensors)
    if (tensors[key].rank !== 4)
      throw new ShapeError(
        `${op}: \`${key}\` must be (B, H, T, D), got (${tensors[key].shape.join(', ')})`,
      )
}

/** Appends a column of ones. Its sum is the normaliser of the other columns. */
const counted = (v: Tensor): Tensor => cat([v, ones([...v.shape.slice(0, -1), 1])], -1)

function normalized(sums: Tensor): Tensor {
  const width = sums.shape[3] - 1
  const total = sums.narrow(3, width, 1)
  return sums.narrow(3, 0, width).div(total.eq(0).where(1, total))
}

/** (B, H, T, X) -> (B, H, N, C, X). Pads the last chunk with zeros, which do not change the sums. */
function chunked(x: Tensor, size: number): Tensor {
  const [batch, heads, tokens, width] = x.shape
  const count = Math.ceil(tokens / size)
  return x
    .pad([
      [0, count * size - tokens],
      [0, 0],
    ])
    .reshape(batch, heads, count, size, width)
}

/** For each chunk, the sum over all earlier chunks. */
function before(sums: Tensor): Tensor {
  const count = sums.shape[2]
  return sums
    .narrow(2, 0, count - 1)
    .pad([
      [1, 0],
      [0, 0],
      [0, 0],
    ])
    .cumsum(2)
}
