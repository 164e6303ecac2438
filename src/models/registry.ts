import { readConfig } from '../io/hf.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import type { CausalLM } from './causal-lm.ts'
import { loadModel, type ModelClass } from './pretrained.ts'
import { GPT2 } from './text/gpt2.ts'

const classes: readonly ModelClass<CausalLM>[] = [GPT2]

export const modelTypes = (): string[] => classes.map((Model) => Model.modelType)

/**
 * The class for a `model_type`.
 * @throws HeedError that lists those which are known, the most similar first
 */
export function modelClass(modelType: string): ModelClass<CausalLM> {
  const found = classes.find((Model) => Model.modelType === modelType)
  if (found) return found
  const known = nearestFirst(modelType, modelTypes()).join(', ')
  throw new HeedError(`The model type '${modelType.slice(0, 80)}' is not known`, {
    remedy: `Known: ${known}.`,
  })
}

/** The model of a Hugging Face folder, with its weights, whatever class it is of. */
export async function fromPretrained(dir: string): Promise<CausalLM> {
  const config = await readConfig(dir)
  return loadModel(modelClass(config.model_type), config, dir)
}
