// Options of loss functions and loss modules.
import { optionKinds } from '../util/options.ts'
import type { Reduction } from './reduction.ts'

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /** Class index of targets to ignore. Default -100. */
  ignoreIndex?: number
  /** Probability that is distributed uniformly over all classes (Szegedy et al., 2016). Default 0. */
  labelSmoothing?: number
  /** How losses are reduced. 'mean' averages over targets that are not ignored. Default 'mean'. */
  reduction?: Reduction
}

/** Options of `linearCrossEntropy`. */
export type LinearCrossEntropyOptions = Omit<CrossEntropyOptions, 'reduction'>

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options {
  /** Error above which the loss is linear. Default 1. */
  beta?: number
  /** How losses are reduced. Default 'mean'. */
  reduction?: Reduction
}

/** Options of `huberLoss`. */
export interface HuberOptions {
  /** Error above which the loss is linear. Default 1. */
  delta?: number
  /** How losses are reduced. Default 'mean'. */
  reduction?: Reduction
}

/** Options of `tripletMarginLoss`. */
export interface TripletMarginOptions {
  /** Minimum difference of the distances to the negative and to the positive. Default 1. */
  margin?: number
  /** Exponent of the norm. Default 2. */
  p?: number
  /** Added to each difference, so that the gradient at distance 0 is defined. Default 1e-6. */
  eps?: number
  /**
   * Whether to use the distance between positive and negative if it is smaller (Balntas et al., 2016). Default false.
   */
  swap?: boolean
  /** How losses are reduced. Default 'mean'. */
  reduction?: Reduction
}

/** Rules of the options, by the name of the function. */
export const lossRules = {
  crossEntropy: optionKinds<CrossEntropyOptions>({
    ignoreIndex: 'integer?',
    labelSmoothing: 'share?',
    reduction: 'text?',
  }),
  linearCrossEntropy: optionKinds<LinearCrossEntropyOptions>({
    ignoreIndex: 'integer?',
    labelSmoothing: 'share?',
  }),
  smoothL1Loss: optionKinds<SmoothL1Options>({ beta: 'number?', reduction: 'text?' }),
  huberLoss: optionKinds<HuberOptions>({ delta: 'number?', reduction: 'text?' }),
  tripletMarginLoss: optionKinds<TripletMarginOptions>({
    margin: 'finite?',
    p: 'number?',
    eps: 'number?',
    swap: 'flag?',
    reduction: 'text?',
  }),
  reduction: optionKinds<{ reduction?: Reduction }>({ reduction: 'text?' }),
}
