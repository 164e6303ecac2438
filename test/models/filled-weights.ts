// Weights that scripts/fixtures/config_models.py computes too, so that no file is needed for them.
import type { Module } from '../../src/nn/index.ts'

/** Gives a model the weights of a checkpoint with these names and shapes: the numbers follow from the names. */
export function fillWeights<M extends Module>(
  model: M,
  weights: Readonly<Record<string, readonly number[]>>,
): M {
  const named = Object.entries(weights).map(
    ([name, shape]) => [name, { data: numbersOf(name, shape), shape }] as const,
  )
  return model.loadStateDict(Object.fromEntries(named), { onUnexpected: () => {} })
}

function numbersOf(name: string, shape: readonly number[]): Float32Array {
  const seed = [...name].reduce((sum, c, i) => sum + (i + 1) * c.charCodeAt(0), 0) % 10007
  const isScale = /(weight|running_var)$/.test(name) && shape.length < 2
  const size = shape.reduce((a, b) => a * b, 1)
  return Float32Array.from({ length: size }, (_, i) => {
    const spread = (((i + 1) * 7919 + seed * 31) % 2003) / 2003 - 0.5
    return isScale ? 1 + 0.6 * spread : 1.2 * spread
  })
}
