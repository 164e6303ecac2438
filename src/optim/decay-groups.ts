import type { Module } from '../nn/index.ts'
import { checkModule } from '../nn/module.ts'
import type { Parameter } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'

/** Parameters that share a weight decay. */
export interface DecayGroup {
  params: Parameter[]
  weightDecay: number
}

/** Two groups: matrices and embeddings with this decay, biases and weights of norms without. */
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
