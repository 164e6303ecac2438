import { Dict } from './dict.ts'
import { fail } from './failure.ts'
import { formatValue } from './format-spec.ts'
import { allocateText } from './limits.ts'
import { type Keywords, typeName, type Value } from './objects.ts'
import { asciiRepr, quoted, repr, toText } from './repr.ts'

/** Lookup of attributes and items for fields, under the rules of the sandbox. */
export interface Lookup {
  attribute(value: Value, name: string): Value
  item(value: Value, key: Value): Value
  /** The text of a field, escaped if the format is safe HTML. */
  shown(value: Value, text: string): string
}

/** `text.format(*args, **keywords)`: fields such as `{}`, `{0.name[key]!r:>{width}}`. */
export function formatText(
  text: string,
  args: readonly Value[],
  keywords: Keywords | Dict,
  lookup: Lookup,
): string {
  return new Formatter(args, keywords, lookup).format(text, 2)
}

/** `text.format_map(mapping)`. */
export function formatMap(
  text: string,
  args: readonly Value[],
  keywords: Keywords,
  lookup: Lookup,
): string {
  if (keywords.size > 0) fail('TypeError', 'format_map() takes no keyword arguments')
  if (args.length !== 1)
    fail('TypeError', `format_map() takes exactly one argument (${args.length} given)`)
  const [mapping] = args
  if (mapping instanceof Dict) return formatText(text, [], mapping, lookup)
  return fail('TypeError', `'${typeName(mapping)}' object is not a mapping`)
}

class Formatter {
  private readonly args: readonly Value[]
  private readonly keywords: Keywords | Dict
  private readonly lookup: Lookup
  /** Index for the next field without a name; -1 after numbered fields. */
  private automatic: number | undefined

  constructor(args: readonly Value[], keywords: Keywords | Dict, lookup: Lookup) {
    this.args = args
    this.keywords = keywords
    this.lookup = lookup
  }

  format(text: string, depth: number): string {
    if (depth < 0) fail('ValueError', 'Max string recursion exceeded')
    let result = ''
    let at = 0
    while (at < text.length) {
      const character = text[at]
      if (character !== '{' && character !== '}') {
        const next = text.slice(at).search(/[{}]/)
        const end = next < 0 ? text.length : at + next
        result += text.slice(at, end)
        at = end
      } else if (text[at + 1] === character) {
        result += character
        at += 2
      } else if (character === '}') fail('ValueError', "Single '}' encountered in format string")
      else {
        const end = fieldEnd(text, at + 1)
        result += this.field(text.slice(at + 1, end), depth)
        at = end + 1
      }
      allocateText(16)
    }
    return result
  }

  private field(field: string, depth: number): string {
    const [, name, conversion, spec = ''] = FIELD.exec(field) ?? ['', field, undefined, '']
    const value = this.valueOf(name)
    if (conversion !== undefined && !'rsa'.includes(conversion))
      fail('ValueError', `Unknown conversion specifier ${conversion}`)
    const converted =
      conversion === 'r'
        ? repr(value)
        : conversion === 'a'
          ? asciiRepr(value)
          : conversion === 's'
            ? toText(value)
            : value
    const text = formatValue(converted, this.format(spec, depth - 1))
    allocateText(text.length)
    return this.lookup.shown(value, text)
  }

  private valueOf(name: string): Value {
    const [first, ...rest] = name.match(/^[^.[]*|\.[^.[]*|\[[^\]]*\]/g) ?? ['']
    let value = this.first(first)
    for (const step of rest) {
      const key = step.startsWith('[') ? step.slice(1, -1) : step.slice(1)
      if (key === '') fail('ValueError', 'Empty attribute in format string')
      value = step.startsWith('.')
        ? this.lookup.attribute(value, key)
        : this.lookup.item(value, /^\d+$/.test(key) ? BigInt(key) : key)
    }
    return value
  }

  private first(name: string): Value {
    if (name === '' || /^\d+$/.test(name)) {
      const index = name === '' ? (this.automatic ?? 0) : Number(name)
      if (name === '' ? this.automatic === -1 : (this.automatic ?? -1) >= 0)
        fail(
          'ValueError',
          'cannot switch from manual field specification to automatic field numbering',
        )
      this.automatic = name === '' ? index + 1 : -1
      if (index < this.args.length) return this.args[index]
      return fail('IndexError', 'tuple index out of range')
    }
    const value = this.keywords.get(name)
    return value === undefined ? fail('KeyError', quoted(name)) : value
  }
}

const FIELD = /^((?:[^!:[]|\[[^\]]*\])*)(?:!([^:]*))?(?::([\s\S]*))?$/

/** The position of the brace that closes a field. Its format may contain nested fields. */
function fieldEnd(text: string, start: number): number {
  let depth = 1
  for (let at = start; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at
  }
  return start >= text.length
    ? fail('ValueError', "Single '{' encountered in format string")
    : fail('ValueError', "expected '}' before end of string")
}
