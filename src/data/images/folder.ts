// A folder of images: those of each label in a folder that is called so.
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileError } from '../../io/files/file-error.ts'
import { HeedError } from '../../util/errors.ts'
import type { Row, RowSource } from '../row.ts'
import { IMAGE_ENDINGS } from './decode.ts'

const MAX_DEPTH = 16

/** Whether a folder holds folders with images. */
export function isImageFolder(path: string): boolean {
  return foldersIn(path).some((label) => listImages(join(path, label), 1, 1).length > 0)
}

/**
 * The images of `path/LABEL/…`, label by label, in the order of their names. Columns: image
 * (`{ file }`), label. Hidden files, links to folders and files with other endings are skipped.
 * @throws HeedError for a folder without such folders
 */
export function imageFolderRows(path: string): RowSource {
  return { columns: ['image', 'label'], rows: () => listRows(path) }
}

async function* listRows(path: string): AsyncGenerator<Row> {
  let number = 0
  for (const label of foldersIn(path))
    for (const file of listImages(join(path, label), 1))
      yield { values: { image: { file }, label }, file, number: ++number }
  if (number > 0) return
  throw new HeedError('invalid-data', `${path} holds no folders with images`, {
    remedy: `One folder for each label, with files ending in ${[...IMAGE_ENDINGS].join(' ')}.`,
  })
}

const foldersIn = (path: string): string[] =>
  entriesOf(path).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))

/** At most `limit` of the images in a folder and the folders below it. */
function listImages(folder: string, depth: number, limit = Number.POSITIVE_INFINITY): string[] {
  if (depth > MAX_DEPTH)
    throw new HeedError(
      'invalid-data',
      `the folders in ${folder} are nested more than ${MAX_DEPTH} deep`,
    )
  const found: string[] = []
  for (const entry of entriesOf(folder)) {
    if (found.length >= limit) break
    const path = join(folder, entry.name)
    if (entry.isDirectory()) found.push(...listImages(path, depth + 1, limit - found.length))
    else if (IMAGE_ENDINGS.has(extname(entry.name).toLowerCase()) && isFile(entry, path))
      found.push(path)
  }
  return found
}

function entriesOf(folder: string): Dirent[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  } catch (error) {
    throw fileError(error, 'read the folder', folder)
  }
}

/** A link counts as what it leads to; one that leads nowhere is left out. */
function isFile(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile()
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
