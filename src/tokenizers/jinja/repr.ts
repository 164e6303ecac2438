import { fail } from './failure.ts'
import { floatRepr } from './float-text.ts'
import { allocateText, spend } from './limits.ts'
import { Markup, TemplateObject, typeName, type Value } from './objects.ts'
import { replaceCharacters } from './replace-characters.ts'

/** `str(value)`. */
export function toText(value: Value): string {
  if (typeof value === 'string') return value
  const shown = value instanceof TemplateObject ? value.shown?.() : undefined
  return shown ?? repr(value)
}

/** `repr(value)`. */
export function repr(value: Value): string {
  spend(1)
  if (value === null) return 'None'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'bigint') return integerText(value)
  if (typeof value === 'number') return floatRepr(value)
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`
  const text = Array.isArray(value) ? `[${value.map(repr).join(', ')}]` : value.repr(repr)
  allocateText(text.length)
  return text
}

/** Python rejects longer numbers, because conversion would take quadratic time. */
export const MAX_DIGITS = 4300

export function integerText(value: bigint): string {
  const isShort = value < SHORT && value > -SHORT
  const text = isShort ? String(value) : value.toString()
  if (!isShort && text.replace('-', '').length > MAX_DIGITS)
    fail(
      'ValueError',
      `Exceeds the limit (${MAX_DIGITS} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit`,
    )
  return text
}

const SHORT = 1n << 64n

/** Formats a string literal with the quotes and escapes of Python. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = replaceCharacters(text, UNPRINTABLE, (character) => {
    if (character === quote || character === '\\') return `\\${character}`
    return character === "'" || character === '"' ? character : escaped(character)
  })
  return quote + body + quote
}

/** Quotes, backslashes, and everything except letters, marks, numbers, punctuation, symbols and the space. */
const UNPRINTABLE = /['"\\]|(?! )[\p{C}\p{Z}]/gu
const SHORT_ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (SHORT_ESCAPES[character]) return SHORT_ESCAPES[character]
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** `ascii(value)`: like repr, with escapes for non-ASCII characters. */
export const asciiRepr = (value: Value): string =>
  replaceCharacters(repr(value), /\P{ASCII}/gu, escaped)

/** Description of a type in messages about undefined values, such as "dict object". */
export function typeDescription(value: Value): string {
  if (value === null) return 'None'
  const module = value instanceof TemplateObject && value.module ? `${value.module}.` : ''
  return `${module}${typeName(value)} object`
}
