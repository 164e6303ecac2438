import { characterCount, characterWith } from './characters.ts'
import { numeric } from './compare.ts'
import { fail } from './failure.ts'
import { exponentSuffix, fixed, floatRepr, scientific } from './float-text.ts'
import { allocateText } from './limits.ts'
import { toFloat } from './numbers.ts'
import { isNumber, isText, rawText, typeName, type Value } from './objects.ts'
import { toText } from './repr.ts'

/** `format(value, spec)`, as in `'{:>8.2f}'`. */
export function formatValue(value: Value, spec: string): string {
  if (spec === '') return toText(value)
  if (!isText(value) && !isNumber(value))
    return fail('TypeError', `unsupported format string passed to ${typeName(value)}.__format__`)
  const parsed = parseSpec(spec)
  const isBool = typeof value === 'boolean' && parsed.type === ''
  if (isText(value)) return formatText(rawText(value), parsed)
  return isBool ? formatNumber(BigInt(value), parsed) : formatNumber(numeric(value), parsed)
}

interface Spec {
  fill: string
  align: string
  sign: string
  /** Whether negative zero loses its sign. */
  coerces: boolean
  alternate: boolean
  width: number
  grouping: string
  precision: number | undefined
  type: string
}

const SPEC =
  /^(?:(?<filled>[\s\S])(?<align1>[<>=^])|(?<align2>[<>=^]))?(?<sign>[-+ ])?(?<z>z)?(?<alternate>#)?(?<zero>0)?(?<width>\d+)?(?<grouping>[,_])?(?:\.(?<precision>\d+))?(?<type>[bcdeEfFgGnosxX%])?$/u

function parseSpec(spec: string): Spec {
  const groups = SPEC.exec(spec)?.groups
  if (!groups) return fail('ValueError', 'Invalid format specifier')
  const {
    filled,
    align1,
    align2,
    sign = '-',
    z,
    alternate,
    zero,
    width,
    grouping = '',
    precision,
    type = '',
  } = groups
  const size = Number(width ?? 0)
  allocateText(size + Number(precision ?? 0))
  return {
    fill: filled ?? (zero ? '0' : ' '),
    align: align1 ?? align2 ?? (zero ? '=' : ''),
    sign,
    coerces: z !== undefined,
    alternate: alternate !== undefined,
    width: size,
    grouping,
    precision: precision === undefined ? undefined : Number(precision),
    type,
  }
}

function formatText(text: string, spec: Spec): string {
  if (spec.type !== '' && spec.type !== 's') unknownCode(spec.type, 'str')
  if (spec.sign !== '-') fail('ValueError', 'Sign not allowed in string format specifier')
  if (spec.coerces)
    fail('ValueError', 'Negative zero coercion (z) not allowed in string format specifier')
  if (spec.alternate)
    fail('ValueError', 'Alternate form (#) not allowed in string format specifier')
  if (spec.align === '=') fail('ValueError', "'=' alignment not allowed in string format specifier")
  if (spec.grouping) fail('ValueError', `Cannot specify '${spec.grouping}' with 's'.`)
  const cut =
    spec.precision === undefined ? text : Array.from(text).slice(0, spec.precision).join('')
  return aligned('', cut, spec, '<')
}

function formatNumber(value: bigint | number, spec: Spec): string {
  if (typeof value === 'bigint' && 'eEfFgG%'.includes(spec.type || 'd'))
    return formatNumber(toFloat(value), spec)
  const negative = value < 0 || Object.is(value, -0)
  const body =
    typeof value === 'bigint'
      ? integerBody(negative ? -value : value, negative, spec)
      : floatBody(Math.abs(value), spec)
  const isZero = spec.coerces && !/[1-9a-z]/i.test(body.digits)
  const sign = negative && !isZero ? '-' : spec.sign === '-' ? '' : spec.sign
  return aligned(sign + body.prefix, body.digits, spec, '>')
}

interface Body {
  prefix: string
  digits: string
}

const BASES: Record<string, [base: number, prefix: string]> = {
  b: [2, '0b'],
  o: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
}

function integerBody(magnitude: bigint, negative: boolean, spec: Spec): Body {
  const { type } = spec
  if (spec.coerces)
    fail('ValueError', 'Negative zero coercion (z) not allowed in integer format specifier')
  if (spec.precision !== undefined)
    fail('ValueError', 'Precision not allowed in integer format specifier')
  if (type === 'c') {
    const character = negative ? undefined : characterWith(magnitude)
    return {
      prefix: '',
      digits: character ?? fail('OverflowError', '%c arg not in range(0x110000)'),
    }
  }
  if (type === 's') unknownCode(type, 'int')
  const [base, prefix] = BASES[type] ?? [10, '']
  if (base !== 10 && spec.grouping === ',') fail('ValueError', `Cannot specify ',' with '${type}'.`)
  const digits = type === 'X' ? magnitude.toString(16).toUpperCase() : magnitude.toString(base)
  const grouped = groupDigits(digits, spec, base === 10 ? 3 : 4)
  return { prefix: spec.alternate ? prefix : '', digits: grouped }
}

function floatBody(value: number, spec: Spec): Body {
  const { type, precision } = spec
  if ('bcdosxX'.includes(type || '-')) unknownCode(type, 'float')
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'nan' : 'inf'
    return {
      prefix: '',
      digits: type === 'F' || type === 'E' || type === 'G' ? text.toUpperCase() : text,
    }
  }
  const text =
    type === '' && precision === undefined
      ? floatRepr(value)
      : type === ''
        ? general(value, precision ?? 6, { alternate: spec.alternate, keepsPoint: true })
        : floatText(value, type, precision ?? 6, spec.alternate)
  const [, whole, rest] = /^(\d*)([\s\S]*)$/.exec(text) ?? ['', '', '']
  return { prefix: '', digits: groupDigits(whole, spec, 3) + rest }
}

/** Formats a float >= 0 with type `f`, `e`, `g` or `%`. */
export function floatText(
  value: number,
  type: string,
  precision: number,
  alternate = false,
): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : 'inf'
  if (type === '%') return `${fixed(value * 100, precision)}%`
  const kind = type.toLowerCase()
  let text: string
  if (kind === 'f') text = fixed(value, precision) + (alternate && precision === 0 ? '.' : '')
  else if (kind === 'e') text = exponential(value, precision, alternate)
  else text = general(value, precision, { alternate })
  return type === kind ? text : text.toUpperCase()
}

function exponential(value: number, precision: number, alternate: boolean): string {
  const [digits, exponent] = scientific(value, precision)
  const point = precision > 0 || alternate ? '.' : ''
  return `${digits[0]}${point}${digits.slice(1)}e${exponentSuffix(exponent)}`
}

function general(
  value: number,
  precision: number,
  { alternate, keepsPoint = false }: { alternate: boolean; keepsPoint?: boolean },
): string {
  const count = Math.max(precision, 1)
  const [digits, exponent] = scientific(value, count - 1)
  // A float without a type keeps one digit after the point, which counts as a digit.
  const isWide = exponent >= count - (keepsPoint ? 1 : 0)
  if (exponent < -4 || isWide) {
    const trimmed = alternate ? digits : digits.replace(/(?<=.)0+$/, '')
    const point = trimmed.length > 1 || alternate ? '.' : ''
    return `${trimmed[0]}${point}${trimmed.slice(1)}e${exponentSuffix(exponent)}`
  }
  const text = fixed(value, count - 1 - exponent)
  if (alternate) return text.includes('.') ? text : `${text}.`
  const trimmed = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return keepsPoint && !trimmed.includes('.') ? `${trimmed}.0` : trimmed
}

/** Inserts thousands separators, also into the zeros that fill the width. */
function groupDigits(digits: string, spec: Spec, size: number): string {
  const { grouping } = spec
  if (!grouping) return digits
  const grouped = (text: string) =>
    text.replace(new RegExp(`\\B(?=(?:.{${size}})+$)`, 'g'), grouping)
  let text = digits
  if (spec.fill === '0' && spec.align === '=')
    while (grouped(text).length < spec.width) text = `0${text}`
  return grouped(text)
}

function aligned(sign: string, body: string, spec: Spec, byDefault: string): string {
  const count = Math.max(0, spec.width - characterCount(sign + body))
  const fill = spec.fill.repeat(count)
  const align = spec.align || byDefault
  if (align === '<') return sign + body + fill
  if (align === '=') return sign + fill + body
  if (align === '>') return fill + sign + body
  const left = Math.floor(count / 2)
  return spec.fill.repeat(left) + sign + body + spec.fill.repeat(count - left)
}

function unknownCode(type: string, name: string): never {
  return fail('ValueError', `Unknown format code '${type}' for object of type '${name}'`)
}
