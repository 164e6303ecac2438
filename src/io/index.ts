export {
  type GGUFFile,
  type GGUFTensorInfo,
  type GGUFType,
  type GGUFValue,
  openGGUF,
} from './gguf/gguf.ts'
export { type GGUFTensorToWrite, writeGGUF } from './gguf/write.ts'
export type { HubOptions } from './hub/hub.ts'
export { type Pulled, type PullOptions, type PullProgress, pullModel } from './hub/pull.ts'
export { type PushOptions, pushModel } from './hub/push.ts'
export * from './safetensors/safetensors.ts'
