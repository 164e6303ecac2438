import { type Dirent, readdirSync, statSync } from 'node:fs'
import nodePath, { join } from 'node:path'
import { fileError } from '../io/files/file-error.ts'
import { isFileEntry } from '../io/files/is-file.ts'
import { HeedError } from '../util/errors.ts'

/** Lists the files in a folder and its subfolders, sorted by name. Hidden files are skipped. */
export function listFolder(folder: string): string[] {
  return listBelow(folder, 0)
}

/**
 * Lists the files that match a pattern, sorted by name. `*` and `?` match within a name, `**` any number of folders.
 * @throws HeedError if no file matches
 */
export function expandGlob(pattern: string): string[] {
  const { folder, names } = splitPattern(pattern)
  const files = matchBelow(folder, names, 0)
  if (files.length > 0) return [...new Set(files)]
  throw new HeedError('missing-file', `The pattern must match at least one file, got ${pattern}`, {
    key: 'data',
    value: pattern,
    remedy: 'Check the folder. `*` and `?` match within a name, `**` any number of folders.',
  })
}

/** Splits a pattern into the folder before the first name with `*` or `?`, and the remaining names. */
export function splitPattern(
  pattern: string,
  { parse, sep } = nodePath,
): { folder: string; names: string[] } {
  const { root } = parse(pattern) // on Windows also C:\ and \\server\share\; \\?\ is not a pattern
  const parts = pattern.slice(root.length).split(sep === '\\' ? /[\\/]/ : '/')
  const fixed = parts.findIndex((part) => /[*?]/.test(part))
  const names = parts.slice(fixed)
  return { folder: root + parts.slice(0, fixed).join(sep) || '.', names }
}

/** Whether a path with `/` as its separator matches a pattern. */
export function matchesGlob(pattern: string, path: string): boolean {
  return matchesParts(pattern.split('/'), path.split('/'))
}

function matchesParts([part, ...rest]: readonly string[], path: readonly string[]): boolean {
  if (part === undefined) return path.length === 0
  if (part === '**')
    return path.some((_, i) => matchesParts(rest, path.slice(i))) || rest.length === 0
  return path.length > 0 && patternOf(part).test(path[0]) && matchesParts(rest, path.slice(1))
}

export const isGlob = (path: string, { parse } = nodePath): boolean =>
  /[*?]/.test(path.slice(parse(path).root.length))

export function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch (error) {
    throw fileError(error, 'read', path)
  }
}

const MAX_DEPTH = 64

function listBelow(folder: string, depth: number): string[] {
  checkDepth(folder, depth)
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return listBelow(path, depth + 1)
    return isFileEntry(entry, path) ? [path] : []
  })
}

function matchBelow(folder: string, names: readonly string[], depth: number): string[] {
  checkDepth(folder, depth)
  const [part, ...rest] = names
  if (part === '**') {
    const below = entriesOf(folder).filter((entry) => entry.isDirectory())
    const here = rest.length > 0 ? matchBelow(folder, rest, depth + 1) : listFolder(folder)
    return [
      ...here,
      ...below.flatMap(({ name }) => matchBelow(join(folder, name), names, depth + 1)),
    ]
  }
  const pattern = patternOf(part)
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (!pattern.test(entry.name)) return []
    if (rest.length === 0) return isFileEntry(entry, path) ? [path] : []
    return isFolder(path) ? matchBelow(path, rest, depth + 1) : []
  })
}

function patternOf(part: string): RegExp {
  const escaped = part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*')
  return new RegExp(`^${escaped.replaceAll('?', '.')}$`)
}

/** Links to folders are not followed, because they may form a cycle: `isDirectory` is false for them. */
function entriesOf(folder: string): Dirent[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    const shown = entries.filter(({ name }) => !name.startsWith('.'))
    return shown.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  } catch (error) {
    throw fileError(error, 'read the folder', folder)
  }
}

function checkDepth(folder: string, depth: number): void {
  if (depth <= MAX_DEPTH) return
  throw new HeedError(
    'invalid-data',
    `Folders must be nested at most ${MAX_DEPTH} deep, got ${folder}`,
    { remedy: 'Pass one of the deeper folders instead.' },
  )
}
