export type { CausalLM, CausalLMOptions } from './causal-lm.ts'
export {
  configJson,
  loadWeights,
  type ModelClass,
  type SaveOptions,
  savePretrained,
  saveWeights,
} from './pretrained.ts'
export { fromPretrained, modelClass, modelTypes } from './registry.ts'
export { GPT2, type GPT2Config } from './text/gpt2.ts'
