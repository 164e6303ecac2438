/**
 * Model families, opening and saving checkpoints, heads, and the registry.
 * @module
 */

export { type ConvertOptions, convertModel } from './convert.ts'
export { type Component, type Countable, countModel, type ModelCount } from './count.ts'
export {
  type AdapterTargets,
  defineModel,
  type ImageTokens,
  type LayerBlocks,
  type ModelDefinition,
} from './definition.ts'
export * from './families.ts'
export type { AdapterFactors } from './folder-kinds.ts'
export { GENERATION_KEYS, type KeyAnswer } from './generation-keys.ts'
export type { GGUFFormat, GGUFNames, StoredForm } from './gguf/format.ts'
export {
  type CacheSize,
  type CausalLM,
  type CausalLMModel,
  type CausalLMOptions,
  type CausalSpec,
  causalLM,
  type OutputLayer,
} from './heads/causal-lm.ts'
export type { BelowHead, HeadClass, HeadedModel, HeadSpec } from './heads/headed-model.ts'
export type { Head, Heads } from './heads/heads.ts'
export {
  type ImageClassifierModel,
  type ImageFamily,
  type ImageStack,
  imageClassifier,
  imageEncoder,
} from './heads/image-classification.ts'
export type { ImageClassifier, ImageEncoder, ImageModel } from './heads/image-model.ts'
export {
  type MaskedLM,
  type MaskedLMModel,
  type MaskedLMOptions,
  maskedLM,
} from './heads/masked-lm.ts'
export type { NextSentenceModel, NextSentencePredictor } from './heads/next-sentence.ts'
export type {
  Pretraining,
  PretrainingLabels,
  PretrainingLogits,
  PretrainingModel,
  PretrainingSpec,
} from './heads/pretraining.ts'
export {
  type QuestionAnswerer,
  type QuestionAnswererModel,
  questionAnswerer,
  type Span,
  type SpanLayer,
} from './heads/question-answering.ts'
export {
  type DecodeOptions,
  type Seq2SeqCacheSize,
  type Seq2SeqLM,
  type Seq2SeqLossOptions,
  type Seq2SeqOptions,
  shiftRight,
} from './heads/seq2seq-lm.ts'
export {
  type JointLossOptions,
  type LastTokenClassifier,
  lastTokenClassifier,
  type ScoreLayer,
  type SequenceClassifier,
  type SequenceClassifierModel,
  type SequenceClassifierSpec,
  sequenceClassifier,
} from './heads/sequence-classification.ts'
export {
  type EncoderModel,
  type EncoderOptions,
  type TextEncoder,
  type TextModel,
  textEncoder,
} from './heads/text-model.ts'
export {
  type TokenClassifier,
  type TokenClassifierModel,
  tokenClassifier,
} from './heads/token-classification.ts'
export { isBelow } from './load-weights.ts'
export { dropoutKeys, type NewModelOptions, newModel } from './new-model.ts'
export { preset, presetNames } from './presets.ts'
export {
  type AdaptedModelOptions,
  configJson,
  type LoadModelOptions,
  loadWeights,
  type ModelClass,
  type SaveOptions,
  savePretrained,
  saveWeights,
  type WeightDType,
  weightDTypes,
} from './pretrained.ts'
export {
  fromPretrained,
  headOf,
  headsOf,
  modelClass,
  modelDefinition,
  modelTypes,
  registerModel,
} from './registry.ts'
export { remapTokenEmbeddings, resizeTokenEmbeddings } from './resize-embeddings.ts'
export { loadModel, saveModel } from './save-model.ts'
export { readSentenceConfig, type SentenceConfig } from './sentence-config.ts'
export { type EmbedOptions, SentenceEncoder } from './sentence-encoder.ts'
export type { ConfigFormat } from './shared/config.ts'
export type { Architecture, DecoderFamily, Family, TextFamily } from './shared/family.ts'
export { patchFor, SMALL_IMAGE } from './shared/images.ts'
export { labelFields } from './shared/labels.ts'
export type { Sizes } from './shared/sizes.ts'
export {
  bertTokenizer,
  decoderTokenizer,
  robertaTokenizer,
  seq2seqTokenizer,
  type TokenizerConventions,
} from './shared/tokenizers.ts'
export { type HeadFor, headFor, type TaskName, taskHeads } from './task-names.ts'
export { readModelConfig } from './weight-file.ts'
