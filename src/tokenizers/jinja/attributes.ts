import { characterAt } from './characters.ts'
import { Dict } from './dict.ts'
import { TemplateFailure } from './failure.ts'
import { formatMap, formatText } from './format-method.ts'
import { escapeHtml } from './html.ts'
import { methodOf } from './methods.ts'
import {
  Builtin,
  isInteger,
  isText,
  type Keywords,
  Markup,
  rawText,
  TemplateObject,
  Tuple,
  typeName,
  type Value,
} from './objects.ts'
import { quoted } from './repr.ts'
import { elementAt } from './sequences.ts'
import { Undefined } from './undefined.ts'

/** `value.name`: an attribute or method, otherwise an item, otherwise undefined. */
export function getAttribute(value: Value, name: string): Value {
  if (value instanceof Undefined) value.raise()
  const attribute = attributeOf(value, name)
  if (attribute !== undefined) return attribute
  const item = itemOf(value, name)
  return item === undefined ? new Undefined({ owner: value, name }) : item
}

/** `value[key]`: an item, otherwise an attribute or method, otherwise undefined. */
export function getItem(value: Value, key: Value): Value {
  if (value instanceof Undefined) value.raise()
  const item = itemOf(value, key)
  if (item !== undefined) return item
  const attribute = isText(key) ? attributeOf(value, rawText(key)) : undefined
  return attribute === undefined ? new Undefined({ owner: value, name: key }) : attribute
}

/** An attribute under the rules of the sandbox: mutating and internal attributes are unsafe. */
export function attributeOf(value: Value, name: string): Value | undefined {
  if (isUnsafe(value, name))
    return new Undefined({
      hint: `access to attribute ${quoted(name)} of ${quoted(typeName(value))} object is unsafe.`,
      raises: 'SecurityError',
    })
  const own = value instanceof TemplateObject ? value.attribute(name) : undefined
  if (own !== undefined) return own
  if (isText(value) && (name === 'format' || name === 'format_map'))
    return formatMethod(value, name === 'format' ? formatText : formatMap)
  const method = methodOf(value, name)
  if (method === undefined || typeof method !== 'function') return method
  return new Builtin(name, method, value)
}

/** The sandbox replaces `format`, so that fields read attributes under its rules. */
function formatMethod(self: string | Markup, format: typeof formatMap): Value {
  const lookup = { attribute: getAttribute, item: getItem }
  const isSafe = self instanceof Markup
  const shown = (value: Value, text: string) =>
    isSafe && !(value instanceof Markup) ? escapeHtml(text) : text
  const call = (args: readonly Value[], keywords: Keywords): Value => {
    const text = format(rawText(self), args, keywords, { ...lookup, shown })
    return isSafe ? new Markup(text) : text
  }
  return new Builtin('format', call, self)
}

const CHANGES = {
  list: new Set(['append', 'clear', 'pop', 'reverse', 'insert', 'sort', 'extend', 'remove']),
  dict: new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']),
}

function isUnsafe(value: Value, name: string): boolean {
  if (name.startsWith('__') && name.endsWith('__') && name.length > 4) return true
  if (Array.isArray(value)) return CHANGES.list.has(name)
  return value instanceof Dict && CHANGES.dict.has(name)
}

/** Undefined if Python raises TypeError, KeyError or IndexError. */
function itemOf(value: Value, key: Value): Value | undefined {
  if (Array.isArray(value)) return isInteger(key) ? elementAt(value, key) : undefined
  if (value instanceof Tuple) return isInteger(key) ? elementAt(value.items, key) : undefined
  if (isText(value)) {
    if (!isInteger(key)) return undefined
    const character = characterAt(rawText(value), Number(key))
    return value instanceof Markup && character !== undefined ? new Markup(character) : character
  }
  if (!(value instanceof TemplateObject)) return undefined
  try {
    return value.item(key)
  } catch (error) {
    if (error instanceof TemplateFailure && error.type === 'TypeError') return undefined
    throw error
  }
}
