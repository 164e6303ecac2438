// Quantises f32 to the formats of block-formats.ts. The bytes are identical to those of ggml.
import { type BlockFormat, blockBytes, blockLayouts } from './block-formats.ts'
import { HeedError } from './errors.ts'
import { f32ToF16 } from './float16.ts'

/** Formats that weights can be quantised to. The others can only be read from files. */
export type QuantizeFormat = Extract<BlockFormat, 'q8_0' | 'q4_0' | 'q4_1'>

export const quantizeFormats: readonly QuantizeFormat[] = ['q8_0', 'q4_0', 'q4_1']

/**
 * Quantises numbers: each becomes the nearest multiple of the scale of its block.
 * @throws HeedError for partial blocks, and for numbers that are not finite or too large for f16 scales
 */
export function quantizeBlocks(format: QuantizeFormat, values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(blockBytes(format, values.length))
  const { numbers, bytes: size } = blockLayouts[format]
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw unfit(`${values[i]} at ${i}`)
  for (let at = 0, to = 0; at < values.length; at += numbers, to += size)
    encoders[format](values, at, bytes, to)
  return bytes
}

type Encoder = (values: Float32Array, from: number, bytes: Uint8Array, to: number) => void

const round = Math.fround

const encoders: Record<QuantizeFormat, Encoder> = {
  // d = max|x|/127
  q8_0: (x, from, bytes, to) => {
    let largest = 0
    for (let i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(x[from + i]))
    const d = round(largest / 127)
    const inverse = d === 0 ? 0 : round(1 / d)
    writeHalf(d, bytes, to)
    for (let i = 0; i < 32; i++) bytes[to + 2 + i] = nearest(round(x[from + i] * inverse))
  },

  // d = x/-8 for the x with the largest magnitude, which is then exact
  q4_0: (x, from, bytes, to) => {
    let largest = 0
    for (let i = 0; i < 32; i++)
      if (Math.abs(x[from + i]) > Math.abs(largest)) largest = x[from + i]
    const d = round(largest / -8)
    const inverse = d === 0 ? 0 : round(1 / d)
    const level = (i: number): number => Math.min(15, round(round(x[from + i] * inverse) + 8.5) | 0)
    writeHalf(d, bytes, to)
    writeNibbles(level, bytes, to + 2)
  },

  // d = (max x - min x)/15; levels start at min x
  q4_1: (x, from, bytes, to) => {
    let [least, most] = [x[from], x[from]]
    for (let i = 0; i < 32; i++) {
      least = Math.min(least, x[from + i])
      most = Math.max(most, x[from + i])
    }
    const d = round(round(most - least) / 15)
    const inverse = d === 0 ? 0 : round(1 / d)
    const level = (i: number): number =>
      Math.min(15, round(round(round(x[from + i] - least) * inverse) + 0.5) | 0)
    writeHalf(d, bytes, to)
    writeHalf(least, bytes, to + 2)
    writeNibbles(level, bytes, to + 4)
  },
}

/** Rounds to nearest, ties away from zero. */
const nearest = (x: number): number => (x < 0 ? -Math.round(-x) : Math.round(x))

function writeNibbles(level: (i: number) => number, bytes: Uint8Array, to: number): void {
  for (let i = 0; i < 16; i++) bytes[to + i] = level(i) | (level(i + 16) << 4)
}

const half = new Float32Array(1)
const bits = new Uint16Array(1)

function writeHalf(value: number, bytes: Uint8Array, to: number): void {
  half[0] = value
  f32ToF16(half, bits)
  if ((bits[0] & 0x7c00) === 0x7c00) throw unfit(`a block with the scale ${value}`)
  bytes[to] = bits[0] & 255
  bytes[to + 1] = bits[0] >> 8
}

const unfit = (problem: string): HeedError =>
  new HeedError(
    'invalid-data',
    `Numbers to quantise must be finite, with block scales of at most 65504, got ${problem}`,
  )
