import { noGrad } from '../tensor/index.ts'
import type { Module } from './module.ts'

/** Runs `body` in evaluation mode and without gradients, then restores the modes of all modules. */
export function evaluating<T>(model: Module, body: () => T): T {
  const modes = model.namedModules().map(([, module]) => ({ module, training: module.training }))
  model.eval()
  try {
    return noGrad(body)
  } finally {
    for (const { module, training } of modes) module.training = training
  }
}
