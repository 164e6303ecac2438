import { fail } from './failure.ts'
import { type HashKey, TemplateObject, textKey, typeName, type Value } from './objects.ts'

/** The hash key of a value for dictionaries. Raises TypeError for mutable values. */
export function hashKey(key: Value): HashKey {
  if (typeof key === 'string') return textKey(key)
  if (typeof key === 'boolean') return key ? 1n : 0n
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : key
  if (key === null || typeof key === 'bigint') return key
  const hash = Array.isArray(key) ? undefined : key.hash(encoded)
  return hash === undefined ? fail('TypeError', `unhashable type: '${typeName(key)}'`) : hash
}

const identities = new WeakMap<TemplateObject, number>()
let objectCount = 0

/** Encodes an element of a tuple, preceded by its kind and length. */
function encoded(value: Value): string {
  const hash = hashKey(value)
  const text = hash instanceof TemplateObject ? String(identityOf(hash)) : String(hash)
  const kind = hash === null ? 'none' : typeof hash
  return `${kind}${text.length}:${text}`
}

function identityOf(value: TemplateObject): number {
  const identity = identities.get(value) ?? objectCount++
  identities.set(value, identity)
  return identity
}
