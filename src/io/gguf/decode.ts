import { type BlockFormat, blockLayouts, dequantizeBlocks } from '../../util/block-formats.ts'
import { bf16ToF32, f16ToF32 } from '../../util/float16.ts'
import { dequantize, type ExpandedType, isExpanded } from './dequantize.ts'
import type { GGUFType } from './types.ts'

type PlainType = keyof typeof plain

/**
 * A tensor type of GGUF files that Heed can decode.
 * @useDeclaredType
 */
export type DecodableType = PlainType | BlockFormat | ExpandedType

/** Narrows a type to one that can be decoded; undefined for others. */
export const decodable = (type: GGUFType): DecodableType | undefined =>
  isPlain(type) || isBlock(type) || isExpanded(type) ? type : undefined

/** Decodes stored numbers to float32. The length of `out` must be the number of elements. */
export function decode(type: DecodableType, bytes: Uint8Array, out: Float32Array): void {
  if (isPlain(type)) plain[type](aligned(bytes), out)
  else if (isBlock(type)) dequantizeBlocks(type, bytes, out)
  else dequantize(type, bytes, out)
}

/** Types without blocks. */
const plain = {
  f32: ({ buffer, byteOffset }, out) => out.set(new Float32Array(buffer, byteOffset, out.length)),
  f64: ({ buffer, byteOffset }, out) => out.set(new Float64Array(buffer, byteOffset, out.length)),
  f16: ({ buffer, byteOffset }, out) =>
    f16ToF32(new Uint16Array(buffer, byteOffset, out.length), out),
  bf16: ({ buffer, byteOffset }, out) =>
    bf16ToF32(new Uint16Array(buffer, byteOffset, out.length), out),
  i8: ({ buffer, byteOffset }, out) => out.set(new Int8Array(buffer, byteOffset, out.length)),
  i16: ({ buffer, byteOffset }, out) => out.set(new Int16Array(buffer, byteOffset, out.length)),
  i32: ({ buffer, byteOffset }, out) => out.set(new Int32Array(buffer, byteOffset, out.length)),
  i64: ({ buffer, byteOffset }, out) => {
    const values = new BigInt64Array(buffer, byteOffset, out.length)
    for (let i = 0; i < out.length; i++) out[i] = Number(values[i])
  },
} as const satisfies Partial<Record<GGUFType, (bytes: Uint8Array, out: Float32Array) => void>>

const isPlain = (type: GGUFType): type is PlainType => Object.hasOwn(plain, type)
const isBlock = (type: GGUFType): type is BlockFormat => Object.hasOwn(blockLayouts, type)

const aligned = (bytes: Uint8Array): Uint8Array =>
  bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
