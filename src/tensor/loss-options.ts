// The options of losses, for the functions and the modules.
import { optionKinds } from '../util/options.ts'
import type { Reduction } from './reduction.ts'

export interface CrossEntropyOptions {
  /** Rows with this target count for nothing; for targets that are class numbers. */
  ignoreIndex?: number
  /** Share of the probability that is spread over all classes (Szegedy et al., 2016). */
  labelSmoothing?: number
  /** 'mean' is over the rows that count. */
  reduction?: Reduction
}

export interface SmoothL1Options {
  /** The error from which on the loss is linear. Default 1. */
  beta?: number
  reduction?: Reduction
}

export interface HuberOptions {
  /** The error from which on the loss is linear. Default 1. */
  delta?: number
  reduction?: Reduction
}

export interface TripletMarginOptions {
  /** By how much the negative must be farther away. Default 1. */
  margin?: number
  /** The norm of distances. Default 2. */
  p?: number
  /** Added to each difference, so that a distance of 0 has a slope. Default 1e-6. */
  eps?: number
  /** Whether the distance of positive and negative counts where it is smaller (Balntas et al., 2016). Default false. */
  swap?: boolean
  reduction?: Reduction
}

/** What each option must be, by the name of the function. */
export const lossRules = {
  crossEntropy: optionKinds<CrossEntropyOptions>({
    ignoreIndex: 'integer?',
    labelSmoothing: 'share?',
    reduction: 'text?',
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
