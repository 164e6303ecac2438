// Where a model comes from: a Hugging Face folder, or a GGUF file.

import { isGGUF } from '../io/gguf/gguf.ts'
import { modelFolder, type RawConfig, readConfig } from '../io/hub/hf.ts'
import { openSafetensors, type Piece } from '../io/safetensors/safetensors.ts'
import type { QuantizedWeight } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'

/** Weights by the names that a Hugging Face checkpoint has for them. */
export interface WeightFile {
  readonly path: string
  readonly names: readonly string[]
  /** `dtype` is as in a safetensors file (`bf16`); GGUF's types are left out. */
  info(name: string): { readonly shape: readonly number[]; readonly dtype?: string }
  /** As float32, piece by piece. */
  pieces(name: string): AsyncGenerator<Piece>
  /** As it is stored, when that is a matrix in blocks; null for plain numbers. */
  blocks?(name: string): Promise<QuantizedWeight | null>
  close(): Promise<void>
}

const checkReadModelConfig = argumentKinds('readModelConfig', { path: 'text' })

/** The config of a model folder, or what a GGUF file says in place of one. */
export async function readModelConfig(path: string): Promise<RawConfig> {
  checkReadModelConfig(path)
  if (!(await isGGUF(path))) return readConfig(path)
  const { openGGUFModel } = await import('./gguf/model.ts')
  const { config, weights } = await openGGUFModel(path)
  await weights.close()
  return config
}

/** The weights of a model folder or of a file, whose content says which format it has. */
export async function openWeights(path: string): Promise<WeightFile> {
  if (!(await isGGUF(path))) return openSafetensors(path)
  const { openGGUFModel } = await import('./gguf/model.ts')
  return (await openGGUFModel(path)).weights
}

/** The file that holds a model's weights. */
export const weightsOf = async (path: string): Promise<string> =>
  (await isGGUF(path)) ? path : (await modelFolder(path)).weights
