/**
 * Modules: layers, losses, attention, initialisation, caches, and capture of activations.
 * @module
 */

export type { QuantizeFormat } from '../util/quantize-blocks.ts'
export {
  ELU,
  GELU,
  GLU,
  Hardswish,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  ReLU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from './activation-layers.ts'
export { type Activation, activationNames, activations } from './activations.ts'
export { alibi } from './alibi.ts'
export {
  type AttentionOptions,
  attend,
  attention,
  attentionWeights,
  joinHeads,
  splitHeads,
  type WeightOptions,
} from './attention.ts'
export { BatchNorm1d, BatchNorm2d, type BatchNormOptions } from './batch-norm.ts'
export {
  type Attentions,
  captureActivations,
  captureAttention,
  offerAttention,
} from './capture.ts'
export { Conv1D, type Conv1DOptions } from './conv1d.ts'
export {
  Conv1d,
  Conv2d,
  type ConvOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  type ConvTransposeOptions,
  StdConv2d,
} from './convolution.ts'
export { type CrossAttentionOptions, crossAttention } from './cross-attention.ts'
export {
  CrossCache,
  EncoderDecoderCache,
  type EncoderDecoderCacheShape,
} from './cross-cache.ts'
export { Dropout } from './dropout.ts'
export { Embedding, type EmbeddingOptions } from './embedding.ts'
export { findNaN, type NaNOrigin } from './find-nan.ts'
export { type AffineOptions, GroupNorm, InstanceNorm1d, InstanceNorm2d } from './group-norm.ts'
/** Initialisers of parameters, named as in torch.nn.init. */
export * as init from './init.ts'
export { type CachePrefix, KVCache, type KVCacheShape, LayerCache } from './kv-cache.ts'
export { LayerNorm, type LayerNormOptions } from './layer-norm.ts'
export { Linear, type LinearOptions } from './linear.ts'
export {
  featureMaps,
  type LinearAttentionOptions,
  type LinearAttentionState,
  linearAttention,
  linearAttentionStep,
} from './linear-attention.ts'
export {
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  NLLLoss,
  SmoothL1Loss,
  TripletMarginLoss,
} from './loss-layers.ts'
export { MLP, type MLPConfig } from './mlp.ts'
export { type Hook, Module, type PreHook } from './module.ts'
export {
  MultiHeadAttention,
  type MultiHeadAttentionConfig,
  type MultiHeadAttentionOptions,
} from './multi-head-attention.ts'
export { type Pooling, pool, poolings } from './pooling.ts'
export {
  countedPositions,
  keyMask,
  type PaddedOptions,
  packedTexts,
  tokenPositions,
} from './positions.ts'
export { type QuantizeOptions, quantize } from './quantize.ts'
export {
  Blocks,
  countWeights,
  QuantizedEmbedding,
  QuantizedLinear,
  type QuantizedWeight,
} from './quantized.ts'
export {
  GRU,
  LSTM,
  type RecurrentInputs,
  type RecurrentOptions,
  type RecurrentOutput,
  RNN,
  type RNNOptions,
} from './recurrent.ts'
export {
  AdditiveAttention,
  DotAttention,
  type DotAttentionConfig,
  MLPAttention,
  StateAttention,
  type StateAttentionOptions,
  type StateAttentionOutput,
} from './recurrent-attention.ts'
export {
  GRUCell,
  LSTMCell,
  RecurrentCell,
  type RecurrentCellOptions,
  RNNCell,
} from './recurrent-cell.ts'
export type { RecurrentKind, RecurrentState } from './recurrent-step.ts'
export { RelativeBias, type RelativeBiasConfig, relativeBucket } from './relative-bias.ts'
export { replaceableWeights, replaceWeights } from './replace-weights.ts'
export { RMSNorm } from './rms-norm.ts'
export { type RopeParameters, ropeTypes } from './rope-scaling.ts'
export { Rotary, type RotaryAngles, type RotaryOptions, rotate } from './rotary.ts'
export { type Layer, Sequential, type SequentialLayer } from './sequential.ts'
export { Flatten, Identity } from './shape-layers.ts'
export { Sinusoidal, type SinusoidalConfig } from './sinusoidal.ts'
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AvgPool1d,
  AvgPool2d,
  MaxPool1d,
  MaxPool2d,
} from './spatial-pooling.ts'
export {
  type LoadOptions,
  type Match,
  type ModuleState,
  type StateSource,
  setValues,
  takeValues,
} from './state-dict.ts'
export type { StateFile } from './state-source.ts'
export * from './torch-names.ts'
export {
  TransformerEncoderLayer,
  type TransformerEncoderLayerConfig,
} from './transformer-encoder-layer.ts'
export { untie } from './untie.ts'
export { type VisibleOptions, visibleKeys } from './visible-keys.ts'
