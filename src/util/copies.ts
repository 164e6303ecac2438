import { fileURLToPath } from 'node:url'
import { here } from './here.ts'

const KEY = Symbol.for('heed.copies')

/**
 * Folders of the copies of Heed in this thread, in loading order. Copies have separate registries and classes:
 * registrations in one do not exist in the other.
 */
export const copies: readonly string[] = register()

function register(): readonly string[] {
  const global = globalThis as { [KEY]?: string[] }
  global[KEY] ??= []
  global[KEY].push(folder())
  return global[KEY]
}

function folder(): string {
  if (here === undefined) return 'a bundle'
  const { href, protocol } = new URL('.', here)
  const path = protocol === 'file:' ? fileURLToPath(href) : href
  return path.replace(/[\\/](?:util[\\/])?$/, '')
}
