// All readers use this definition of missing values, at every depth.

/** Whether a value is missing: null, undefined, NaN, or a blank string. */
export const isMissing = (value: unknown): boolean =>
  value == null || Number.isNaN(value) || (typeof value === 'string' && value.trim() === '')

/** Whether a value is missing or contains a missing value. */
export function hasMissing(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value))
    return isMissing(value)
  return depth < DEEPEST && Object.values(value).some((item) => hasMissing(item, depth + 1))
}

/** Replaces NaN and undefined by null at every depth. Returns the same object if there are none. */
export function withNulls(
  values: Readonly<Record<string, unknown>>,
  depth = 0,
): Readonly<Record<string, unknown>> {
  let changed: Record<string, unknown> | undefined
  for (const key in values) {
    const value = values[key]
    if (typeof value === 'string') continue
    const item = clean(value, depth)
    if (item === value) continue
    changed ??= { ...values }
    changed[key] = item
  }
  return changed ?? values
}

function clean(value: unknown, depth: number): unknown {
  if (value === undefined || Number.isNaN(value)) return null
  if (depth >= DEEPEST) return value
  if (Array.isArray(value)) return cleanList(value, depth + 1)
  return isPlain(value) ? withNulls(value, depth + 1) : value
}

function cleanList(list: readonly unknown[], depth: number): readonly unknown[] {
  let changed: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const item = clean(list[i], depth)
    if (item === list[i]) continue
    changed ??= [...list]
    changed[i] = item
  }
  return changed ?? list
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Limit of nesting, because the stack is finite. No real data is deeper. */
const DEEPEST = 1000
