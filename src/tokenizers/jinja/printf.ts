import { charactersOf, characterWith } from './characters.ts'
import { numeric } from './compare.ts'
import { Dict } from './dict.ts'
import { fail } from './failure.ts'
import { floatText } from './format-spec.ts'
import { allocateText } from './limits.ts'
import { toFloat } from './numbers.ts'
import {
  isInteger,
  isNumber,
  isText,
  Markup,
  rawText,
  Tuple,
  typeName,
  type Value,
} from './objects.ts'
import { asciiRepr, repr, toText } from './repr.ts'
import { Range } from './sequences.ts'
import { Undefined } from './undefined.ts'

const DIRECTIVE = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?([\s\S]|$)/gu

interface Directive {
  flags: string
  width: number
  precision: number | undefined
  type: string
}

/** `format % values`. `convert` is applied to text from values. */
export function printf(format: string, values: Value, convert = (text: string) => text): string {
  const list = values instanceof Tuple ? values.items : [values]
  let used = 0
  const next = (): Value =>
    used < list.length ? list[used++] : fail('TypeError', 'not enough arguments for format string')
  const star = (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    if (text !== '*') return Number(text)
    const value = next()
    return isInteger(value) ? Number(value) : fail('TypeError', '* wants int')
  }
  const result = format.replace(
    DIRECTIVE,
    (
      match,
      key: string | undefined,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      type: string,
      at: number,
    ) => {
      if (type === '%') return '%'
      if (type === '') return fail('ValueError', 'incomplete format')
      if (key !== undefined && !(values instanceof Dict))
        fail('TypeError', 'format requires a mapping')
      const size = star(width) ?? 0
      const digits = precision === '' ? 0 : star(precision)
      allocateText(Math.abs(size) + (digits ?? 0))
      if (!'diouxXeEfFgGcrsa'.includes(type))
        fail('ValueError', unsupportedType(type, at + charactersOf(match).length - 1))
      const value = key !== undefined && values instanceof Dict ? entryOf(values, key) : next()
      const directive = {
        flags: size < 0 ? `${flags}-` : flags,
        width: Math.abs(size),
        precision: digits,
        type,
      }
      return formatOne(value, directive, convert)
    },
  )
  if (used < list.length && !hasItems(values))
    fail('TypeError', 'not all arguments converted during string formatting')
  allocateText(result.length)
  return result
}

function entryOf(values: Dict, key: string): Value {
  const value = values.get(key)
  return value === undefined ? fail('KeyError', repr(key)) : value
}

/** Values with items, other than tuples and strings, need not be used. */
const hasItems = (value: Value): boolean =>
  Array.isArray(value) ||
  value instanceof Dict ||
  value instanceof Range ||
  value instanceof Undefined

const unsupportedType = (type: string, at: number): string =>
  `unsupported format character '${type}' (0x${(type.codePointAt(0) ?? 0).toString(16)}) at index ${at}`

function formatOne(value: Value, directive: Directive, convert: (text: string) => string): string {
  const { type, precision } = directive
  if (type === 's' || type === 'r' || type === 'a') {
    const shown = type === 's' ? toText(value) : type === 'r' ? repr(value) : asciiRepr(value)
    const text = type === 's' && value instanceof Markup ? shown : convert(shown)
    return padded('', cut(text, precision), {
      ...directive,
      flags: directive.flags.replaceAll('0', ''),
    })
  }
  if (type === 'c')
    return padded('', characterFor(value), {
      ...directive,
      flags: directive.flags.replaceAll('0', ''),
    })
  return 'diouxX'.includes(type) ? formatInteger(value, directive) : formatFloat(value, directive)
}

const cut = (text: string, precision: number | undefined): string =>
  precision === undefined ? text : charactersOf(text).slice(0, precision).join('')

function characterFor(value: Value): string {
  if (isText(value) && charactersOf(rawText(value)).length === 1) return rawText(value)
  if (!isInteger(value)) return fail('TypeError', '%c requires int or char')
  return characterWith(value) ?? fail('OverflowError', '%c arg not in range(0x110000)')
}

function formatInteger(value: Value, directive: Directive): string {
  const { type, flags, precision = 0 } = directive
  const isFloat = typeof value === 'number' && 'diu'.includes(type)
  if (!isInteger(value) && !isFloat)
    return fail(
      'TypeError',
      'diu'.includes(type)
        ? `%${type} format: a real number is required, not ${typeName(value)}`
        : `%${type} format: an integer is required, not ${typeName(value)}`,
    )
  if (isFloat && !Number.isFinite(value))
    return Number.isNaN(value)
      ? fail('ValueError', 'cannot convert float NaN to integer')
      : fail('OverflowError', 'cannot convert float infinity to integer')
  const number = typeof value === 'number' ? BigInt(Math.trunc(value)) : BigInt(value)
  const magnitude = number < 0n ? -number : number
  const base = type === 'o' ? 8 : type === 'x' || type === 'X' ? 16 : 10
  const digits = magnitude.toString(base).padStart(precision, '0')
  const prefix = !flags.includes('#') ? '' : base === 8 ? '0o' : base === 16 ? '0x' : ''
  const text = type === 'X' ? digits.toUpperCase() : digits
  return padded(
    signOf(number < 0n, flags) + (type === 'X' ? prefix.toUpperCase() : prefix),
    text,
    directive,
  )
}

function formatFloat(value: Value, directive: Directive): string {
  if (!isNumber(value)) return fail('TypeError', `must be real number, not ${typeName(value)}`)
  const { type, flags, precision = 6 } = directive
  const number = toFloat(numeric(value))
  const text = floatText(Math.abs(number), type, precision, flags.includes('#'))
  const negative = number < 0 || Object.is(number, -0)
  return padded(signOf(negative, flags), text, directive)
}

const signOf = (negative: boolean, flags: string): string =>
  negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''

function padded(sign: string, body: string, { flags, width }: Directive): string {
  const count = Math.max(0, width - charactersOf(sign + body).length)
  if (flags.includes('-')) return sign + body + ' '.repeat(count)
  if (flags.includes('0')) return sign + '0'.repeat(count) + body
  return ' '.repeat(count) + sign + body
}
