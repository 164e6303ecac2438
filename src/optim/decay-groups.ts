import type { Module } from '../nn/index.ts'
import { checkModule } from '../nn/module.ts'
import type { Parameter } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'

/** Parameters with the same weight decay. */
export interface DecayGroup {
  /** The parameters of the group. */
  params: Parameter[]
  /** Weight decay of the group. */
  weightDecay: number
}

/** Splits a model's parameters into two groups: matrices and embeddings with weight decay, biases and norms without. */
export function decayGroups(model: Module, weightDecay: number): DecayGroup[] {
  checkModule('decayGroups', model)
  checkArgument('decayGroups', 'weightDecay', weightDecay, 'finite')
  const params = model.parameters()
  const groups = [
    { params: params.filter((parameter) => parameter.rank >= 2), weightDecay },
    { params: params.filter((parameter) => parameter.rank < 2), weightDecay: 0 },
  ]
  return groups.filter((group) => group.params.length > 0)
}
