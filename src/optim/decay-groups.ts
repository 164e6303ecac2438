import type { Module } from '../nn/index.ts'
import type { Parameter } from '../tensor/index.ts'

/** Parameters that share a weight decay. */
export interface DecayGroup {
  params: Parameter[]
  weightDecay: number
}

/** Two groups: matrices and embeddings with this decay, biases and weights of norms without. */
export function decayGroups(model: Module, weightDecay: number): DecayGroup[] {
  const params = model.parameters()
  const groups = [
    { params: params.filter((parameter) => parameter.rank >= 2), weightDecay },
    { params: params.filter((parameter) => parameter.rank < 2), weightDecay: 0 },
  ]
  return groups.filter((group) => group.params.length > 0)
}
