// The weights of adapters in files of peft: adapter_model.safetensors, or adapter_model.bin.
import { join } from 'node:path'
import { isFile } from '../io/files/is-file.ts'
import { tensorsToWrite } from '../io/safetensors/from-tensors.ts'
import { openSafetensors, type Safetensors, writeSafetensors } from '../io/safetensors/safetensors.ts' // biome-ignore format: one line
import type { Module, StateFile } from '../nn/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import type { Adapter } from './adapter.ts'
import { adapterMethod } from './method.ts'
import type { AdapterModule } from './module.ts'
import { baseHead, isOfBaseHead } from './peft-heads.ts'
import { peftPath } from './places.ts'

/** The files of weights that peft writes, in the order in which they are looked for. */
export const WEIGHTS = ['adapter_model.safetensors', 'adapter_model.bin'] as const
const PREFIX = 'base_model.model.'

/** Writes the weights of an adapter with the names of peft. */
export async function savePeftWeights(
  adapter: Adapter,
  model: Module,
  path: string,
): Promise<void> {
  const { peft } = adapterMethod(adapter.config.method)
  const head = peft ? baseHead(model, adapter) : { weights: {}, metadata: {} }
  const all = weightsOf(model, adapter)
  for (const [name, state] of Object.entries(head.weights)) all[`${peft?.savedPrefix ?? PREFIX}${name}`] = state // biome-ignore format: one line
  await writeSafetensors(path, await tensorsToWrite(all), { format: 'pt', ...head.metadata })
}

/** The adapter's state by its names in peft's file. */
function weightsOf(model: Module, { config, modules, saved }: Adapter): Record<string, Tensor> {
  const { savedPrefix = PREFIX } = adapterMethod(config.method).peft ?? {}
  const all: Record<string, Tensor> = {}
  for (const [path, part] of Object.entries(modules))
    for (const [name, state] of Object.entries(part.encoder?.result() ?? part.stateDict()))
      all[nameOf(peftPath(model, path), part, name)] = state
  for (const [path, parameters] of Object.entries(saved))
    for (const [name, state] of Object.entries(parameters)) all[`${savedPrefix}${path}.${name}`] = state // biome-ignore format: one line
  return all
}

const nameOf = (path: string, { isWhole }: AdapterModule, name: string): string =>
  isWhole ? name : `${PREFIX}${path}.${name}`

/**
 * Loads the weights of an adapter from a file.
 * @throws HeedError listing the names that are missing, unexpected, or of another shape
 */
export async function loadPeftWeights(
  adapter: Adapter,
  model: Module,
  path: string,
): Promise<void> {
  if (adapter.hasEncoder) adapter.fold()
  const file = await openSafetensors(path)
  try {
    await adapter.loadStateDict(renamed(file, model, adapter))
  } finally {
    await file.close()
  }
}

/** The file of weights in the folder of an adapter. @throws HeedError if there is none */
export async function weightsIn(dir: string): Promise<string> {
  for (const name of WEIGHTS) if (await isFile(join(dir, name))) return join(dir, name)
  throw new HeedError('missing-file', `${dir} must contain ${WEIGHTS.join(' or ')}, got neither`, {
    value: dir,
    remedy: 'Save the adapter again.',
  })
}

/** The file with the names of the adapter's state dict. */
function renamed(file: Safetensors, model: Module, adapter: Adapter): StateFile {
  const known = keysOf(model, adapter)
  const { savedPrefix = PREFIX } = adapterMethod(adapter.config.method).peft ?? {}
  const stored = new Map<string, string>()
  for (const name of file.names) {
    if (name.includes('.base_layer.')) continue // the weight of the base, which peft stores with embeddings
    if (!known.has(name) && isOfBaseHead(name, savedPrefix, file.metadata)) continue
    stored.set(known.get(name) ?? name, name)
  }
  const nameIn = (key: string): string => stored.get(key) ?? key
  return {
    names: [...stored.keys()],
    info: (key) => file.info(nameIn(key)),
    read: ((key: string, options: { as: 'f32' }) => file.read(nameIn(key), options)) as StateFile['read'], // biome-ignore format: one line
  }
}

/** The names of the state dict by those in files, which may lack the prefix. */
function keysOf(model: Module, { config, modules, saved }: Adapter): Map<string, string> {
  const { savedPrefix = PREFIX } = adapterMethod(config.method).peft ?? {}
  const known = new Map<string, string>()
  for (const [path, part] of Object.entries(modules))
    for (const [name] of part.namedState())
      for (const other of [`${path}.${name}`, nameOf(path, part, name), nameOf(peftPath(model, path), part, name)]) known.set(other, `modules.${path}.${name}`) // biome-ignore format: one line
  for (const [path, parameters] of Object.entries(saved))
    for (const name of Object.keys(parameters))
      for (const prefix of ['', PREFIX, savedPrefix]) known.set(`${prefix}${path}.${name}`, `saved.${path}.${name}`) // biome-ignore format: one line
  return known
}
