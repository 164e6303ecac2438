import { type Dirent, readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileError } from '../io/file-error.ts'
import { HeedError } from '../util/errors.ts'

/**
 * The text files that a path stands for: the file itself, whatever its name, or all `*.txt`,
 * `*.md` and the like in a folder and the folders below it, in the order of their names. Hidden
 * files and links to folders are skipped.
 */
export function findTextFiles(path: string | string[]): string[] {
  const files = [path].flat().flatMap((one) => (isFolder(one) ? listFolder(one, 0) : [one]))
  if (files.length > 0) return files
  throw new HeedError(`${[path].flat().join(', ')} holds no text files`, {
    remedy: `Files in a folder are taken by their endings: ${[...TEXT_ENDINGS].join(' ')}`,
  })
}

const TEXT_ENDINGS = new Set(
  '.txt .text .md .markdown .mdx .rst .adoc .org .tex .log .srt .vtt'.split(' '),
)
const MAX_DEPTH = 64

function listFolder(folder: string, depth: number): string[] {
  if (depth > MAX_DEPTH) {
    throw new HeedError(`the folders in ${folder} are nested more than ${MAX_DEPTH} deep`)
  }
  const entries = readFolder(folder).filter(({ name }) => !name.startsWith('.'))
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return listFolder(path, depth + 1)
    return TEXT_ENDINGS.has(extname(entry.name).toLowerCase()) && isFile(entry, path) ? [path] : []
  })
}

function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    throw fileError(error, 'read the folder', folder)
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    throw fileError(error, 'read', path)
  }
}

/** A link counts as what it leads to; one that leads nowhere is left out. */
function isFile(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile()
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
