// Merging: the change of an adapter becomes part of the model's own weights.
import { type Module, setValues, untie } from '../nn/index.ts'
import { noGrad, Parameter, realize, type Tensor } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError, shown } from '../util/errors.ts'
import { type Adapter, adaptersOf } from './adapter.ts'
import type { Merging } from './module.ts'
import type { Place } from './places.ts'
import { replaceParameter } from './replace-parameter.ts'

const checkMerge = argumentKinds('mergeAdapters', { model: 'model' })

/**
 * Adds the adapters in use, with their factors, to the weights of the model, and removes all its adapters. The model
 * then computes the same without them, and can be saved with `savePretrained`.
 *
 * The merged weights are numbers: quantised blocks would lose small changes. A weight that several layers share is
 * separated where the adapter changes it, and `tie_word_embeddings` becomes false.
 * @throws HeedError if no adapter is in use, if one changes more than weights, if a weight is quantised, or if adapters
 * that are not sums change the same layer
 */
export async function mergeAdapters(model: Module): Promise<void> {
  checkMerge(model)
  const used = adaptersOf(model).filter(({ weight }) => weight !== 0)
  if (used.length === 0)
    throw new HeedError('invalid-state', 'The model must have an adapter in use, got none', {
      remedy: 'Attach one with addAdapter() or loadAdapter() first.',
    })
  const merges = used.flatMap((adapter) => mergesOf(adapter))
  checkPlaces(merges)
  for (const { place, merged, weight } of merges) await mergeAt(model, place, merged(weight))
  for (const adapter of adaptersOf(model)) adapter.remove()
  for (const { saved } of used)
    for (const [path, parameters] of Object.entries(saved))
      for (const [name, parameter] of Object.entries(parameters))
        replaceParameter(model, `${path}.${name}`, parameter)
}

/** The merges of an adapter. @throws HeedError if it changes more than weights */
function mergesOf({ name, config, modules, weight }: Adapter): (Merging & { weight: number })[] {
  return Object.values(modules).map(({ merging }) => {
    if (merging) return { ...merging, weight }
    throw new HeedError('unsupported', `An adapter must change weights to be merged into them, got ${config.method} in ${shown(name)}`, { key: 'method', value: config.method, remedy: 'Keep the adapter in its own folder, or switch it off with setAdapters().' }) // biome-ignore format: one line
  })
}

function checkPlaces(merges: readonly Merging[]): void {
  const seen = new Set<Module>()
  for (const { place, isSum, merged } of merges) {
    const { path, layer, parameter, bias } = place
    if (!parameter)
      throw new HeedError('unsupported', `The weight of ${path} must be numbers to merge an adapter, got quantised blocks`, { key: path, remedy: 'Load the model with keepBlocks: false.' }) // biome-ignore format: one line
    if (seen.has(layer) && !isSum)
      throw new HeedError('unsupported', `Adapters on one layer can be merged if they are sums, such as LoRA; got another on ${path}`, { key: path, remedy: 'Merge them one after the other.' }) // biome-ignore format: one line
    if (merged(1).bias && !bias)
      throw new HeedError('unsupported', `${path} must have a bias to merge an adapter that changes it, got a layer without one`, { key: path, remedy: 'Keep the adapter in its own folder.' }) // biome-ignore format: one line
    seen.add(layer)
  }
}

async function mergeAt(
  model: Module,
  place: Place,
  merged: { weight: Tensor; bias?: Tensor },
): Promise<void> {
  const { parameter, path, transposed, bias } = place
  if (!parameter) return
  const weight = (transposed ? merged.weight.t() : merged.weight).detach()
  const values = [weight, ...(merged.bias ? [merged.bias.detach()] : [])]
  await noGrad(() => realize(values))
  if (isShared(model, parameter)) {
    untie(model, `${path}.weight`, new Parameter(weight))
    const config = Object(model.config)
    if (config.tie_word_embeddings === true) config.tie_word_embeddings = false
  } else setValues(parameter, weight)
  if (bias && merged.bias) setValues(bias, values[1])
}

/** Whether more than one layer uses a parameter. */
function isShared(model: Module, parameter: Parameter): boolean {
  const users = model.namedModules().filter(([, layer]) => Reflect.get(layer, 'weight') === parameter) // biome-ignore format: one line
  return users.length > 1
}
