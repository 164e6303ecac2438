import { dequantizeBlocks } from '../../util/block-formats.ts'
import { bf16ToF32, f16ToF32 } from '../../util/float16.ts'
import type { GGUFType } from './types.ts'

/** The types of tensors that can be decoded. */
export const decodableTypes = [
  'f32',
  'f16',
  'bf16',
  'q8_0',
  'q4_0',
  'q4_1',
  'q4_k',
  'q6_k',
] as const satisfies readonly GGUFType[]

export type DecodableType = (typeof decodableTypes)[number]

export const isDecodable = (type: GGUFType): type is DecodableType =>
  (decodableTypes as readonly string[]).includes(type)

/** Decodes blocks to float32; `out` has exactly the length of the decoded numbers. */
export function decode(type: DecodableType, bytes: Uint8Array, out: Float32Array): void {
  if (type === 'f32') new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes)
  else if (type === 'f16') f16ToF32(halves(bytes), out)
  else if (type === 'bf16') bf16ToF32(halves(bytes), out)
  else dequantizeBlocks(type, bytes, out)
}

function halves(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice()
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2)
}
