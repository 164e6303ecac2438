/**
 * Text generation: sampling, beam search, constrained output, chat and speculative decoding.
 * @module
 */

export { BatchDecoder, type BatchDecoderOptions } from './batch-decoder.ts'
export { type BeamOptions, beamSearch, type Hypothesis } from './beam-search.ts'
export type { Candidates } from './candidates.ts'
export {
  type BestAnswer,
  type BestOptions,
  type Candidate,
  Chat,
  type ChatOptions,
  type ChatTurn,
} from './chat.ts'
export type { GenerationSettings } from './config/generation-config.ts'
export {
  type ConfiguredModel,
  configOf as generationConfigOf,
  isDrawn,
  type ModelOptions,
  type SearchOptions,
} from './config/settings.ts'
export { type ByteTokenizer, matchJsonSchema, matchRegex } from './constrained/constraint.ts'
export { Decoder } from './decoder.ts'
export type { EndOptions } from './ends.ts'
export {
  continueBatch,
  type GenerateBatchOptions,
  type GenerateBeamsOptions,
  type GenerateOptions,
  generate,
  generateBatch,
  generateBeams,
  generateSeveral,
  generateTextSteps,
  type Prompt,
} from './generate.ts'
export {
  type GenerateTokensOptions,
  generateSteps,
  generateTokens,
  generateTokensBatch,
} from './generate-tokens.ts'
export type { Attribute, Ratings } from './judge/attributes.ts'
export { Judge, type JudgeOptions } from './judge/judge.ts'
export { type Ranked, type RankOptions, rankResponses } from './judge/rank.ts'
export { logProbabilities, type TokenProbability } from './log-probabilities.ts'
export * from './processors/index.ts'
export { type Rollout, type RolloutOptions, Rollouts, type WriteRollouts } from './rollouts.ts'
export { createSampler, type Sampler, type SamplingOptions } from './sampling.ts'
export {
  generateSeq2Seq,
  generateSeq2SeqText,
  generateSeq2SeqTexts,
  type Seq2SeqBeamOptions,
  type Seq2SeqTextOptions,
  type Seq2SeqWriteOptions,
  seq2SeqBeams,
  seq2SeqSteps,
} from './seq2seq.ts'
export { Seq2SeqDecoder } from './seq2seq-decoder.ts'
export * from './speculative/index.ts'
export type { StepModel } from './step-model.ts'
export type { TextTokenizer } from './text-writer.ts'
export { type WriteContext, type WriteOptions, type Written, writeTokens } from './write-tokens.ts'
