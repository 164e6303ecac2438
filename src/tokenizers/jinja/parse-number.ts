import { SPACE } from './characters.ts'
import { fail } from './failure.ts'
import { MAX_DIGITS, quoted } from './repr.ts'

const AROUND = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'g')

/** Trims a text and converts the digits of all scripts to ASCII. */
function plain(text: string): string {
  return text.replace(AROUND, '').replace(/(?![0-9])\p{Nd}/gu, digitOf)
}

/** The value of a decimal digit. Unicode has them in blocks of ten that begin with zero. */
function digitOf(digit: string): string {
  const code = digit.codePointAt(0) ?? 0
  let value = 0
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++
  return String(value)
}

/** `int(text, base)`. */
export function parseInteger(text: string, base: number): bigint {
  if (base !== 0 && (base < 2 || base > 36))
    fail('ValueError', 'int() base must be >= 2 and <= 36, or 0')
  const match = /^([-+]?)(0[box]_?)?([0-9a-z]+(?:_[0-9a-z]+)*)$/i.exec(plain(text))
  const value = match
    ? magnitude(match[2]?.toLowerCase() ?? '', match[3].toLowerCase(), base)
    : undefined
  if (match && value !== undefined) return match[1] === '-' ? -value : value
  return fail('ValueError', `invalid literal for int() with base ${base}: ${quoted(text)}`)
}

const PREFIXES: Record<string, number> = { '0b': 2, '0o': 8, '0x': 16 }

function magnitude(prefix: string, digits: string, base: number): bigint | undefined {
  const ofPrefix = PREFIXES[prefix.slice(0, 2)]
  // In base 16, 0b1 has no prefix: b is a digit.
  if (prefix !== '' && base !== 0 && ofPrefix !== base) return parseDigits(prefix + digits, base)
  if (prefix === '' && base === 0 && /^0[0_]*[1-9]/.test(digits)) return undefined
  return parseDigits(digits, base === 0 ? (ofPrefix ?? 10) : base)
}

function parseDigits(text: string, base: number): bigint | undefined {
  const digits = text.replaceAll('_', '')
  if (digits.length > MAX_DIGITS && (base & (base - 1)) !== 0)
    fail(
      'ValueError',
      `Exceeds the limit (${MAX_DIGITS} digits) for integer string conversion: value has ${digits.length} digits; use sys.set_int_max_str_digits() to increase the limit`,
    )
  let value = 0n
  if (base === 10 && /^\d+$/.test(digits)) return BigInt(digits)
  for (const character of digits) {
    const digit = Number.parseInt(character, 36)
    if (digit >= base) return undefined
    value = value * BigInt(base) + BigInt(digit)
  }
  return value
}

const FLOAT = /^[-+]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+(?:_\d+)*)?$/i
const SPECIAL = /^([-+]?)(inf(?:inity)?|nan)$/i

/** `float(text)`. */
export function parseFloatText(text: string): number {
  const digits = plain(text)
  if (FLOAT.test(digits)) return Number(digits.replaceAll('_', ''))
  const [, sign, name] = SPECIAL.exec(digits) ?? []
  if (name === undefined)
    return fail('ValueError', `could not convert string to float: ${quoted(text)}`)
  if (name.toLowerCase() === 'nan') return Number.NaN
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}
