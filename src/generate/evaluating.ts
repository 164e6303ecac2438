import type { Module } from '../nn/index.ts'
import { noGrad } from '../tensor/index.ts'

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

/** The smallest `least` · 2^k that is at least `n`. Rounded sizes let texts share compiled programs. */
export function powerOfTwo(n: number, least = 1): number {
  let size = least
  while (size < n) size *= 2
  return size
}
