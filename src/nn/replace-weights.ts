import { wrongArgument } from '../util/check-argument.ts'
import { isContainer } from './container.ts'
import { Conv1D } from './conv1d.ts'
import { Embedding } from './embedding.ts'
import { Linear } from './linear.ts'
import { checkModule, Module } from './module.ts'
import { type Blocks, QuantizedEmbedding, QuantizedLinear } from './quantized.ts'
import type { ModuleState } from './state-dict.ts'

/** Returns the weights that can be quantised: those of a model's Linear, Conv1D and Embedding layers. */
export function replaceableWeights(model: Module): Set<ModuleState> {
  checkModule('replaceableWeights', model)
  const layers = model.namedModules().map(([, module]) => module)
  return new Set(layers.filter(isReplaceable).map(({ weight }) => weight))
}

/**
 * Replaces weights with quantised blocks in every layer that uses them. The blocks of a Conv1D layer are those of its
 * transposed weight, (out, in).
 */
export function replaceWeights(model: Module, blocks: ReadonlyMap<ModuleState, Blocks>): void {
  checkModule('replaceWeights', model)
  if (!(blocks instanceof Map)) throw wrongArgument('replaceWeights', 'blocks', blocks, 'a Map')
  const replaced = new Map<Module, Module>()
  const all = model.namedModules()
  for (const [, layer] of all) {
    if (!isReplaceable(layer)) continue
    const found = blocks.get(layer.weight)
    if (!found) continue
    const other =
      layer instanceof Embedding
        ? new QuantizedEmbedding(found)
        : new QuantizedLinear(found, layer.bias)
    replaced.set(layer, other.train(layer.training))
  }
  for (const [, module] of all) replaceFields(module, replaced)
}

/** Whether the weight of a layer can be quantised. */
export const isReplaceable = (layer: Module): layer is Linear | Conv1D | Embedding =>
  layer instanceof Linear || layer instanceof Conv1D || layer instanceof Embedding

/** Replaces modules in fields, also in arrays and plain objects. */
export function replaceFields(
  holder: object,
  replaced: ReadonlyMap<Module, Module>,
  above: readonly object[] = [],
): void {
  const fields = holder as Record<string, unknown>
  for (const key of Object.keys(fields)) {
    const value = fields[key]
    if (typeof value !== 'object' || value === null) continue
    if (value instanceof Module) {
      const other = replaced.get(value)
      if (other) fields[key] = other
    } else if (key !== 'config' && isContainer(value) && !above.includes(value))
      replaceFields(value, replaced, [...above, holder, value])
  }
}
