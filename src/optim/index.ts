/**
 * Optimisers, learning-rate schedules and gradient clipping.
 * @module
 */

import './torch-names.ts'

export { Adafactor, type AdafactorGroupOptions, type AdafactorOptions } from './adafactor.ts'
export {
  Adam,
  type AdamGroupOptions,
  type AdamOptions,
  type AdamParameters,
  AdamW,
} from './adamw.ts'
export { clipGradNorm } from './clip.ts'
export { type DecayGroup, decayGroups } from './decay-groups.ts'
export type { Group, GroupInput } from './groups.ts'
export { LRScheduler } from './lr-scheduler.ts'
export {
  Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type ParameterState,
  type StepOptions,
  type UpdateRule,
  zeroState,
} from './optimizer.ts'
export {
  createOptimizer,
  type OptimizerDefinition,
  type OptimizerSettings,
  optimizerDefinition,
  optimizerDefinitions,
  registerOptimizer,
} from './registry.ts'
export {
  constant,
  cosine,
  type Decay,
  inverseSqrt,
  linear,
  type Schedule,
  type ScheduleName,
  schedules,
  type WarmUp,
} from './schedules.ts'
export { SGD, type SGDGroupOptions, type SGDOptions } from './sgd.ts'
