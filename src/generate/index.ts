export { BatchDecoder } from './batch-decoder.ts'
export { type BeamOptions, beamSearch, type Hypothesis } from './beam-search.ts'
export { Chat, type ChatOptions, type ChatTurn } from './chat.ts'
export { matchJsonSchema, matchRegex } from './constrained/constraint.ts'
export { Decoder } from './decoder.ts'
export {
  type GenerateBeamsOptions,
  type GenerateOptions,
  type GenerateTokensOptions,
  generate,
  generateBatch,
  generateBeams,
  generateSteps,
  generateTokens,
  generateTokensBatch,
} from './generate.ts'
export { type GenerationDefaults, generationDefaults } from './generation-config.ts'
export { logProbabilities, type TokenProbability } from './log-probabilities.ts'
export * from './processors/index.ts'
export { type Candidates, createSampler, type Sampler, type SamplingOptions } from './sampling.ts'
export {
  generateSeq2Seq,
  type Seq2SeqBeamOptions,
  type Seq2SeqWriteOptions,
  seq2SeqBeams,
  seq2SeqSteps,
} from './seq2seq.ts'
export { Seq2SeqDecoder } from './seq2seq-decoder.ts'
export * from './speculative/index.ts'
export type { StepModel } from './step-model.ts'
export { type WriteOptions, type Written, writeTokens } from './write-tokens.ts'
