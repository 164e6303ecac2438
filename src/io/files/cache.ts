import { readdir, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setting } from '../../util/settings.ts'
import { removeStaleTemporaries } from './atomic.ts'
import { removeUnlessHeld } from './patience.ts'

/** A folder for data that can be recomputed, in HEED_CACHE or in the cache folder of the system. */
export function cacheFolder(name: string): string {
  return join(setting('HEED_CACHE') ?? join(cacheHome(), 'heed'), name)
}

/** The cache folder of the system: XDG_CACHE_HOME, LOCALAPPDATA on Windows, otherwise ~/.cache. */
export function cacheHome(env = process.env, platform: string = process.platform): string {
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME
  if (platform === 'win32') return env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local')
  return join(homedir(), '.cache')
}

/**
 * Marks a file or folder in a cache, `used`, as recently used. Then removes temporary files of killed processes, and
 * the least recently used entries until the cache has at most `maxBytes`.
 */
export async function tidyCache(folder: string, used: string, maxBytes = 20e9): Promise<void> {
  const now = new Date()
  await utimes(used, now, now).catch(() => {}) // it may belong to another user
  await removeStaleTemporaries(folder)
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'))
  const entries = await Promise.all(names.map((name) => entryAt(join(folder, name))))
  let bytes = 0
  for (const { path, size } of entries.sort((a, b) => b.time - a.time)) {
    bytes += size
    if (bytes > maxBytes && path !== used) await removeUnlessHeld(path)
  }
}

/** An entry of the cache: a file or a folder of files. Size 0 if another process has just removed it. */
async function entryAt(path: string): Promise<{ path: string; size: number; time: number }> {
  const stats = await stat(path).catch(() => undefined)
  const entry = { path, size: stats?.size ?? 0, time: stats?.mtimeMs ?? 0 }
  if (!stats?.isDirectory()) return entry
  const inside = await readdir(path).catch(() => [])
  const files = await Promise.all(inside.map((name) => stat(join(path, name)).catch(() => null)))
  return { ...entry, size: files.reduce((sum, file) => sum + (file?.size ?? 0), 0) }
}
