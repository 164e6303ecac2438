export {
  type GGUFFile,
  type GGUFTensorInfo,
  type GGUFType,
  type GGUFValue,
  openGGUF,
} from './gguf.ts'
export { type GGUFTensorToWrite, writeGGUF } from './gguf-write.ts'
export * from './safetensors.ts'
