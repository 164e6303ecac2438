// Weights that scripts/fixtures/config_models.py computes too, so that no file is needed for them.
import type { Module } from '../../src/nn/index.ts'
import { ModuleBuffer } from '../../src/tensor/index.ts'

/** Gives every parameter and buffer its numbers, by its name. */
export function fillWeights<M extends Module>(model: M): M {
  const named = model.namedState().map(([name, state]) => {
    if (state instanceof ModuleBuffer && state.dtype !== 'f32') return null
    return [name, { data: numbersOf(name, state.shape), shape: state.shape }] as const
  })
  model.loadStateDict(Object.fromEntries(named.filter((entry) => entry !== null)), {
    strict: false,
  })
  return model
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
