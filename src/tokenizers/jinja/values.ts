import { isJsonObject } from '../../io/files/json-parse.ts'
import { Dict } from './dict.ts'
import type { Value } from './objects.ts'

/**
 * Converts a JavaScript value to a Python value: integers become ints. Values other than JSON become a string with
 * their type, like in transformers.
 */
export function toValue(value: unknown): Value {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint')
    return value
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toValue)
  if (value instanceof Map) return dictOf(value)
  if (isPlain(value)) return dictOf(Object.entries(value))
  return `<${typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value}>`
}

/** Plain objects and instances of user classes, but not dates, buffers and other built-in objects. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  isJsonObject(value) && Object.prototype.toString.call(value) === '[object Object]'

/** As in JSON, keys with an undefined value are omitted. */
function dictOf(entries: Iterable<readonly [unknown, unknown]>): Dict {
  const dict = new Dict()
  for (const [key, value] of entries)
    if (value !== undefined) dict.set(toValue(key), toValue(value))
  return dict
}
