import { basename, resolve } from 'node:path'

/** Short names of folders: their last part, or as much of their paths as distinguishes them. */
export function runNames(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => resolve(folder).split(/[\\/]/))
  for (let count = 1; count < 20; count++) {
    const names = paths.map((parts) => parts.slice(-count).join('/'))
    if (new Set(names).size === new Set(paths.map((parts) => parts.join('/'))).size) return names
  }
  return folders.map((folder) => basename(folder))
}
