// What models are trained on: the losses of torch.nn.functional.
import * as g from '../graph/build.ts'
import { invalidOption } from '../util/errors.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

export type Reduction = 'mean' | 'sum' | 'none'

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
    throw invalidOption({
      key: 'labelSmoothing',
      value: labelSmoothing,
      expected: 'a number from 0 to 1',
    })
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

export const l1Loss = (input: Tensor, target: Tensor, reduction: Reduction = 'mean'): Tensor =>
  reduced(input.sub(target).abs(), reduction)

/** Squared where the error is below `beta`, absolute beyond (Girshick, 2015). */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  { beta = 1, reduction = 'mean' }: { beta?: number; reduction?: Reduction } = {},
): Tensor {
  if (!(beta >= 0)) throw invalidOption({ key: 'beta', value: beta, expected: 'a number >= 0' })
  if (beta === 0) return l1Loss(input, target, reduction)
  const error = input.sub(target).abs()
  const near = error.square().mul(0.5 / beta)
  return reduced(error.lt(beta).where(near, error.sub(0.5 * beta)), reduction)
}

/** Binary cross-entropy of logits, without overflow. */
export function bceWithLogits(
  logits: Tensor,
  target: Tensor,
  reduction: Reduction = 'mean',
): Tensor {
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
  const logTarget = target.gt(0).where(target, 1).log() // 0·log 0 = 0
  const loss = target.mul(logTarget.sub(input))
  return reduction === 'batchmean' ? loss.sum().div(input.shape[0]) : reduced(loss, reduction)
}

function reduced(loss: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return loss
  return reduction === 'sum' ? loss.sum() : loss.mean()
}
