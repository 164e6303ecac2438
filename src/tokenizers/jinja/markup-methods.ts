import { escaped } from './html.ts'
import { type Call, isText, Markup, Tuple, type Value } from './objects.ts'

const PLAIN = new Set(['format_map', 'encode', 'maketrans'])

/** Wraps a string method for safe HTML: arguments are escaped, and results are safe. */
export function markupMethod(
  name: string,
  method: Call | Value | undefined,
): Call | Value | undefined {
  if (name === 'unescape' || name === 'striptags') return undefined
  if (typeof method !== 'function' || PLAIN.has(name)) return method
  if (name === 'join') return (args, keywords) => safe(method(args.map(escapedItems), keywords))
  return (args, keywords) =>
    safe(
      method(
        args.map(escapedText),
        new Map(Array.from(keywords, ([key, value]) => [key, escapedText(value)])),
      ),
    )
}

const escapedText = (value: Value): Value => (isText(value) ? escaped(value) : value)

const escapedItems = (value: Value): Value =>
  Array.isArray(value) ? value.map((item) => escaped(item)) : value

function safe(value: Value): Value {
  if (typeof value === 'string') return new Markup(value)
  if (Array.isArray(value)) return value.map((item) => safe(item))
  return value instanceof Tuple ? new Tuple(value.items.map((item) => safe(item))) : value
}
