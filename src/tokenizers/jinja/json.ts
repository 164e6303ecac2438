import { textOf } from './arguments.ts'
import { sorted } from './compare.ts'
import { Dict } from './dict.ts'
import { fail } from './failure.ts'
import { floatRepr } from './float-text.ts'
import { allocateText, spend } from './limits.ts'
import { isInteger, isNumber, isText, rawText, Tuple, typeName, type Value } from './objects.ts'
import { replaceCharacters } from './replace-characters.ts'
import { integerText } from './repr.ts'
import { unpacked } from './scope.ts'
import { truth } from './sequences.ts'
import { withSignature } from './signature.ts'

interface JsonOptions {
  ascii: boolean
  /** One level of indentation; undefined to write everything on one line. */
  indent: string | undefined
  itemSeparator: string
  keySeparator: string
  sortKeys: boolean
}

/** The filter `tojson` of transformers: `json.dumps` without escapes for HTML. */
export const toJson = withSignature(
  '_cached_compile_jinja_template.<locals>.tojson',
  ['x', ['ensure_ascii', false], ['indent', null], ['separators', null], ['sort_keys', false]],
  ([value, ascii, indent, separators, sortKeys]) => {
    const [itemSeparator, keySeparator] = separatorsOf(separators, indent)
    const options: JsonOptions = {
      ascii: truth(ascii),
      indent: isText(value) ? undefined : indentOf(indent),
      itemSeparator,
      keySeparator,
      sortKeys: truth(sortKeys),
    }
    return write(value, options, '\n')
  },
)

function indentOf(indent: Value): string | undefined {
  if (indent === null) return undefined
  if (isText(indent)) return rawText(indent)
  if (!isInteger(indent))
    return fail('TypeError', `can't multiply sequence by non-int of type '${typeName(indent)}'`)
  const width = Math.max(0, Number(indent))
  allocateText(width)
  return ' '.repeat(width)
}

function separatorsOf(separators: Value, indent: Value): [string, string] {
  if (separators === null) return [indent === null ? ', ' : ',', ': ']
  const [item, key] = unpacked(separators, 2)
  return [textOf(item), textOf(key)]
}

/** @param line a line break with the indentation of this value */
function write(value: Value, options: JsonOptions, line: string): string {
  spend(1)
  if (value === null) return 'null'
  if (isText(value)) return jsonString(rawText(value), options.ascii)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'bigint') return integerText(value)
  if (typeof value === 'number') return jsonFloat(value)
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? value : value.items
    return wrapped('[]', items.length, options, line, (inner) =>
      items.map((item) => write(item, options, inner)),
    )
  }
  if (!(value instanceof Dict))
    return fail('TypeError', `Object of type ${typeName(value)} is not JSON serializable`)
  const entries = Array.from(value.entries())
  const ordered = options.sortKeys ? sorted(entries, ([key]) => key) : entries
  return wrapped('{}', ordered.length, options, line, (inner) =>
    ordered.map(
      ([key, item]) =>
        jsonString(jsonKey(key), options.ascii) +
        options.keySeparator +
        write(item, options, inner),
    ),
  )
}

function wrapped(
  brackets: string,
  count: number,
  { indent, itemSeparator }: JsonOptions,
  line: string,
  items: (inner: string) => string[],
): string {
  if (count === 0) return brackets
  const inner = indent === undefined ? '' : line + indent
  const outer = indent === undefined ? '' : line
  const text =
    brackets[0] + inner + items(inner || line).join(itemSeparator + inner) + outer + brackets[1]
  allocateText(text.length)
  return text
}

function jsonKey(key: Value): string {
  if (isText(key)) return rawText(key)
  if (key === null) return 'null'
  if (typeof key === 'boolean') return String(key)
  if (typeof key === 'number') return jsonFloat(key)
  if (isNumber(key)) return integerText(BigInt(key))
  return fail('TypeError', `keys must be str, int, float, bool or None, not ${typeName(key)}`)
}

function jsonFloat(value: number): string {
  if (Number.isFinite(value)) return floatRepr(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
}

const ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
const SPECIAL = /["\\\x00-\x1f]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: everything except printable ASCII
const SPECIAL_OR_NOT_ASCII = /["\\\x00-\x1f\x7f-\uffff]/g

function jsonString(text: string, ascii: boolean): string {
  const escaped = (unit: string) =>
    ESCAPES[unit] ??
    (unit === '\x7f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `"${replaceCharacters(text, ascii ? SPECIAL_OR_NOT_ASCII : SPECIAL, escaped)}"`
}
