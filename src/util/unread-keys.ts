// Unread keys of a settings file: some have no effect; others cause a warning.
import { listNames, warn } from './warn.ts'

/** Unread keys, with the values that have no effect. Other values cause a warning. */
export type UnreadKeys = Readonly<Record<string, 'any' | readonly unknown[]>>

/** Keys that have no effect with any value. */
export const unreadKeys = (...keys: readonly string[]): UnreadKeys =>
  Object.fromEntries(keys.map((key) => [key, 'any']))

/**
 * Prints one warning that names the keys of `settings` that Heed does not support.
 * @param isRead whether a key is read
 * @param source the file or family: "GPT-2"
 */
export function warnOfUnreadKeys(
  settings: object,
  isRead: (key: string) => boolean,
  unread: UnreadKeys,
  source: string,
): void {
  const ignored = Object.entries(settings)
    .filter(([key, value]) => !isRead(key) && !changesNothing(key, value, unread))
    .map(([key, value]) => (Object.hasOwn(unread, key) ? `${key} ${JSON.stringify(value)}` : key))
  if (ignored.length > 0)
    warn(`${source}: unsupported settings were ignored: ${listNames(ignored)}.`)
}

// Many versions of transformers write null for keys without a value.
function changesNothing(key: string, value: unknown, unread: UnreadKeys): boolean {
  if (value === null || value === undefined) return true
  const values = Object.hasOwn(unread, key) ? unread[key] : []
  const text = JSON.stringify(value)
  return values === 'any' || values.some((harmless) => JSON.stringify(harmless) === text)
}
