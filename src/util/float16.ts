// Conversion of float16 and bfloat16, stored as bit patterns in a Uint16Array. The code works on bits, never on floats,
// so that NaN payloads and signed zeros are preserved. Rounding is to nearest, ties to even.

/** Converts float16 bits to float32, exactly. */
export function f16ToF32(
  bits: Uint16Array,
  out: Float32Array = new Float32Array(bits.length),
): Float32Array {
  f16Table ??= makeF16Table()
  const table = f16Table
  const target = bitsOf(out)
  for (let i = 0; i < bits.length; i++) target[i] = table[bits[i]]
  return out
}

/** Converts float32 to float16 bits. Magnitudes >= 65520 become infinity. */
export function f32ToF16(values: Float32Array, out = new Uint16Array(values.length)): Uint16Array {
  const source = bitsOf(values)
  for (let i = 0; i < source.length; i++) out[i] = encodeF16(source[i])
  return out
}

/** Converts bfloat16 bits to float32, exactly. */
export function bf16ToF32(
  bits: Uint16Array,
  out: Float32Array = new Float32Array(bits.length),
): Float32Array {
  const target = bitsOf(out)
  for (let i = 0; i < bits.length; i++) target[i] = bits[i] << 16
  return out
}

/** Converts float32 to bfloat16 bits. Magnitudes that round above 3.3895e38 become infinity. */
export function f32ToBf16(values: Float32Array, out = new Uint16Array(values.length)): Uint16Array {
  const source = bitsOf(values)
  for (let i = 0; i < source.length; i++) out[i] = encodeBf16(source[i])
  return out
}

let f16Table: Uint32Array | undefined

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length)
}

function makeF16Table(): Uint32Array {
  const table = new Uint32Array(65536)
  for (let bits = 0; bits < 65536; bits++) table[bits] = decodeF16(bits)
  return table
}

function decodeF16(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13)
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13)
  if (mantissa === 0) return sign
  const shift = Math.clz32(mantissa) - 21 // moves the leading one to bit 10, the implicit bit
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)
}

function encodeF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const abs = bits & 0x7fffffff
  if (abs > 0x7f800000) return sign | 0x7c00 | ((abs >>> 13) & 0x3ff || 0x200) // NaN stays NaN
  if (abs >= 0x477ff000) return sign | 0x7c00 // 65520 and more
  if (abs >= 0x38800000) return sign | ((abs - 0x38000000 + 0xfff + ((abs >>> 13) & 1)) >>> 13)
  if (abs <= 0x33000000) return sign // 2^-25, half of the smallest subnormal, ties to zero
  const shift = 126 - (abs >>> 23) // subnormal: the mantissa in units of 2^-24
  const mantissa = (abs & 0x7fffff) | 0x800000
  return sign | ((mantissa + (1 << (shift - 1)) - 1 + ((mantissa >>> shift) & 1)) >>> shift)
}

function encodeBf16(bits: number): number {
  const high = bits >>> 16
  if ((bits & 0x7fffffff) > 0x7f800000) return high & 0x7f ? high : high | 0x40 // NaN stays NaN
  return (bits + 0x7fff + (high & 1)) >>> 16
}
