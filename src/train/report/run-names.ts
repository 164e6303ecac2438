import { basename, resolve } from 'node:path'

/** Short names of folders: their last part, or as much of their paths as distinguishes them. */
export function runNames(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => resolve(folder).split(/[\\/]/))
  for (let count = 1; count < 20; count++) {
    const names = paths.map((folders) => folders.slice(-count).join('/'))
    if (new Set(names).size === new Set(paths.map((folders) => folders.join('/'))).size)
      return names
  }
  return folders.map((folder) => basename(folder))
}
