// The loss functions of torch.nn.functional.
import * as g from '../graph/build.ts'
import { isFloat } from '../graph/dtype.ts'
import { sameShape, showShape } from '../graph/shape.ts'
import type { BlockFormat } from '../util/block-formats.ts'
import { checkArgument } from '../util/check-argument.ts'
import { invalidOption, ShapeError } from '../util/errors.ts'
import { checkTensors } from './arguments.ts'
import { tensorOf } from './core.ts'
import { indexNode } from './index-node.ts'
import {
  type CrossEntropyOptions,
  type HuberOptions,
  type LinearCrossEntropyOptions,
  lossRules,
  type SmoothL1Options,
  type TripletMarginOptions,
} from './loss-options.ts'
import { checkReduction, type Reduction, reduced } from './reduction.ts'
import { Tensor } from './tensor.ts'

/** A matrix in quantised blocks. */
export interface QuantizedMatrix {
  /** Block format of the bytes, such as `q4_1`. */
  readonly format: BlockFormat
  /** u8 (rows, bytes per row). */
  readonly bytes: Tensor
}

/**
 * Cross-entropy loss: −log softmax(logits)[target], or −Σ target·log softmax(logits) for probabilities.
 * @param logits f32 (..., V)
 * @param target class indices (...), or probabilities f32 (..., V)
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws HeedError for shapes or options that do not fit
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  checkTensors('crossEntropy', { logits, target })
  lossRules.crossEntropy.check('crossEntropy', options)
  const { ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options
  checkReduction('crossEntropy', reduction)
  if (isFloat(target.dtype) && logits.rank > 0 && sameShape(logits.shape, target.shape))
    return softCrossEntropy(logits, target, options)
  const classes = logits.shape.at(-1) ?? 1
  if (!sameShape(logits.shape.slice(0, -1), target.shape))
    throw new ShapeError(
      `crossEntropy: the targets must be ${showShape(logits.shape.slice(0, -1))} class indices, or ${showShape(logits.shape)} probabilities, got ${showShape(target.shape)} ${target.dtype}`,
    )
  const rows = tensorOf(indexNode(target, 'crossEntropy', 'target')).reshape(-1)
  const flat = logits.reshape(-1, classes)
  const [lost] = g.crossEntropy(flat.node, rows.node, { ignoreIndex, labelSmoothing })
  const loss = tensorOf(lost)
  if (reduction === 'none') return loss.reshape(target.shape)
  if (reduction === 'sum') return loss.sum()
  return loss.sum().div(rows.ne(ignoreIndex).sum())
}

/**
 * Mean cross-entropy of the logits states·Wᵀ: the value of `crossEntropy(linear(states, weight), target)`. Logits and
 * gradients are computed together for a part of the states at a time, so that the logits of all states are never in
 * memory.
 * @param states f32 (..., C)
 * @param weight W, f32 (V, C), or in quantised blocks
 * @param target class indices (...)
 * @returns f32 ()
 * @throws HeedError for shapes or options that do not fit
 */
export function linearCrossEntropy(
  states: Tensor,
  weight: Tensor | QuantizedMatrix,
  target: Tensor,
  options: LinearCrossEntropyOptions = {},
): Tensor {
  const matrix = weight instanceof Tensor ? { bytes: weight, format: null } : weight
  checkArgument('linearCrossEntropy', 'weight', matrix, 'object')
  checkTensors('linearCrossEntropy', { states, weight: matrix.bytes, target })
  lossRules.linearCrossEntropy.check('linearCrossEntropy', options)
  const { ignoreIndex = -100, labelSmoothing = 0 } = options
  if (!sameShape(states.shape.slice(0, -1), target.shape))
    throw new ShapeError(
      `linearCrossEntropy: the targets must be ${showShape(states.shape.slice(0, -1))} class indices, got ${showShape(target.shape)} ${target.dtype}`,
    )
  const ids = tensorOf(indexNode(target, 'linearCrossEntropy', 'target')).reshape(-1)
  const counted = ids.ne(ignoreIndex).to('f32')
  const [loss] = g.linearCrossEntropy(
    [
      states.reshape(-1, states.shape.at(-1) ?? 1).node,
      matrix.bytes.node,
      ids.node,
      counted.div(counted.sum()).node,
    ],
    {
      ignoreIndex,
      labelSmoothing,
      format: matrix.format,
      rows: rowsAtOnce(ids.size, matrix.bytes.shape[0], LOGITS),
    },
  )
  return tensorOf(loss)
}

/** Number of logits in memory. More are hardly faster; fewer decode quantised weights more often. */
const LOGITS = 1 << 24

/** Splits rows evenly, so that each part has at most `limit` logits. */
function rowsAtOnce(count: number, classes: number, limit: number): number {
  const parts = Math.ceil(count / Math.max(1, Math.floor(limit / Math.max(1, classes))))
  return Math.max(1, Math.ceil(count / Math.max(1, parts)))
}

/** Cross-entropy with targets that are probabilities. */
function softCrossEntropy(
  logits: Tensor,
  target: Tensor,
  { ignoreIndex, labelSmoothing = 0, reduction = 'mean' }: CrossEntropyOptions,
): Tensor {
  if (ignoreIndex !== undefined)
    throw invalidOption({
      owner: 'crossEntropy',
      key: 'ignoreIndex',
      value: ignoreIndex,
      expected: 'omitted if the targets are probabilities',
      remedy: 'For ignored rows, use a target of zeros.',
    })
  const classes = logits.shape[logits.rank - 1]
  const shares =
    labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / classes)
  return reduced(shares.mul(logits.logSoftmax(-1)).sum(-1).neg(), reduction)
}

/**
 * Negative log-likelihood loss: −input[target].
 * @param input log-probabilities f32 (..., V)
 * @param target class indices (...)
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws HeedError for shapes that do not fit and class indices that are not integers
 */
export function nllLoss(input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkTensors('nllLoss', { input, target })
  checkReduction('nllLoss', reduction)
  if (!sameShape(input.shape.slice(0, -1), target.shape))
    throw new ShapeError(
      `nllLoss: the targets must be ${showShape(input.shape.slice(0, -1))}, got ${showShape(target.shape)}`,
    )
  const classes = tensorOf(indexNode(target, 'nllLoss', 'target'))
  const chosen = input.gather(-1, classes.unsqueeze(-1)).squeeze(-1).neg()
  return reduced(chosen, reduction)
}

/**
 * Mean squared error of input and target, f32 (...).
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws ShapeError for tensors of different shapes
 */
export function mseLoss(input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkPair('mseLoss', input, target)
  checkReduction('mseLoss', reduction)
  return reduced(input.sub(target).square(), reduction)
}

/**
 * Mean absolute error of input and target, f32 (...).
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws ShapeError for tensors of different shapes
 */
export function l1Loss(input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkPair('l1Loss', input, target)
  checkReduction('l1Loss', reduction)
  return reduced(input.sub(target).abs(), reduction)
}

/**
 * Smooth L1 loss of input and target, f32 (...), with the error e: e²/(2·beta) for |e| < beta, otherwise |e| - beta/2
 * (Girshick, 2015).
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws HeedError for tensors of different shapes and a negative `beta`
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  checkPair('smoothL1Loss', input, target)
  lossRules.smoothL1Loss.check('smoothL1Loss', options)
  const { beta = 1, reduction = 'mean' } = options
  checkReduction('smoothL1Loss', reduction)
  if (!(beta >= 0)) throw invalidOption({ key: 'beta', value: beta, expected: 'a number >= 0' })
  if (beta === 0) return l1Loss(input, target, reduction)
  const error = input.sub(target).abs()
  const near = error.square().mul(0.5 / beta)
  return reduced(error.lt(beta).where(near, error.sub(0.5 * beta)), reduction)
}

/**
 * Huber loss of input and target, f32 (...), with the error e: e²/2 for |e| ≤ delta, otherwise delta·(|e| - delta/2)
 * (Huber, 1964).
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws HeedError for tensors of different shapes, and unless `delta` is positive
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  checkPair('huberLoss', input, target)
  lossRules.huberLoss.check('huberLoss', options)
  const { delta = 1, reduction = 'mean' } = options
  checkReduction('huberLoss', reduction)
  if (!(delta > 0)) throw invalidOption({ key: 'delta', value: delta, expected: 'a number > 0' })
  const error = input.sub(target).abs()
  const far = error.sub(0.5 * delta).mul(delta)
  return reduced(error.le(delta).where(error.square().mul(0.5), far), reduction)
}

/**
 * Triplet margin loss: max(0, margin + |a - p| - |a - n|) for anchors a, positives p and negatives n, f32 (..., C)
 * (Balntas et al., 2016).
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws HeedError for options that do not fit
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginOptions = {},
): Tensor {
  checkTensors('tripletMarginLoss', { anchor, positive, negative })
  lossRules.tripletMarginLoss.check('tripletMarginLoss', options)
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction = 'mean' } = options
  checkReduction('tripletMarginLoss', reduction)
  const distance = (a: Tensor, b: Tensor): Tensor => a.sub(b).add(eps).norm(p, -1)
  const near = distance(anchor, positive)
  const apart = distance(anchor, negative)
  const far = swap ? apart.minimum(distance(positive, negative)) : apart
  return reduced(near.sub(far).add(margin).clamp({ min: 0 }), reduction)
}

/**
 * Binary cross-entropy of logits and probabilities, f32 (...): −target·log σ(x) − (1 − target)·log(1 − σ(x)), computed
 * without overflow.
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws ShapeError for tensors of different shapes
 */
export function bceWithLogits(
  logits: Tensor,
  target: Tensor,
  reduction: Reduction = 'mean',
): Tensor {
  checkPair('bceWithLogits', logits, target)
  checkReduction('bceWithLogits', reduction)
  const loss = logits.maximum(0).sub(logits.mul(target)).add(logits.abs().neg().exp().log1p())
  return reduced(loss, reduction)
}

/**
 * Kullback-Leibler divergence: target·(log target − input), with log-probabilities `input` and probabilities `target`,
 * f32 (...) (Kullback and Leibler, 1951). 'batchmean' divides the sum by the first size, which is the mathematical
 * definition.
 * @returns f32 (), or (...) with the reduction 'none'
 * @throws ShapeError for tensors of different shapes
 */
export function klDiv(
  input: Tensor,
  target: Tensor,
  reduction: Reduction | 'batchmean' = 'mean',
): Tensor {
  checkPair('klDiv', input, target)
  if (reduction !== 'batchmean') checkReduction('klDiv', reduction, ['batchmean'])
  const logTarget = target.gt(0).where(target, 1).log() // 0·log 0 = 0
  const loss = target.mul(logTarget.sub(input))
  return reduction === 'batchmean' ? loss.sum().div(input.shape[0]) : reduced(loss, reduction)
}

/** Rejects targets of another shape: broadcasting them is usually a mistake. PyTorch warns about it. */
function checkPair(op: string, input: Tensor, target: Tensor): void {
  checkTensors(op, { input, target })
  if (sameShape(input.shape, target.shape) || input.rank === 0 || target.rank === 0) return
  throw new ShapeError(
    `${op}: both tensors must have the same shape, got ${showShape(input.shape)} and ${showShape(target.shape)}`,
    { remedy: 'Use expand(), or squeeze() an axis of size 1.' },
  )
}
