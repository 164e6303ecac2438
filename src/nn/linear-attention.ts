// Attention whose cost grows linearly with the text (Katharopoulos et al., 2020, "Transformers are RNNs"):
// softmax(q·kᵀ) becomes φ(q)·φ(k)ᵀ, and sums over keys can be made before the queries are known.
// B batch, H heads, T queries, S keys, D features, E = Dv + 1, N chunks of C tokens

import { checkTensors } from '../tensor/arguments.ts'
import { cat, ones, type Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { alternatives, ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'

/** φ: what makes weights positive. */
export const featureMaps = {
  elu: (x: Tensor) => x.elu().add(1),
  relu: (x: Tensor) => x.relu(),
}

export interface LinearAttentionOptions {
  /** Default elu, that is elu(x) + 1. */
  feature?: keyof typeof featureMaps
  /** Each query sees the keys up to its own. */
  causal?: boolean
  /** Causal: so many tokens are treated at once, at a cost that grows with it. Default 64. */
  chunk?: number
}

/**
 * φ(q)·(Σ φ(k)ᵀ·v) / φ(q)·Σ φ(k), all queries at once: q (B, H, T, D), k (B, H, S, D), v (B, H, S, Dv) ->
 * (B, H, T, Dv). A query that no key resembles (relu) gets 0.
 * @throws ShapeError when causal and there are not as many queries as keys
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
      { remedy: 'Continue a text with linearAttentionStep().' },
    )
  const size = Math.min(chunk, tokens)
  const [qs, ks, vs] = [query, key, value].map((x) => chunked(x, size)) // (B, H, N, C, ·)
  const own = qs.matmul(ks.transpose(-2, -1)).tril().matmul(vs) // within a chunk
  const sums = before(ks.transpose(-2, -1).matmul(vs)) // (B, H, N, D, E)
  const all = own.add(qs.matmul(sums)).flatten(2, 3) // (B, H, N·C, E)
  return normalized(all.narrow(2, 0, tokens))
}

/** What a recurrent run keeps of its text, whatever its length: (B, H, D, E). */
export type LinearAttentionState = Tensor

/**
 * The same token by token: the sums over earlier keys go in, and come out with this one's share. All are
 * (B, H, 1, ·); without a state the text begins.
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

/** One more column of ones, whose sum is what the others are divided by. */
const counted = (v: Tensor): Tensor => cat([v, ones([...v.shape.slice(0, -1), 1])], -1)

function normalized(sums: Tensor): Tensor {
  const width = sums.shape[3] - 1
  const total = sums.narrow(3, width, 1)
  return sums.narrow(3, 0, width).div(total.eq(0).where(1, total))
}

/** (B, H, T, X) -> (B, H, N, C, X), the last chunk filled up with zeros, which add nothing to sums. */
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

/** The sum over all chunks before each. */
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
