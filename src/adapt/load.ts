import type { Module } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { optionKinds } from '../util/options.ts'
import { type Adapter, type AddAdapterOptions, addAdapter } from './adapter.ts'
import { loadPeftWeights, readPeftConfig } from './peft.ts'
import { hasModule } from './targets.ts'

const checkLoad = argumentKinds('loadAdapter', {
  model: 'model',
  dir: 'text',
  options: optionKinds<AddAdapterOptions>({ name: 'text?' }),
})

/**
 * Attaches an adapter that was saved by `adapter.save()` or by Python's peft.
 * @throws HeedError for a folder that is not an adapter, for settings that Heed does not honour, and for weights that do
 * not fit the model; the model is unchanged then
 */
export async function loadAdapter(
  model: Module,
  dir: string,
  options: AddAdapterOptions = {},
): Promise<Adapter> {
  checkLoad(model, dir, options)
  const { spec } = await readPeftConfig(dir)
  // peft lists the usual names of heads, whether the model has them or not.
  const save = spec.save?.filter((name) => hasModule(model, name))
  const trainable = model.parameters().filter(({ requiresGrad }) => requiresGrad)
  const adapter = addAdapter(model, { ...spec, save }, options)
  try {
    await loadPeftWeights(adapter, dir)
  } catch (error) {
    adapter.remove()
    for (const parameter of trainable) parameter.requiresGrad = true
    throw error
  }
  return adapter
}
