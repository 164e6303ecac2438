// generation_config.json of a model folder: recommended settings for generation.
import { type JsonObject, readJsonObject } from '../io/files/json.ts'
import { isGGUF } from '../io/gguf/gguf.ts'
import { modelFolder, type RawConfig } from '../io/hub/hf.ts'
import { GENERATION_KEYS } from './generation-keys.ts'

/** Name of the file with generation settings. */
export const GENERATION_CONFIG = 'generation_config.json'

/**
 * Reads the generation settings of a folder or GGUF file. Older folders have them in config.json. The end tokens of
 * both files are combined.
 */
export async function readGenerationConfig(path: string, config: RawConfig): Promise<JsonObject> {
  const settings = (await fileOf(path)) ?? knownKeys(config)
  const ends = endTokens(settings.eos_token_id, config.eos_token_id)
  return ends.length > 0 ? { ...settings, eos_token_id: ends } : settings
}

async function fileOf(path: string): Promise<JsonObject | undefined> {
  if (await isGGUF(path)) return undefined
  const { generationConfig } = await modelFolder(path)
  return generationConfig === undefined ? undefined : readJsonObject(generationConfig)
}

const knownKeys = (config: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(config).filter(([key]) => Object.hasOwn(GENERATION_KEYS, key)))

/** Collects ids given as numbers or arrays. Negative ids mean none. */
function endTokens(...values: unknown[]): number[] {
  const isToken = (id: unknown): id is number => Number.isSafeInteger(id) && Number(id) >= 0
  return [...new Set(values.flat().filter(isToken))]
}
