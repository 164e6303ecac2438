// Decoders of GGUF types that are read as float32. Rounding is bitwise identical to gguf-py. Types that stay quantised
// in memory are in util/block-formats.ts.
import { type BlockDecoder, f16, u16 } from './block-decoder.ts'
import { gridDecoders } from './dequantize-grids.ts'
import { TENSOR_TYPES } from './types.ts'

/** Types that this file decodes. */
export type ExpandedType = keyof typeof decoders

/** Decodes blocks to float32. The length of `out` must be the number of elements. */
export function dequantize(type: ExpandedType, bytes: Uint8Array, out: Float32Array): void {
  const { elements, bytes: size } = TENSOR_TYPES[type]
  const decode = decoders[type]
  for (let at = 0, to = 0; at < bytes.length; at += size, to += elements) decode(bytes, at, out, to)
}

const round = Math.fround

const K = 256 // block size of most types

const decoders = {
  // s·m 4 bits each [16], q 2 bits, d f16, e f16:  d·s·q - e·m
  q2_k: (bytes, at, out, to) => {
    const [d, e] = [f16(bytes, at + 80), f16(bytes, at + 82)]
    for (let i = 0; i < K; i++) {
      const scale = bytes[at + (i >> 4)]
      const q = (bytes[at + 16 + (i >> 7) * 32 + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3
      out[to + i] = round(round(d * (scale & 15)) * q) - round(e * (scale >> 4))
    }
  },

  // d f16, two high bits of s [8], four low bits, q 4 bits:  d·(s - 32)·level[q]
  iq4_xs: (bytes, at, out, to) => {
    const d = f16(bytes, at)
    const high = u16(bytes, at + 2)
    for (let part = 0; part < 8; part++) {
      const low = (bytes[at + 4 + (part >> 1)] >> (4 * (part & 1))) & 15
      const scale = round(d * ((low | (((high >> (2 * part)) & 3) << 4)) - 32))
      nibbles(bytes, at + 8 + 16 * part, 16, IQ4_LEVELS, scale, out, to + 32 * part)
    }
  },

  // q in base 3, five to a byte (the last 16: four), as fractions of 256; d f16:  d·(q - 1)
  tq1_0: (bytes, at, out, to) => {
    const d = f16(bytes, at + 52)
    const thirds = (from: number, width: number, digits: number, start: number): void => {
      for (let digit = 0, power = 1; digit < digits; digit++, power *= 3)
        for (let i = 0; i < width; i++)
          out[to + start + digit * width + i] =
            d * (((((bytes[at + from + i] * power) & 255) * 3) >> 8) - 1)
    }
    thirds(0, 32, 5, 0)
    thirds(32, 16, 5, 160)
    thirds(48, 4, 4, 240)
  },

  // q 2 bits, d f16:  d·(q - 1)
  tq2_0: (bytes, at, out, to) => {
    const d = f16(bytes, at + 64)
    for (let i = 0; i < K; i++)
      out[to + i] = d * (((bytes[at + (i >> 7) * 32 + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3) - 1)
  },

  // e 8 bits (a power of two), q 4 bits:  2^(e - 128)·level[q]
  mxfp4: (bytes, at, out, to) => {
    nibbles(bytes, at + 1, 16, FP4_LEVELS, 2 ** (bytes[at] - 128), out, to)
  },

  // s f8 (e4m3 without sign)[4], q 4 bits:  s/2·level[q]
  nvfp4: (bytes, at, out, to) => {
    for (let part = 0; part < 4; part++)
      nibbles(
        bytes,
        at + 4 + 8 * part,
        8,
        FP4_LEVELS,
        unsignedE4M3(bytes[at + part]) / 2,
        out,
        to + 16 * part,
      )
  },

  ...gridDecoders,
} as const satisfies Record<string, BlockDecoder>

export const isExpanded = (type: string): type is ExpandedType => Object.hasOwn(decoders, type)

/** Decodes `count` bytes to 2·count numbers, the first half from the low bits. */
function nibbles(
  bytes: Uint8Array,
  from: number,
  count: number,
  levels: Int8Array,
  scale: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < count; i++) {
    out[to + i] = scale * levels[bytes[from + i] & 15]
    out[to + count + i] = scale * levels[bytes[from + i] >> 4]
  }
}

const IQ4_LEVELS = Int8Array.of(
  ...[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
)
/** Twice the values of a float with two exponent bits and one mantissa bit. */
const FP4_LEVELS = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)

/** Decodes float8 e4m3, ignoring the sign. NaN gives 0. */
function unsignedE4M3(byte: number): number {
  const [exponent, mantissa] = [(byte >> 3) & 15, byte & 7]
  if (byte === 0x7f) return 0
  return exponent === 0 ? mantissa / 512 : (1 + mantissa / 8) * 2 ** (exponent - 7)
}
