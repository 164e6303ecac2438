export { BatchDecoder } from './batch-decoder.ts'
export { Decoder } from './decoder.ts'
export {
  type GenerateOptions,
  type GenerateTokensOptions,
  generate,
  generateTokens,
} from './generate.ts'
export { createSampler, type Sampler, type SamplingOptions } from './sampling.ts'
export type { StepModel } from './step-model.ts'
