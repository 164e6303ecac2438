// Operations of several tensors that have no natural owner: torch.nn.functional.
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { showShape } from '../graph/shape.ts'
import { HeedError, ShapeError } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import { ones, zeros } from './create.ts'
import { defaultGenerator, type Generator } from './random.ts'
import type { Tensor } from './tensor.ts'

export type Reduction = 'mean' | 'sum' | 'none'

/** x·Wᵀ + b with W (out, in), as torch.nn.Linear stores it. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const y = x.matmul(weight.t())
  return bias ? y.add(bias) : y
}

/** Rows of `weight` (V, C) by number: shape + (C). */
export const embedding = (index: Tensor, weight: Tensor): Tensor => weight.take(index, 0)

/** Zeroes elements with probability p and scales the others by 1/(1 - p) (Srivastava et al., 2014). */
export function dropout(x: Tensor, p = 0.5, generator: Generator = defaultGenerator()): Tensor {
  if (!(p >= 0 && p <= 1)) throw new HeedError(`dropout: p = ${p} is not a probability`)
  if (p === 0) return x
  if (p === 1) return x.mul(0)
  const { seed, draw } = generator.next()
  return tensorOf(g.make('dropout', [x.node, seed, draw], { p }))
}

/** Over the last axis (Ba et al., 2016). */
export function layerNorm(
  x: Tensor,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  const size = [x.shape.at(-1) as number]
  const gamma = weight ?? ones(size)
  const beta = bias ?? zeros(size)
  return tensorOf(g.pick(g.make('layerNorm', [x.node, gamma.node, beta.node], { eps }), 0))
}

/** Over the last axis, without a mean (Zhang and Sennrich, 2019). */
export function rmsNorm(x: Tensor, weight?: Tensor | null, eps = 1e-6): Tensor {
  const gamma = weight ?? ones([x.shape.at(-1) as number])
  return tensorOf(g.pick(g.make('rmsNorm', [x.node, gamma.node], { eps }), 0))
}

export interface CrossEntropyOptions {
  /** Rows with this target count for nothing. */
  ignoreIndex?: number
  /** Share of the probability that is spread over all classes (Szegedy et al., 2016). */
  labelSmoothing?: number
  /** 'mean' is over the rows that count. */
  reduction?: Reduction
}

/** −log softmax(logits)[target]: logits (..., V), targets (...) i32. */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  const { ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new HeedError(`crossEntropy: labelSmoothing ${labelSmoothing} is not between 0 and 1`)
  const classes = logits.shape.at(-1) ?? 1
  const rows = target.reshape(-1).to('i32')
  const flat = logits.reshape(-1, classes)
  const [lost] = g.crossEntropy(flat.node, rows.node, { ignoreIndex, labelSmoothing })
  const loss = tensorOf(lost)
  if (reduction === 'none') return loss.reshape(target.shape)
  if (reduction === 'sum') return loss.sum()
  return loss.sum().div(rows.ne(ignoreIndex).sum())
}

/** −input[target] of log-probabilities. */
export function nllLoss(input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor {
  const chosen = input.gather(-1, target.to('i32').unsqueeze(-1)).squeeze(-1).neg()
  return reduced(chosen, reduction)
}

export const mseLoss = (input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor =>
  reduced(input.sub(target).square(), reduction)

/** Binary cross-entropy of logits, without overflow. */
export function bceWithLogits(
  logits: Tensor,
  target: Tensor,
  reduction: Reduction = 'mean',
): Tensor {
  const loss = logits.maximum(0).sub(logits.mul(target)).add(logits.abs().neg().exp().log1p())
  return reduced(loss, reduction)
}

function reduced(loss: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return loss
  return reduction === 'sum' ? loss.sum() : loss.mean()
}

export interface AttentionOptions {
  /** bool, true = may be seen; or f32, added to the scores. Broadcasts to (B, H, T, S). */
  mask?: Tensor | null
  /** f32, added to the scores, with a gradient. Broadcasts to (B, H, T, S). */
  bias?: Tensor | null
  /** Query i sees keys up to its own position; with fewer queries than keys they are the last ones. */
  causal?: boolean
  /** 1/√D when left out. */
  scale?: number
  dropout?: number
  /** i32, one element: only so many keys are in use (a cache of fixed capacity). */
  length?: Tensor | null
  generator?: Generator
}

/**
 * softmax(q·kᵀ·scale + mask)·v (Vaswani et al., 2017, section 3.2.1).
 * q (B, H, T, D), k (B, Hk, S, D), v (B, Hk, S, Dv), with Hk dividing H -> (B, H, T, Dv).
 * Unlike torch's `is_causal`, a causal mask is aligned at the last query and the last key.
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor {
  if (q.rank !== 4)
    throw new ShapeError(`attention: the query has shape ${showShape(q.shape)}, not (B, H, T, D)`)
  const { mask, causal, scale, dropout: p = 0, generator = defaultGenerator() } = options
  const boolean = mask?.dtype === 'bool' ? mask : null
  const added = [mask && !boolean ? mask : null, options.bias].filter((x) => x != null)
  const bias = added.length === 2 ? added[0].add(added[1]) : added[0]
  const draws: { seed?: Node; draw?: Node } = p > 0 ? generator.next() : {}
  const inputs = {
    q: q.node,
    k: k.node,
    v: v.node,
    bias: bias?.node,
    mask: boolean?.node,
    length: options.length?.node,
    ...draws,
  }
  const [out] = g.attention(inputs, { scale, causal, dropout: p })
  return tensorOf(out)
}
