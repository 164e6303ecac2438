import { f16ToF32 } from '../../util/float16.ts'

/** Decodes the block at `at` to `out`, starting at `to`. */
export type BlockDecoder = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void

/** Reads a little-endian u16. */
export const u16 = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8)

/** Reads a little-endian u32. */
export const u32 = (bytes: Uint8Array, at: number): number =>
  (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0

/** Reads a little-endian float16. */
export function f16(bytes: Uint8Array, at: number): number {
  half[0] = u16(bytes, at)
  return f16ToF32(half, single)[0]
}

const half = new Uint16Array(1)
const single = new Float32Array(1)
