import { getItem } from './attributes.ts'
import { lower } from './case.ts'
import { isText, rawText, type Value } from './objects.ts'
import { Undefined } from './undefined.ts'

/** Makes a function that reads the attribute for a filter: a path such as "address.city", or an item by index. */
export function attributeGetter(
  attribute: Value,
  { ignoreCase = false, byDefault = null }: { ignoreCase?: boolean; byDefault?: Value } = {},
): (item: Value) => Value {
  const path = pathOf(attribute)
  return (item) => {
    let value = item
    for (const key of path) {
      value = getItem(value, key)
      if (byDefault !== null && value instanceof Undefined) value = byDefault
    }
    return ignoreCase ? caseless(value) : value
  }
}

/** Reads several comma-separated attributes as a list. */
export function attributesGetter(attribute: Value, ignoreCase: boolean): (item: Value) => Value[] {
  const attributes = isText(attribute) ? rawText(attribute).split(',') : [attribute]
  const getters = attributes.map((name) => attributeGetter(name, { ignoreCase }))
  return (item) => getters.map((getter) => getter(item))
}

export const caseless = (value: Value): Value => (isText(value) ? lower(rawText(value)) : value)

function pathOf(attribute: Value): Value[] {
  if (attribute === null) return []
  if (!isText(attribute)) return [attribute]
  return rawText(attribute)
    .split('.')
    .map((key) => (/^\p{Nd}+$/u.test(key) ? BigInt(key) : key))
}
