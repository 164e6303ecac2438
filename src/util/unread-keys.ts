// Unread keys of a settings file: some have no effect; others cause a warning.
import { misspelled } from './nearest.ts'
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
 * @param known keys that are read, among which the warning names the one that a misspelled key is similar to
 */
export function warnOfUnreadKeys(
  settings: object,
  isRead: (key: string) => boolean,
  unread: UnreadKeys,
  source: string,
  known: readonly string[] = [],
): void {
  const ignored = Object.entries(settings)
    .filter(([key, value]) => !isRead(key) && !changesNothing(key, value, unread))
    .map(([key, value]) => {
      if (Object.hasOwn(unread, key)) return `${key} ${JSON.stringify(value)}`
      const meant = misspelled(key, known)
      return meant === undefined ? key : `${key} (did you mean ${meant}?)`
    })
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
