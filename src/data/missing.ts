// Missing values: the same in all readers, at every depth.

/** Whether a value stands for a missing one: null, undefined, NaN, or a text without visible characters. */
export const isMissing = (value: unknown): boolean =>
  value == null || Number.isNaN(value) || (typeof value === 'string' && value.trim() === '')

/** Whether a value is missing, or has a missing one in it. */
export function hasMissing(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value))
    return isMissing(value)
  return Object.values(value).some(hasMissing)
}

/** The values with null in place of NaN and undefined; a copy is made only where there are any. */
export function withNulls<T>(value: T): T {
  if (value === undefined || Number.isNaN(value)) return null as T
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return someChanged(value) ? (value.map(withNulls) as T) : value
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  if (!someChanged(Object.values(value))) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNulls(item)])) as T
}

const someChanged = (values: readonly unknown[]): boolean =>
  values.some((value) => withNulls(value) !== value)
