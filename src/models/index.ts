export { type ConvertOptions, convertModel } from './convert.ts'
export { type Component, type Countable, countModel, type ModelCount } from './count.ts'
export type { CausalLM, CausalLMOptions } from './heads/causal-lm.ts'
export type { Head, Heads } from './heads/heads.ts'
export type { ImageClassifier, ImageEncoder, ImageModel } from './heads/image-model.ts'
export {
  type DecodeOptions,
  type Seq2SeqLM,
  type Seq2SeqLossOptions,
  type Seq2SeqOptions,
  shiftRight,
} from './heads/seq2seq-lm.ts'
export type {
  EncoderModel,
  EncoderOptions,
  MaskedLM,
  MaskedLMOptions,
  NextSentencePredictor,
  Pretraining,
  PretrainingLabels,
  PretrainingLogits,
  QuestionAnswerer,
  SequenceClassifier,
  Span,
  TextEncoder,
  TokenClassifier,
} from './heads/text-model.ts'
export { preset, presetNames } from './presets.ts'
export {
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
export { fromPretrained, headOf, headsOf, modelClass, modelTypes } from './registry.ts'
export type { SentenceConfig } from './sentence-config.ts'
export { type EmbedOptions, SentenceEncoder } from './sentence-encoder.ts'
export type { TaskName } from './task-names.ts'
export { type BertConfig, BertModel } from './text/bert.ts'
export {
  BertForMaskedLM,
  BertForNextSentencePrediction,
  BertForPreTraining,
  BertForQuestionAnswering,
  BertForSequenceClassification,
  BertForTokenClassification,
} from './text/bert-heads.ts'
export { Bloom, type BloomConfig, BloomForSequenceClassification } from './text/bloom.ts'
export { type DistilBertConfig, DistilBertModel } from './text/distilbert.ts'
export {
  DistilBertForMaskedLM,
  DistilBertForQuestionAnswering,
  DistilBertForSequenceClassification,
  DistilBertForTokenClassification,
} from './text/distilbert-heads.ts'
export { Gemma, type GemmaConfig, GemmaForSequenceClassification } from './text/gemma.ts'
export { GPTNeo, type GPTNeoConfig, GPTNeoForSequenceClassification } from './text/gpt_neo.ts'
export { GPT2, type GPT2Config, GPT2ForSequenceClassification } from './text/gpt2.ts'
export { Llama, type LlamaConfig, LlamaForSequenceClassification } from './text/llama.ts'
export { Marian } from './text/marian.ts'
export type { MarianConfig } from './text/marian-config.ts'
export { Mistral, type MistralConfig, MistralForSequenceClassification } from './text/mistral.ts'
export {
  OpenAIGPT,
  type OpenAIGPTConfig,
  OpenAIGPTForSequenceClassification,
} from './text/openai-gpt.ts'
export { Qwen2, type Qwen2Config, Qwen2ForSequenceClassification } from './text/qwen2.ts'
export { Qwen3, type Qwen3Config, Qwen3ForSequenceClassification } from './text/qwen3.ts'
export {
  type RobertaConfig,
  RobertaForMaskedLM,
  RobertaForQuestionAnswering,
  RobertaForSequenceClassification,
  RobertaForTokenClassification,
  RobertaModel,
} from './text/roberta.ts'
export { Seq2SeqRNN } from './text/seq2seq_rnn.ts'
export type { Seq2SeqRNNConfig } from './text/seq2seq_rnn-config.ts'
export type { T5Config } from './text/t5-config.ts'
export {
  T5EncoderModel,
  T5ForConditionalGeneration,
} from './text/t5-heads.ts'
export {
  DeiTForImageClassification,
  DeiTForImageClassificationWithTeacher,
  DeiTModel,
} from './vision/deit.ts'
export {
  type ResNetConfig,
  ResNetForImageClassification,
  ResNetModel,
} from './vision/resnet.ts'
export { type ViTConfig, ViTForImageClassification, ViTModel } from './vision/vit.ts'
export {
  type ViTHybridConfig,
  ViTHybridForImageClassification,
  ViTHybridModel,
} from './vision/vit-hybrid.ts'
export { readModelConfig } from './weight-file.ts'
