import { type Dirent, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Whether a file exists at the path. A link counts as its target. */
export const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  )

/** Whether an entry of a folder is a file. A link counts as its target; a broken link is no file. */
export function isFileEntry(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile()
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
