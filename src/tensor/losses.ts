// What models are trained on: the losses of torch.nn.functional.
import * as g from '../graph/build.ts'
import { isFloat } from '../graph/dtype.ts'
import { sameShape, showShape } from '../graph/shape.ts'
import { invalidOption, ShapeError } from '../util/errors.ts'
import { checkTensors } from './arguments.ts'
import { tensorOf } from './core.ts'
import {
  type CrossEntropyOptions,
  type HuberOptions,
  lossRules,
  type SmoothL1Options,
  type TripletMarginOptions,
} from './loss-options.ts'
import { checkReduction, type Reduction, reduced } from './reduction.ts'
import type { Tensor } from './tensor.ts'

/**
 * −log softmax(logits)[target]: logits (..., V), targets (...) of class numbers, or f32 (..., V) of probabilities, for
 * which it is −Σ target·log softmax(logits).
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
      `crossEntropy: the targets must be ${showShape(logits.shape.slice(0, -1))} class numbers, or ${showShape(logits.shape)} probabilities, got ${showShape(target.shape)} ${target.dtype}`,
    )
  const rows = target.reshape(-1).to('i32')
  const flat = logits.reshape(-1, classes)
  const [lost] = g.crossEntropy(flat.node, rows.node, { ignoreIndex, labelSmoothing })
  const loss = tensorOf(lost)
  if (reduction === 'none') return loss.reshape(target.shape)
  if (reduction === 'sum') return loss.sum()
  return loss.sum().div(rows.ne(ignoreIndex).sum())
}

/** The targets are probabilities. */
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
      expected: 'left out where targets are probabilities',
      remedy: 'Give such rows a target of zeros.',
    })
  const classes = logits.shape[logits.rank - 1]
  const shares =
    labelSmoothing === 0 ? target : target.mul(1 - labelSmoothing).add(labelSmoothing / classes)
  return reduced(shares.mul(logits.logSoftmax(-1)).sum(-1).neg(), reduction)
}

/** −input[target] of log-probabilities (..., V) and class numbers (...). */
export function nllLoss(input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkTensors('nllLoss', { input, target })
  checkReduction('nllLoss', reduction)
  if (!sameShape(input.shape.slice(0, -1), target.shape))
    throw new ShapeError(
      `nllLoss: the targets must be ${showShape(input.shape.slice(0, -1))}, got ${showShape(target.shape)}`,
    )
  const chosen = input.gather(-1, target.to('i32').unsqueeze(-1)).squeeze(-1).neg()
  return reduced(chosen, reduction)
}

/** The mean squared error. */
export function mseLoss(input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkPair('mseLoss', input, target)
  checkReduction('mseLoss', reduction)
  return reduced(input.sub(target).square(), reduction)
}

/** The mean absolute error. */
export function l1Loss(input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkPair('l1Loss', input, target)
  checkReduction('l1Loss', reduction)
  return reduced(input.sub(target).abs(), reduction)
}

/** Squared where the error is below `beta`, absolute beyond (Girshick, 2015). */
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

/** e²/2 where the error e is at most `delta`, delta·(|e| - delta/2) beyond (Huber, 1964). */
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

/** max(0, margin + |a - p| - |a - n|) of rows (..., C): anchors, positives and negatives. */
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

/** Binary cross-entropy of logits, without overflow. */
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
 * target·(log target − input) of log-probabilities `input` and probabilities `target`; 'batchmean'
 * divides by the first size, which is the divergence of Kullback and Leibler (1951).
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

/** A target of another shape would be broadcast, which PyTorch warns about: it is a mistake. */
function checkPair(op: string, input: Tensor, target: Tensor): void {
  checkTensors(op, { input, target })
  if (sameShape(input.shape, target.shape) || input.rank === 0 || target.rank === 0) return
  throw new ShapeError(
    `${op}: both must have one shape, got ${showShape(input.shape)} and ${showShape(target.shape)}`,
    { remedy: 'Use expand(), or squeeze() an axis of size 1.' },
  )
}
