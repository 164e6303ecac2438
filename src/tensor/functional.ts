// Functions of several tensors: torch.nn.functional.
import * as g from '../graph/build.ts'
import type { Node } from '../graph/node.ts'
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { type BlockFormat, blockLayouts } from '../util/block-formats.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { alternatives, invalidOption, ShapeError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkOptionalTensors, checkTensors, nodeOf } from './arguments.ts'
import { tensorOf } from './core.ts'
import { indexNode } from './index-node.ts'
import { defaultGenerator, type Generator } from './random.ts'
import type { Tensor } from './tensor.ts'

export {
  type ConvolutionOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  type PerAxis,
  type TransposedConvolutionOptions,
} from './convolution.ts'
export { fold, type UnfoldOptions, unfold } from './fold.ts'
export * from './functional-names.ts'
export type {
  CrossEntropyOptions,
  HuberOptions,
  LinearCrossEntropyOptions,
  SmoothL1Options,
  TripletMarginOptions,
} from './loss-options.ts'
export * from './losses.ts'
export * from './normalization.ts'
export * from './pooling.ts'
export type { Reduction } from './reduction.ts'

/**
 * Linear transformation x·Wᵀ + b, with W (out, in) and b (out): (..., in) -> (..., out). @throws ShapeError for shapes
 * that do not fit
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  checkTensors('linear', { x, weight })
  checkOptionalTensors('linear', { bias })
  const y = x.matmul(weight.t())
  return bias ? y.add(bias) : y
}

/**
 * Decodes quantised blocks: u8 (…, bytes) -> f32 (…, numbers). @throws HeedError for an unknown format and incomplete
 * blocks
 */
export function dequantize(blocks: Tensor, format: BlockFormat): Tensor {
  checkBlockFormat('dequantize', format)
  return tensorOf(g.dequantize(nodeOf(blocks, 'dequantize', 'blocks'), format))
}

/**
 * Linear transformation x·Wᵀ + b with a quantised W (out, in), given as u8 (out, bytes): (..., in) -> (..., out). On
 * the CPU, inputs of up to 32 rows are rounded to 16 bits.
 * @throws HeedError for an unknown format and shapes that do not fit
 */
export function linearQuantized(
  x: Tensor,
  blocks: Tensor,
  format: BlockFormat,
  bias?: Tensor | null,
): Tensor {
  checkTensors('linearQuantized', { x, blocks })
  checkOptionalTensors('linearQuantized', { bias })
  checkBlockFormat('linearQuantized', format)
  if (x.rank === 1) return linearQuantized(x.unsqueeze(0), blocks, format, bias).squeeze(0)
  const y = tensorOf(g.matmulQuantized(x.node, blocks.node, format))
  return bias ? y.add(bias) : y
}

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** Index of the row that gets no gradient. */
  paddingIndex?: number
}

const EMBEDDING = optionKinds<EmbeddingOptions>({ paddingIndex: 'count?' })

/**
 * Looks up rows of `weight` (V, C) by index: i32 (...) -> (..., C). @throws HeedError for indices that are not integers
 */
export function embedding(index: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  checkTensors('embedding', { index, weight })
  EMBEDDING.check('embedding', options)
  const { paddingIndex } = options
  const rows = weight.take(tensorOf(indexNode(index, 'embedding')), 0)
  return paddingIndex === undefined
    ? rows
    : index.eq(paddingIndex).unsqueeze(-1).where(rows.detach(), rows)
}

/**
 * Sets elements of x (...) to zero with probability p and scales the others by 1/(1 - p) (Srivastava et al., 2014).
 * @throws HeedError unless p is from 0 to 1
 */
export function dropout(x: Tensor, p = 0.5, generator: Generator = defaultGenerator()): Tensor {
  checkTensors('dropout', { x })
  if (!(typeof p === 'number' && p >= 0 && p <= 1))
    throw invalidOption({ key: 'p', value: p, expected: 'a probability from 0 to 1' })
  if (p === 0) return x
  if (p === 1) return x.mul(0)
  const { seed, draw } = generator.next()
  return tensorOf(g.make('dropout', [x.node, seed, draw], { p }))
}

/**
 * GLU: the first half of an axis times the sigmoid of its second half (Dauphin et al., 2017): (..., 2·C) -> (..., C).
 * @throws ShapeError for an axis of odd size
 */
export function glu(x: Tensor, axis = -1): Tensor {
  checkTensors('glu', { x })
  const size = x.shape[normalizeAxis(axis, x.rank, 'glu')]
  if (size === undefined || size % 2 !== 0)
    throw new ShapeError(
      `glu: axis ${axis} must have an even size, got shape ${showShape(x.shape)}`,
    )
  const [value, gate] = x.chunk(2, axis)
  return value.mul(gate.sigmoid())
}

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** bool, true where attention is allowed, or f32, added to the scores. Broadcasts to (B, H, T, S). */
  mask?: Tensor | null
  /** f32, added to the scores, differentiable. Broadcasts to (B, H, T, S). */
  bias?: Tensor | null
  /**
   * Whether query i attends only to keys up to its position. If there are fewer queries than keys, they are the last
   * ones. Default false.
   */
  causal?: boolean
  /** Factor of the scores. Default 1/√D. */
  scale?: number
  /** Dropout probability of the attention weights. Default 0. */
  dropout?: number
  /** i32 with one element: number of keys in use in a cache of fixed capacity. */
  length?: Tensor | null
  /** Generator of the dropout masks. Default: the global one, which `manualSeed` seeds. */
  generator?: Generator
}

const ATTENTION = optionKinds<AttentionOptions>({
  mask: 'tensor|null?',
  bias: 'tensor|null?',
  causal: 'flag?',
  scale: 'number?',
  dropout: 'share?',
  length: 'tensor|null?',
  generator: 'object?',
})

/**
 * Computes softmax(q·kᵀ·scale + mask)·v (Vaswani et al., 2017, section 3.2.1). Unlike torch's `is_causal`, a causal
 * mask is aligned to the last query and the last key.
 * @param q (B, H, T, D)
 * @param k (B, Hk, S, D), where Hk divides H
 * @param v (B, Hk, S, Dv)
 * @returns (B, H, T, Dv)
 * @throws HeedError for shapes that do not fit
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor {
  checkTensors('attention', { q, k, v })
  ATTENTION.check('scaledDotProductAttention', options)
  if (q.rank !== 4)
    throw new ShapeError(`attention: the query must be (B, H, T, D), got ${showShape(q.shape)}`)
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

function checkBlockFormat(op: string, format: BlockFormat): void {
  if (!Object.hasOwn(blockLayouts, format))
    throw wrongArgument(op, 'format', format, alternatives(Object.keys(blockLayouts)))
}
