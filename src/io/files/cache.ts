import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { removeStaleTemporaries } from './atomic.ts'

/** A folder for what can be made again: in HEED_CACHE, else where the system keeps caches. */
export function cacheFolder(name: string): string {
  const { HEED_CACHE, XDG_CACHE_HOME } = process.env
  return join(HEED_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'heed'), name)
}

/**
 * Notes that `used`, a file or folder in a cache, is used now, and makes room: of what is more than
 * `maxBytes` together, that which has not been used for longest goes, and what killed processes have left.
 */
export async function tidyCache(folder: string, used: string, maxBytes = 20e9): Promise<void> {
  const now = new Date()
  await utimes(used, now, now).catch(() => {}) // of somebody else, it may be
  await removeStaleTemporaries(folder)
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'))
  const entries = await Promise.all(names.map((name) => entryAt(join(folder, name))))
  let bytes = 0
  for (const { path, size } of entries.sort((a, b) => b.time - a.time)) {
    bytes += size
    if (bytes > maxBytes && path !== used) await rm(path, { recursive: true, force: true })
  }
}

/** A file, or a folder of files; nothing where somebody else has just removed it. */
async function entryAt(path: string): Promise<{ path: string; size: number; time: number }> {
  const found = await stat(path).catch(() => undefined)
  const entry = { path, size: found?.size ?? 0, time: found?.mtimeMs ?? 0 }
  if (!found?.isDirectory()) return entry
  const inside = await readdir(path).catch(() => [])
  const files = await Promise.all(inside.map((name) => stat(join(path, name)).catch(() => null)))
  return { ...entry, size: files.reduce((sum, file) => sum + (file?.size ?? 0), 0) }
}
