// Decoders of GGUF's IQ types: a block has indices into a table of vectors, signs and scales.
import { type BlockDecoder, f16, u16, u32 } from './block-decoder.ts'
import { type Grid, grids } from './grids.ts'

export type GridType = 'iq1_s' | 'iq1_m' | 'iq2_xxs' | 'iq2_xs' | 'iq2_s' | 'iq3_xxs' | 'iq3_s'

const round = Math.fround
const DELTA = 0.125

export const gridDecoders: Record<GridType, BlockDecoder> = {
  // d f16, 8 low bits of index [32], u16 [8] with 3 high bits [4], 3 bits s and a sign:  d·(2s + 1)·(v ± 1/8)
  iq1_s: (bytes, at, out, to) => {
    const d = f16(bytes, at)
    for (let part = 0; part < 8; part++) {
      const high = u16(bytes, at + 34 + 2 * part)
      const scale = round(d * (2 * ((high >> 12) & 7) + 1))
      const delta = high & 0x8000 ? -DELTA : DELTA
      for (let k = 0; k < 4; k++) {
        const index = bytes[at + 2 + 4 * part + k] | (((high >> (3 * k)) & 7) << 8)
        shifted(index, delta, scale, out, to + 32 * part + 8 * k)
      }
    }
  },

  // As above, with 3 high bits and a sign for each vector, and 3 bits s for two vectors; d is spread over four u16
  iq1_m: (bytes, at, out, to) => {
    const words = [0, 1, 2, 3].map((i) => u16(bytes, at + 48 + 2 * i))
    const bits = words.reduce((sum, word, i) => sum | ((word >> 12) << (4 * i)), 0)
    const d = f16(Uint8Array.of(bits & 255, bits >> 8), 0)
    for (let vector = 0; vector < 32; vector++) {
      const high = bytes[at + 32 + (vector >> 1)] >> (4 * (vector & 1))
      const pair = vector >> 1
      const scale = round(d * (2 * ((words[pair >> 2] >> (3 * (pair & 3))) & 7) + 1))
      const index = bytes[at + vector] | ((high & 7) << 8)
      shifted(index, high & 8 ? -DELTA : DELTA, scale, out, to + 8 * vector)
    }
  },

  // d f16, and for 32 numbers: index [4] u8, 7 bits of signs [4], 4 bits s:  d·(s + 1/2)/4·v
  iq2_xxs: (bytes, at, out, to) => {
    const d = f16(bytes, at)
    for (let part = 0; part < 8; part++) {
      const from = at + 2 + 8 * part
      const word = u32(bytes, from + 4)
      const scale = round(round(d * (0.5 + (word >>> 28))) * 0.25)
      for (let k = 0; k < 4; k++)
        signed(
          grids.iq2_xxs,
          bytes[from + k],
          evenSigns(word >>> (7 * k)),
          scale,
          out,
          to + 32 * part + 8 * k,
        )
    }
  },

  // d f16, u16 [32] with 9 bits of index and 7 of signs, 4 bits s [16]
  iq2_xs: (bytes, at, out, to) => {
    const d = f16(bytes, at)
    for (let vector = 0; vector < 32; vector++) {
      const word = u16(bytes, at + 2 + 2 * vector)
      const scale = round(round(d * (0.5 + nibble(bytes, at + 66, vector >> 1))) * 0.25)
      signed(grids.iq2_xs, word & 511, evenSigns(word >> 9), scale, out, to + 8 * vector)
    }
  },

  // d f16, 8 low bits of index [32], signs [32], 2 high bits [32], 4 bits s [16]
  iq2_s: (bytes, at, out, to) => {
    const d = f16(bytes, at)
    for (let vector = 0; vector < 32; vector++) {
      const high = (bytes[at + 66 + (vector >> 2)] >> (2 * (vector & 3))) & 3
      const scale = round(round(d * (0.5 + nibble(bytes, at + 74, vector >> 1))) * 0.25)
      const index = bytes[at + 2 + vector] | (high << 8)
      signed(grids.iq2_s, index, bytes[at + 34 + vector], scale, out, to + 8 * vector)
    }
  },

  // d f16, index [64] of vectors of 4, and for 32 numbers: 7 bits of signs [4], 4 bits s:  d·(s + 1/2)/2·v
  iq3_xxs: (bytes, at, out, to) => {
    const d = f16(bytes, at)
    for (let part = 0; part < 8; part++) {
      const word = u32(bytes, at + 66 + 4 * part)
      const scale = round(round(d * (0.5 + (word >>> 28))) * 0.5)
      for (let k = 0; k < 4; k++) {
        const [from, target] = [at + 2 + 8 * part + 2 * k, to + 32 * part + 8 * k]
        const signs = evenSigns(word >>> (7 * k))
        signed(grids.iq3_xxs, bytes[from], signs, scale, out, target)
        signed(grids.iq3_xxs, bytes[from + 1], signs >> 4, scale, out, target + 4)
      }
    }
  },

  // d f16, 8 low bits of index [64], high bit [64], signs [32], 4 bits s [8]:  d·(2s + 1)·v
  iq3_s: (bytes, at, out, to) => {
    const d = f16(bytes, at)
    for (let vector = 0; vector < 64; vector++) {
      const high = (bytes[at + 66 + (vector >> 3)] >> (vector & 7)) & 1
      const scale = round(d * (1 + 2 * nibble(bytes, at + 106, vector >> 3)))
      const signs = bytes[at + 74 + (vector >> 1)] >> (4 * (vector & 1))
      const index = bytes[at + 2 + vector] | (high << 8)
      signed(grids.iq3_s, index, signs, scale, out, to + 4 * vector)
    }
  },
}

/** Writes the numbers of a vector, negated where a bit of `signs` is set. */
function signed(
  { width, numbers }: Grid,
  index: number,
  signs: number,
  scale: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < width; i++) {
    const value = scale * numbers[width * index + i]
    out[to + i] = (signs >> i) & 1 ? -value : value
  }
}

/** Writes a vector of eight numbers (-1, 0 or 1), each shifted by `delta`. */
function shifted(index: number, delta: number, scale: number, out: Float32Array, to: number): void {
  for (let i = 0; i < 8; i++) out[to + i] = scale * (grids.iq1_s.numbers[8 * index + i] + delta)
}

/** Adds the eighth sign to seven, so that the number of negative signs is even. */
function evenSigns(bits: number): number {
  const seven = bits & 127
  let odd = seven ^ (seven >> 4)
  odd ^= odd >> 2
  odd ^= odd >> 1
  return seven | ((odd & 1) << 7)
}

const nibble = (bytes: Uint8Array, at: number, i: number): number =>
  (bytes[at + (i >> 1)] >> (4 * (i & 1))) & 15
