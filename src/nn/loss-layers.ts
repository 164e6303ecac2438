// Losses as modules, named as in PyTorch. Their options are passed to the constructor.

import { F, type Tensor } from '../tensor/index.ts'
import { lossRules } from '../tensor/loss-options.ts'
import { checkReduction } from '../tensor/reduction.ts'
import type { OptionRules } from '../util/options.ts'
import { Module } from './module.ts'

interface WithReduction {
  reduction?: string
}

abstract class Loss<Options extends WithReduction> extends Module {
  protected readonly options: Options

  constructor(rules: OptionRules, options: Options, reductions: readonly string[] = []) {
    super()
    rules.check(new.target.name, options)
    checkReduction(new.target.name, options.reduction ?? 'mean', reductions)
    this.options = options
  }
}

/** A loss whose only option is the reduction. */
abstract class PlainLoss extends Loss<{ reduction?: F.Reduction }> {
  /** Creates the loss. Default reduction 'mean'. @throws HeedError for unknown options and reductions */
  constructor(options: { reduction?: F.Reduction } = {}) {
    super(lossRules.reduction, options)
  }
}

/**
 * Cross-entropy loss of logits f32 (..., V) and class indices (...) or probabilities f32 (..., V). See
 * `F.crossEntropy`.
 */
export class CrossEntropyLoss extends Loss<F.CrossEntropyOptions> {
  /** Creates the loss. @throws HeedError for unknown options and values of another type */
  constructor(options: F.CrossEntropyOptions = {}) {
    super(lossRules.crossEntropy, options)
  }

  forward(logits: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(logits, target, this.options)
  }
}

/** Negative log-likelihood loss of log-probabilities f32 (..., V) and class indices (...). See `F.nllLoss`. */
export class NLLLoss extends PlainLoss {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, this.options.reduction)
  }
}

/** Mean squared error of input and target, f32 (...). See `F.mseLoss`. */
export class MSELoss extends PlainLoss {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options.reduction)
  }
}

/** Mean absolute error of input and target, f32 (...). See `F.l1Loss`. */
export class L1Loss extends PlainLoss {
  forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options.reduction)
  }
}

/** Smooth L1 loss of input and target, f32 (...) (Girshick, 2015). See `F.smoothL1Loss`. */
export class SmoothL1Loss extends Loss<F.SmoothL1Options> {
  /** Creates the loss. @throws HeedError for unknown options and values of another type */
  constructor(options: F.SmoothL1Options = {}) {
    super(lossRules.smoothL1Loss, options)
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options)
  }
}

/** Huber loss of input and target, f32 (...) (Huber, 1964). See `F.huberLoss`. */
export class HuberLoss extends Loss<F.HuberOptions> {
  /** Creates the loss. @throws HeedError for unknown options and values of another type */
  constructor(options: F.HuberOptions = {}) {
    super(lossRules.huberLoss, options)
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options)
  }
}

/** Binary cross-entropy of logits and probabilities, f32 (...). See `F.bceWithLogits`. */
export class BCEWithLogitsLoss extends PlainLoss {
  forward(logits: Tensor, target: Tensor): Tensor {
    return F.bceWithLogits(logits, target, this.options.reduction)
  }
}

/**
 * Kullback-Leibler divergence of log-probabilities and probabilities, f32 (...) (Kullback and Leibler, 1951). See
 * `F.klDiv`.
 */
export class KLDivLoss extends Loss<{ reduction?: F.Reduction | 'batchmean' }> {
  /**
   * Creates the loss. 'batchmean' divides the sum by the batch size. Default 'mean'.
   * @throws HeedError for unknown options and values of another type
   */
  constructor(options: { reduction?: F.Reduction | 'batchmean' } = {}) {
    super(lossRules.reduction, options, ['batchmean'])
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.options.reduction)
  }
}

/**
 * Triplet margin loss of anchors, positives and negatives, f32 (..., C) (Balntas et al., 2016). See
 * `F.tripletMarginLoss`.
 */
export class TripletMarginLoss extends Loss<F.TripletMarginOptions> {
  /** Creates the loss. @throws HeedError for unknown options and values of another type */
  constructor(options: F.TripletMarginOptions = {}) {
    super(lossRules.tripletMarginLoss, options)
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return F.tripletMarginLoss(anchor, positive, negative, this.options)
  }
}
