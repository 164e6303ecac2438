// Weights of a Hugging Face folder or a GGUF file behind one interface.

import { isGGUF } from '../io/gguf/gguf.ts'
import { modelFolder, type RawConfig, readConfig } from '../io/hub/hf.ts'
import { openSafetensors, type Piece } from '../io/safetensors/safetensors.ts'
import type { QuantizedWeight } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'

/** Open weights, with the names of the Hugging Face checkpoint. */
export interface WeightFile {
  readonly path: string
  readonly names: readonly string[]
  /** `dtype` is that of a safetensors file, such as `bf16`. It is undefined for GGUF files. */
  info(name: string): { readonly shape: readonly number[]; readonly dtype?: string }
  /** Reads a tensor as float32, in pieces. */
  pieces(name: string): AsyncGenerator<Piece>
  /** Returns the stored blocks of a quantised matrix; null for other tensors. */
  blocks?(name: string): Promise<QuantizedWeight | null>
  close(): Promise<void>
}

const checkReadModelConfig = argumentKinds('readModelConfig', { path: 'text' })

/**
 * Reads the config of a model folder, or derives it from the metadata of a GGUF file. @throws HeedError for a path that
 * is not a model
 */
export async function readModelConfig(path: string): Promise<RawConfig> {
  checkReadModelConfig(path)
  if (!(await isGGUF(path))) return readConfig(path)
  const { openGGUFModel } = await import('./gguf/model.ts')
  const { config, weights } = await openGGUFModel(path)
  await weights.close()
  return config
}

/** Opens the weights of a folder or file. The format is detected from the content. */
export async function openWeights(path: string): Promise<WeightFile> {
  if (!(await isGGUF(path))) return openSafetensors(path)
  const { openGGUFModel } = await import('./gguf/model.ts')
  return (await openGGUFModel(path)).weights
}

/** Path of the file with a model's weights. */
export const weightsOf = async (path: string): Promise<string> =>
  (await isGGUF(path)) ? path : (await modelFolder(path)).weights
