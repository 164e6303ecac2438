// Formats floats like Python: the shortest digits that parse to the same number, or exactly rounded digits.

/** `repr(1e16)`: shortest digits, with an exponent below 1e-4 and from 1e16. */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  const [mantissa, exponentText] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 16) return `${mantissa}e${exponentSuffix(exponent)}`
  const negative = mantissa.startsWith('-')
  const digits = mantissa.replace(/[-.]/g, '')
  const text =
    exponent < 0
      ? `0.${'0'.repeat(-exponent - 1)}${digits}`
      : `${digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')}.${digits.slice(exponent + 1) || '0'}`
  return negative ? `-${text}` : text
}

/** The exponent with a sign and at least two digits. */
export const exponentSuffix = (exponent: number): string =>
  `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`

/** round(|value| · 10^digits), half to even, computed exactly. */
export function scaled(value: number, digits: number): bigint {
  const [mantissa, exponent] = decompose(Math.abs(value))
  let numerator = mantissa
  let denominator = 1n
  if (exponent >= 0) numerator <<= BigInt(exponent)
  else denominator <<= BigInt(-exponent)
  if (digits >= 0) numerator *= 10n ** BigInt(digits)
  else denominator *= 10n ** BigInt(-digits)
  return divideToEven(numerator, denominator)
}

/** numerator / denominator, both positive, rounded half to even. */
export function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n)
  return up ? quotient + 1n : quotient
}

/** value = mantissa · 2^exponent */
export function decompose(value: number): [mantissa: bigint, exponent: number] {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, value)
  const word = bits.getBigUint64(0)
  const fraction = word & 0xfffffffffffffn
  const exponent = Number((word >> 52n) & 0x7ffn)
  return exponent === 0 ? [fraction, -1074] : [fraction | (1n << 52n), exponent - 1075]
}

/** `'%.3f' % |value|` */
export function fixed(value: number, digits: number): string {
  const text = scaled(value, digits)
    .toString()
    .padStart(digits + 1, '0')
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** `'%.3e' % |value|` as digits and exponent. */
export function scientific(value: number, digits: number): [digits: string, exponent: number] {
  if (value === 0) return ['0'.repeat(digits + 1), 0]
  let exponent = Math.floor(Math.log10(Math.abs(value)))
  for (;;) {
    const text = scaled(value, digits - exponent).toString()
    if (text.length === digits + 1) return [text, exponent]
    // Rounding up, or a rounded logarithm, may give one more digit.
    exponent += text.length > digits + 1 ? 1 : -1
  }
}
