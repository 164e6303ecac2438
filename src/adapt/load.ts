import type { AdapterFactors } from '../models/folder-kinds.ts'
import type { Module } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import {
  type Adapter,
  type AddAdapterOptions,
  adaptersOf,
  addAdapter,
  setAdapters,
} from './adapter.ts'
import { isGGUFAdapter, readGGUFAdapter } from './gguf.ts'
import { adapterMethod } from './method.ts'
import { readPeftConfig } from './peft.ts'
import { weightsIn } from './peft-weights.ts'
import type { AdapterSpec } from './spec.ts'
import { hasModule } from './targets.ts'

/** Options of `loadAdapter`. */
export type LoadAdapterOptions = Pick<AddAdapterOptions, 'name'>

const checkLoad = argumentKinds('loadAdapter', {
  model: 'model',
  dir: 'text',
  options: optionKinds<LoadAdapterOptions>({ name: 'text?' }),
})

/**
 * Attaches an adapter that was saved by `adapter.save()`, by Python's peft, or for llama.cpp.
 * @param dir a folder of peft, or a GGUF file with a LoRA adapter
 * @throws HeedError for files that are not an adapter or are for another architecture, for settings that Heed does not honour, and for weights that do
 * not fit the model; the model is unchanged then
 */
export async function loadAdapter(
  model: Module,
  dir: string,
  options: LoadAdapterOptions = {},
): Promise<Adapter> {
  checkLoad(model, dir, options)
  const gguf = (await isGGUFAdapter(dir)) ? await readGGUFAdapter(model, dir) : null
  const spec = gguf ? gguf.spec : await savedSpec(model, dir)
  const trainable = model.parameters().filter(({ requiresGrad }) => requiresGrad)
  const adapter = addAdapter(model, spec, options)
  try {
    if (gguf) adapter.loadStateDict(gguf.state)
    else await adapter.loadWeights(await weightsIn(dir))
  } catch (error) {
    adapter.remove()
    for (const parameter of trainable) parameter.requiresGrad = true
    throw error
  }
  return adapter
}

/** The specification of a saved adapter. peft lists the usual names of heads, whether the model has them or not. */
export async function savedSpec(model: Module, dir: string): Promise<AdapterSpec> {
  const { spec, config } = await readPeftConfig(dir)
  adapterMethod(spec.method).peft?.check?.(config, model)
  return { ...spec, save: spec.save?.filter((name) => hasModule(model, name)) }
}

const checkAll = argumentKinds('loadAdapters', { model: 'model', adapters: 'factors' })

/**
 * Attaches saved adapters and puts them in use, in addition to those already in use: `['runs/fr']`, or with factors
 * `{ 'runs/fr': 0.7, 'runs/tone': 0.3 }`. They are named by their numbers: `adapter-1`.
 * @throws HeedError as `loadAdapter` and `setAdapters` do
 */
export async function loadAdapters(model: Module, adapters: AdapterFactors): Promise<void> {
  checkAll(model, adapters)
  const weights = Object.fromEntries(adaptersOf(model).map(({ name, weight }) => [name, weight]))
  for (const [dir, factor] of factorsOf(adapters)) {
    const name = `adapter-${Object.keys(weights).length + 1}`
    await loadAdapter(model, dir, { name })
    weights[name] = factor
  }
  setAdapters(model, weights)
}

/** The folders with their factors. @throws HeedError for a folder that is given twice */
function factorsOf(adapters: AdapterFactors): (readonly [string, number])[] {
  if (!Array.isArray(adapters)) return Object.entries(adapters)
  const doubled = adapters.find((dir, i) => adapters.indexOf(dir) < i)
  if (doubled !== undefined)
    throw invalidOption({
      owner: 'loadAdapters',
      key: 'adapters',
      value: doubled,
      expected: 'a list of different folders',
      remedy: 'To use an adapter twice as much, give its factor: { folder: 2 }.',
    })
  return adapters.map((dir) => [dir, 1])
}
