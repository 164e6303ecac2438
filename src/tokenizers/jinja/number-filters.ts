import { integerOf } from './arguments.ts'
import { numeric } from './compare.ts'
import { attempt, fail } from './failure.ts'
import type { Filter } from './filters.ts'
import { divideToEven, fixed, scaled } from './float-text.ts'
import { formatValue } from './format-spec.ts'
import { arithmetic, type Numeric, toFloat } from './numbers.ts'
import { isNumber, isText, rawText, Tuple, typeName, type Value } from './objects.ts'
import { parseFloatText, parseInteger } from './parse-number.ts'
import { truth } from './sequences.ts'
import { withSignature } from './signature.ts'
import { Undefined } from './undefined.ts'

export const numberFilters: Record<string, Filter> = {
  abs: withSignature('abs', ['x'], ([value]) => {
    if (value instanceof Undefined || !isNumber(value))
      return fail('TypeError', `bad operand type for abs(): '${typeName(value)}'`)
    const number = numeric(value)
    return typeof number === 'bigint' ? (number < 0n ? -number : number) : Math.abs(number)
  }),
  int: withSignature(
    'do_int',
    ['value', ['default', 0n], ['base', 10n]],
    ([value, byDefault, base]) =>
      attempt(
        () => (isText(value) ? parseInteger(rawText(value), integerOf(base)) : truncated(value)),
        ['TypeError', 'ValueError'],
        () =>
          attempt<Value>(
            () => truncated(floatOf(value)),
            ['TypeError', 'ValueError', 'OverflowError'],
            () => byDefault,
          ),
      ),
  ),
  float: withSignature('do_float', ['value', ['default', 0]], ([value, byDefault]) =>
    attempt<Value>(
      () => floatOf(value),
      ['TypeError', 'ValueError'],
      () => byDefault,
    ),
  ),
  round: withSignature(
    'do_round',
    ['value', ['precision', 0n], ['method', 'common']],
    ([value, precision, method]) => round(value, precision, method),
  ),
  filesizeformat: withSignature(
    'do_filesizeformat',
    ['value', ['binary', false]],
    ([value, binary]) => fileSize(floatOf(value), truth(binary)),
  ),
}

/** `float(value)`. */
function floatOf(value: Value): number {
  if (value instanceof Undefined) value.raise()
  if (isText(value)) return parseFloatText(rawText(value))
  if (isNumber(value)) return toFloat(numeric(value))
  return fail(
    'TypeError',
    `float() argument must be a string or a real number, not '${typeName(value)}'`,
  )
}

/** `int(value)` of a number. */
function truncated(value: Value): Value {
  if (value instanceof Undefined) value.raise()
  if (!isNumber(value))
    return fail(
      'TypeError',
      `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`,
    )
  const number = numeric(value)
  if (typeof number === 'bigint') return number
  if (Number.isNaN(number)) return fail('ValueError', 'cannot convert float NaN to integer')
  if (!Number.isFinite(number))
    return fail('OverflowError', 'cannot convert float infinity to integer')
  return BigInt(Math.trunc(number))
}

function round(value: Value, precision: Value, method: Value): Value {
  const name = isText(method) ? rawText(method) : ''
  if (!['common', 'ceil', 'floor'].includes(name))
    fail('FilterArgumentError', 'method must be common, ceil or floor')
  const digits = integerOf(precision)
  if (!isNumber(value)) return notRounded(value, name)
  const number = numeric(value)
  if (name === 'common')
    return typeof number === 'bigint' ? roundInteger(number, digits) : roundFloat(number, digits)
  const scale = arithmetic('**', 10n, BigInt(digits))
  const product = arithmetic('*', number, scale)
  return arithmetic('/', name === 'ceil' ? ceil(product) : floor(product), scale)
}

function notRounded(value: Value, method: string): never {
  if (method === 'common')
    fail('TypeError', `type ${typeName(value)} doesn't define __round__ method`)
  if (value instanceof Undefined) value.raise()
  const repeats = isText(value) || Array.isArray(value) || value instanceof Tuple
  const type = typeName(value)
  return fail(
    'TypeError',
    repeats
      ? `must be real number, not ${type}`
      : `unsupported operand type(s) for *: '${type}' and 'int'`,
  )
}

const floor = (value: Numeric): Numeric =>
  typeof value === 'bigint' ? value : wholeOf(Math.floor(value))
const ceil = (value: Numeric): Numeric =>
  typeof value === 'bigint' ? value : wholeOf(Math.ceil(value))

function wholeOf(value: number): bigint {
  if (Number.isFinite(value)) return BigInt(value)
  return Number.isNaN(value)
    ? fail('ValueError', 'cannot convert float NaN to integer')
    : fail('OverflowError', 'cannot convert float infinity to integer')
}

function roundInteger(value: bigint, digits: number): Value {
  if (digits >= 0) return value
  const unit = 10n ** BigInt(Math.min(-digits, 5000))
  const rounded = divideToEven(value < 0n ? -value : value, unit) * unit
  return value < 0n ? -rounded : rounded
}

function roundFloat(value: number, digits: number): Value {
  if (!Number.isFinite(value) || digits > 323) return value
  if (digits < -308) return value < 0 ? -0 : 0
  const magnitude =
    digits >= 0
      ? Number(fixed(value, digits))
      : Number(scaled(value, digits) * 10n ** BigInt(-digits))
  if (!Number.isFinite(magnitude)) fail('OverflowError', 'rounded value too large to represent')
  return value < 0 || Object.is(value, -0) ? -magnitude : magnitude
}

const UNITS = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']

function fileSize(bytes: number, binary: boolean): string {
  const base = binary ? 1024 : 1000
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${formatValue(BigInt(Math.trunc(bytes)), '')} Bytes`
  const power = UNITS.findIndex((_, i) => bytes < base ** (i + 2))
  const at = power < 0 ? UNITS.length - 1 : power
  const unit = base ** (at + 2)
  const name = binary ? `${UNITS[at].toUpperCase()}iB` : `${UNITS[at]}B`
  return `${formatValue((base * bytes) / unit, '.1f')} ${name}`
}
