import { fail } from './failure.ts'
import { decompose } from './float-text.ts'
import type { Members } from './methods.ts'
import { bitLength, compareNumbers } from './numbers.ts'
import { Tuple, type Value } from './objects.ts'
import { method } from './signature.ts'

const refused = (name: string) => () =>
  method(
    name,
    [
      ['length', null],
      ['byteorder', null],
    ],
    () => fail('Refused', `${name}() is not supported, because templates have no bytes`),
    false,
  )

export const integerMethods: Members<bigint> = {
  real: (value) => value,
  imag: () => 0n,
  numerator: (value) => value,
  denominator: () => 1n,
  conjugate: (value) => method('int.conjugate', [], () => value),
  bit_length: (value) => method('int.bit_length', [], () => BigInt(bitLength(value))),
  bit_count: (value) =>
    method('int.bit_count', [], () =>
      BigInt((value < 0n ? -value : value).toString(2).replaceAll('0', '').length),
    ),
  as_integer_ratio: (value) => method('int.as_integer_ratio', [], () => new Tuple([value, 1n])),
  to_bytes: refused('int.to_bytes'),
  from_bytes: refused('int.from_bytes'),
}

export const floatMethods: Members<number> = {
  real: (value) => value,
  imag: () => 0,
  conjugate: (value) => method('float.conjugate', [], () => value),
  is_integer: (value) => method('float.is_integer', [], () => Number.isInteger(value)),
  as_integer_ratio: (value) => method('float.as_integer_ratio', [], () => ratio(value)),
  hex: (value) => method('float.hex', [], () => hexadecimal(value)),
  fromhex: () =>
    method('float.fromhex', ['text'], () => fail('Refused', 'float.fromhex() is not supported')),
}

function ratio(value: number): Value {
  if (Number.isNaN(value)) fail('ValueError', 'cannot convert NaN to integer ratio')
  if (!Number.isFinite(value)) fail('OverflowError', 'cannot convert Infinity to integer ratio')
  const [mantissa, exponent] = decompose(Math.abs(value))
  let numerator = exponent > 0 ? mantissa << BigInt(exponent) : mantissa
  let denominator = exponent > 0 ? 1n : 1n << BigInt(-exponent)
  while (numerator % 2n === 0n && denominator > 1n) {
    numerator /= 2n
    denominator /= 2n
  }
  return new Tuple([compareNumbers(value, 0) < 0 ? -numerator : numerator, denominator])
}

/** `0x1.8000000000000p+1` */
function hexadecimal(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (value === 0) return `${sign}0x0.0p+0`
  const [mantissa, exponent] = decompose(Math.abs(value))
  const power = exponent + 52
  const digits = mantissa.toString(16).padStart(14, '0')
  return `${sign}0x${digits[0]}.${digits.slice(1)}p${power < 0 ? '-' : '+'}${Math.abs(power)}`
}
