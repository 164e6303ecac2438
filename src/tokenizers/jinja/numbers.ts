import { fail } from './failure.ts'
import { spend } from './limits.ts'

/** A Python int or float. Booleans must be converted before. */
export type Numeric = bigint | number

export type NumericOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**'

/** Applies an operator to numbers. The result is an int for two ints, otherwise a float. */
export function arithmetic(operator: NumericOperator, left: Numeric, right: Numeric): Numeric {
  if (typeof left === 'bigint' && typeof right === 'bigint') return integers[operator](left, right)
  return floats[operator](toFloat(left), toFloat(right))
}

export function toFloat(value: Numeric): number {
  const float = Number(value)
  if (typeof value === 'bigint' && !Number.isFinite(float))
    fail('OverflowError', 'int too large to convert to float')
  return float
}

const MAX_BITS = 1 << 20 // Python has no limit, but no text contains a power of this size

const integers: Record<NumericOperator, (a: bigint, b: bigint) => Numeric> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => {
    checkBits(bitLength(a) + bitLength(b))
    return a * b
  },
  '/': (a, b) => {
    if (b === 0n) fail('ZeroDivisionError', 'division by zero')
    const quotient = isExact(a) && isExact(b) ? Number(a) / Number(b) : divideLarge(a, b)
    if (!Number.isFinite(quotient))
      fail('OverflowError', 'integer division result too large for a float')
    return quotient
  },
  '//': (a, b) => {
    if (b === 0n) fail('ZeroDivisionError', 'integer division or modulo by zero')
    const quotient = a / b
    return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
  },
  '%': (a, b) => {
    if (b === 0n) fail('ZeroDivisionError', 'integer modulo by zero')
    const rest = a % b
    return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest
  },
  '**': (a, b) => {
    if (b < 0n) return floats['**'](toFloat(a), toFloat(b))
    if (a !== 0n && a !== 1n && a !== -1n) checkBits(bitLength(a) * Number(b))
    return a ** b
  },
}

const floats: Record<NumericOperator, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => {
    if (b === 0) fail('ZeroDivisionError', 'float division by zero')
    return a / b
  },
  '//': (a, b) => {
    if (b === 0) fail('ZeroDivisionError', 'float floor division by zero')
    const quotient = (a - floatRest(a, b)) / b
    if (quotient === 0) return Math.sign(a) * Math.sign(b) < 0 ? -0 : 0
    const floor = Math.floor(quotient)
    return quotient - floor > 0.5 ? floor + 1 : floor
  },
  '%': (a, b) => {
    if (b === 0) fail('ZeroDivisionError', 'float modulo')
    return floatRest(a, b)
  },
  '**': (a, b) => {
    if (a === 0 && b < 0) fail('ZeroDivisionError', '0.0 cannot be raised to a negative power')
    if (a === 1) return 1 // as in Python, also for NaN
    if (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) return 1
    const power = a ** b
    if (Number.isNaN(power) && !Number.isNaN(a) && !Number.isNaN(b))
      fail('Refused', 'complex numbers are not supported')
    if (!Number.isFinite(power) && Number.isFinite(a) && Number.isFinite(b))
      fail('OverflowError', "(34, 'Numerical result out of range')")
    return power
  },
}

/** The remainder with the sign of the divisor. */
function floatRest(a: number, b: number): number {
  const rest = a % b
  if (rest === 0) return b < 0 ? -0 : 0
  return rest < 0 !== b < 0 ? rest + b : rest
}

/** -1, 0 or 1; NaN if one value is NaN. Comparisons of an int with a float are exact. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number.isNaN(Number(a)) || Number.isNaN(Number(b)) ? Number.NaN : 0
}

export function bitLength(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  return magnitude === 0n ? 0 : magnitude.toString(2).length
}

function checkBits(bits: number): void {
  spend(bits / 512)
  if (!(bits <= MAX_BITS))
    fail('Refused', `integers of more than ${MAX_BITS} bits are not supported`)
}

const isExact = (value: bigint): boolean =>
  value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER

/** Divides with 64 bits of the quotient, so that it is rounded only once. */
function divideLarge(a: bigint, b: bigint): number {
  const shift = BigInt(Math.max(0, 66 - (bitLength(a) - bitLength(b))))
  const quotient = (a << shift) / b
  const sticky = (a << shift) % b === 0n ? 0n : quotient < 0n ? -1n : 1n
  const scale = Number(shift)
  // In two steps, because 2 ** scale may be infinite.
  return (
    Number(quotient * 4n + sticky) / 4 / 2 ** Math.min(scale, 1000) / 2 ** Math.max(scale - 1000, 0)
  )
}
