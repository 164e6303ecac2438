// Conversion of float8 to float32 (Micikevicius et al., 2022; E8M0 is the scale of OCP's microscaling formats).

export type Float8 = 'f8_e4m3' | 'f8_e5m2' | 'f8_e8m0'

/** Converts float8 bits to float32, exactly. */
export function f8ToF32(format: Float8, bits: Uint8Array, out: Float32Array): Float32Array {
  tables[format] ??= Float32Array.from({ length: 256 }, (_, byte) => decoders[format](byte))
  const table = tables[format]
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]]
  return out
}

const tables: { [F in Float8]?: Float32Array } = {}

const decoders: { readonly [F in Float8]: (byte: number) => number } = {
  // No infinity; NaN is all ones below the sign.
  f8_e4m3: (byte) => ((byte & 0x7f) === 0x7f ? Number.NaN : decode(byte, 3, 7)),
  f8_e5m2: (byte) => {
    if ((byte & 0x7c) !== 0x7c) return decode(byte, 2, 15)
    if (byte & 0x03) return Number.NaN
    return byte & 0x80 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  },
  f8_e8m0: (byte) => (byte === 0xff ? Number.NaN : 2 ** (byte - 127)),
}

/** ±(1 + m)·2^(e - bias), or ±m·2^(1 - bias) if e is 0. */
function decode(byte: number, mantissaBits: number, bias: number): number {
  const sign = byte & 0x80 ? -1 : 1
  const exponent = (byte & 0x7f) >> mantissaBits
  const mantissa = (byte & ((1 << mantissaBits) - 1)) / (1 << mantissaBits)
  const magnitude = exponent === 0 ? mantissa * 2 : 1 + mantissa
  return sign * magnitude * 2 ** (exponent - bias)
}
