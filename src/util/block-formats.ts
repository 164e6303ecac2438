// Block-quantised numbers, bitwise identical to GGUF: a few bits per number, and scales per block. quantize-blocks.ts
// does the quantising.
import { ShapeError } from './errors.ts'
import { f16ToF32 } from './float16.ts'

/** Format with its name in ggml. Formats that end in k have blocks of 256, with a scale for each 16 or 32 numbers. */
/**
 * Format of quantised weights, as in GGUF files: blocks of numbers with common scales.
 * @useDeclaredType
 */
export type BlockFormat = keyof typeof blockLayouts

export interface BlockLayout {
  /** Number of elements in a block. */
  numbers: number
  /** Number of bytes of a block. */
  bytes: number
}

export const blockLayouts = {
  q8_0: { numbers: 32, bytes: 34 }, // d f16, q i8[32]:  d·q
  q4_0: { numbers: 32, bytes: 18 }, // d f16, q 4 bits:  d·(q - 8)
  q4_1: { numbers: 32, bytes: 20 }, // d f16, m f16, q 4 bits:  d·q + m
  q5_0: { numbers: 32, bytes: 22 }, // d f16, q 1 bit, then 4 bits:  d·(q - 16)
  q5_1: { numbers: 32, bytes: 24 }, // d f16, m f16, q 1 bit, then 4 bits:  d·q + m
  iq4_nl: { numbers: 32, bytes: 18 }, // d f16, q 4 bits:  d·level[q]
  q3_k: { numbers: 256, bytes: 110 }, // q 1 bit, then 2 bits, 6 bits s[16], d f16:  d·(s - 32)·(q - 4)
  q4_k: { numbers: 256, bytes: 144 }, // d f16, m f16, 6 bits (s, t)[8], q 4 bits:  d·s·q - m·t
  q5_k: { numbers: 256, bytes: 176 }, // d f16, m f16, 6 bits (s, t)[8], q 1 bit, then 4 bits:  d·s·q - m·t
  q6_k: { numbers: 256, bytes: 210 }, // q 4 bits, then 2 bits, s i8[16], d f16:  d·s·(q - 32)
} as const satisfies Record<string, BlockLayout>

/** Formats in the order of the kernels' list. Programs refer to a format by its index. */
export const blockFormats = Object.keys(blockLayouts) as readonly BlockFormat[]

/** Number of bytes for `count` numbers. @throws ShapeError unless they are whole blocks */
export function blockBytes(format: BlockFormat, count: number): number {
  const { numbers, bytes } = blockLayouts[format]
  if (count % numbers !== 0)
    throw new ShapeError(`${format}: the count must be a multiple of ${numbers}, got ${count}`)
  return (count / numbers) * bytes
}

/** Decodes whole blocks to f32, with the rounding of ggml. @throws ShapeError for partial blocks */
export function dequantizeBlocks(
  format: BlockFormat,
  bytes: Uint8Array,
  out: Float32Array = new Float32Array(numbersIn(format, bytes.length)),
): Float32Array {
  const count = numbersIn(format, bytes.length)
  if (out.length !== count)
    throw new ShapeError(
      `${format}: the output must have ${count} elements for ${bytes.length} bytes, got ${out.length}`,
    )
  decoders[format](bytes, out)
  return out
}

function numbersIn(format: BlockFormat, bytes: number): number {
  const layout = blockLayouts[format]
  if (bytes % layout.bytes === 0) return (bytes / layout.bytes) * layout.numbers
  throw new ShapeError(`${format}: the bytes must be a multiple of ${layout.bytes}, got ${bytes}`)
}

type Decoder = (bytes: Uint8Array, out: Float32Array) => void

const round = Math.fround

const decoders: Record<BlockFormat, Decoder> = {
  q8_0: (bytes, out) => {
    const scales = halves(bytes, 34, 0)
    scales.forEach((d, block) => {
      const q = block * 34 + 2
      for (let i = 0; i < 32; i++) out[block * 32 + i] = d * signed(bytes[q + i])
    })
  },

  q4_0: (bytes, out) => {
    const scales = halves(bytes, 18, 0)
    scales.forEach((d, block) => {
      eachNibble(bytes, block * 18 + 2, (i, q) => {
        out[block * 32 + i] = d * (q - 8)
      })
    })
  },

  q4_1: (bytes, out) => {
    const [scales, least] = [halves(bytes, 20, 0), halves(bytes, 20, 2)]
    scales.forEach((d, block) => {
      eachNibble(bytes, block * 20 + 4, (i, q) => {
        out[block * 32 + i] = round(d * q) + least[block]
      })
    })
  },

  q5_0: (bytes, out) => {
    const scales = halves(bytes, 22, 0)
    scales.forEach((d, block) => {
      eachFiveBits(bytes, block * 22 + 2, (i, q) => {
        out[block * 32 + i] = d * (q - 16)
      })
    })
  },

  q5_1: (bytes, out) => {
    const [scales, least] = [halves(bytes, 24, 0), halves(bytes, 24, 2)]
    scales.forEach((d, block) => {
      eachFiveBits(bytes, block * 24 + 4, (i, q) => {
        out[block * 32 + i] = round(d * q) + least[block]
      })
    })
  },

  iq4_nl: (bytes, out) => {
    const scales = halves(bytes, 18, 0)
    scales.forEach((d, block) => {
      eachNibble(bytes, block * 18 + 2, (i, q) => {
        out[block * 32 + i] = d * NEAR_ZERO_CLOSER[q]
      })
    })
  },

  q3_k: (bytes, out) => {
    const scales = halves(bytes, 110, 108)
    scales.forEach((d, block) => {
      const start = block * 110
      for (let i = 0; i < 256; i++) {
        const group = i >> 5
        const low = bytes[start + 32 + (group >> 2) * 32 + (i & 31)] >> (2 * (group & 3))
        const high = bytes[start + (i & 31)] >> group
        const q = (low & 3) | ((high & 1) << 2)
        out[block * 256 + i] = round(d * sixteenthScale(bytes, start + 96, i >> 4)) * (q - 4)
      }
    })
  },

  q4_k: (bytes, out) =>
    eachPart(bytes, 144, (block, part, scale, offset) => {
      const q = block * 144 + 16 + (part >> 1) * 32
      const shift = (part & 1) * 4 // a byte has numbers of two parts
      const to = block * 256 + part * 32
      for (let i = 0; i < 32; i++)
        out[to + i] = round(scale * ((bytes[q + i] >> shift) & 15)) - offset
    }),

  q5_k: (bytes, out) =>
    eachPart(bytes, 176, (block, part, scale, offset) => {
      const q = block * 176 + 48 + (part >> 1) * 32
      const shift = (part & 1) * 4
      const to = block * 256 + part * 32
      for (let i = 0; i < 32; i++) {
        const fifth = (bytes[block * 176 + 16 + i] >> part) & 1
        out[to + i] = round(scale * (((bytes[q + i] >> shift) & 15) | (fifth << 4))) - offset
      }
    }),

  q6_k: (bytes, out) => {
    const scales = halves(bytes, 210, 208)
    scales.forEach((d, block) => {
      for (let i = 0; i < 256; i++) {
        const half = i >> 7 // 128 numbers: 64 bytes of low bits, 32 bytes of high bits
        const quarter = (i >> 5) & 3
        const low = bytes[block * 210 + half * 64 + (quarter & 1) * 32 + (i & 31)]
        const high = bytes[block * 210 + 128 + half * 32 + (i & 31)]
        const q = ((low >> (quarter & 2 ? 4 : 0)) & 15) | (((high >> (2 * quarter)) & 3) << 4)
        const scale = round(d * signed(bytes[block * 210 + 192 + (i >> 4)]))
        out[block * 256 + i] = scale * (q - 32)
      }
    })
  },
}

const signed = (byte: number): number => (byte << 24) >> 24

/** Reads the f16 at `offset` of each block of `size` bytes. */
function halves(bytes: Uint8Array, size: number, offset: number): Float32Array {
  const bits = new Uint16Array(bytes.length / size)
  for (let i = 0, at = offset; i < bits.length; i++, at += size)
    bits[i] = bytes[at] | (bytes[at + 1] << 8)
  return f16ToF32(bits)
}

/** Reads 32 numbers from 16 bytes, the first half from the low bits. */
function eachNibble(bytes: Uint8Array, at: number, visit: (i: number, q: number) => void): void {
  for (let i = 0; i < 16; i++) {
    visit(i, bytes[at + i] & 15)
    visit(i + 16, bytes[at + i] >> 4)
  }
}

/** Reads 32 numbers from 20 bytes: the fifth bits, then the other bits as above. */
function eachFiveBits(bytes: Uint8Array, at: number, visit: (i: number, q: number) => void): void {
  eachNibble(bytes, at + 4, (i, q) => {
    visit(i, q | (((bytes[at + (i >> 3)] >> (i & 7)) & 1) << 4))
  })
}

/** Levels of iq4_nl. */
const NEAR_ZERO_CLOSER = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

/** Visits the eight parts of each block of q4_k and q5_k, with scale and offset. */
function eachPart(
  bytes: Uint8Array,
  size: number,
  visit: (block: number, part: number, scale: number, offset: number) => void,
): void {
  const [scales, least] = [halves(bytes, size, 0), halves(bytes, size, 2)]
  scales.forEach((d, block) => {
    for (let part = 0; part < 8; part++) {
      const [s, t] = sixBits(bytes, block * size + 4, part)
      visit(block, part, round(d * s), round(least[block] * t))
    }
  })
}

/** Reads one of sixteen scales: 8 bytes have the low four bits, 4 bytes the high two. */
function sixteenthScale(bytes: Uint8Array, at: number, index: number): number {
  const low = bytes[at + (index & 7)] >> (index < 8 ? 0 : 4)
  const high = bytes[at + 8 + (index & 3)] >> (2 * (index >> 2))
  return ((low & 15) | ((high & 3) << 4)) - 32
}

/**
 * Reads scale and offset of one of eight parts from 12 bytes. The first four parts are stored in the low six bits; the
 * others have four bits in the last bytes and two bits above those of the first four.
 */
function sixBits(bytes: Uint8Array, at: number, part: number): [scale: number, offset: number] {
  if (part < 4) return [bytes[at + part] & 63, bytes[at + part + 4] & 63]
  const both = bytes[at + part + 4]
  return [
    (both & 15) | ((bytes[at + part - 4] >> 6) << 4),
    (both >> 4) | ((bytes[at + part] >> 6) << 4),
  ]
}
