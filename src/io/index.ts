/**
 * Files of weights (safetensors, PyTorch, GGUF) and the Hugging Face hub.
 * @module
 */

export type { JsonObject, JsonValue } from './files/json-parse.ts'
export type { DecodableType } from './gguf/decode.ts'
export {
  type GGUFFile,
  type GGUFPiece,
  type GGUFTensorInfo,
  type GGUFType,
  type GGUFValue,
  openGGUF,
} from './gguf/gguf.ts'
export type { GGUFMetadata } from './gguf/metadata.ts'
export type { GGUFScalar, ValueType } from './gguf/types.ts'
export { type GGUFTensorToWrite, writeGGUF } from './gguf/write.ts'
export type { RawConfig } from './hub/hf.ts'
export type { HubOptions } from './hub/hub.ts'
export { type Pulled, type PullOptions, type PullProgress, pullModel } from './hub/pull.ts'
export { type PushOptions, pushModel } from './hub/push.ts'
export type { TensorInfo } from './safetensors/header.ts'
export * from './safetensors/safetensors.ts'
