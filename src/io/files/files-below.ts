import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

/** Lists the files in a folder and its subfolders in alphabetical order, with `/` in paths and without hidden files. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .map((path) => path.split(sep).join('/'))
    .sort()
}
