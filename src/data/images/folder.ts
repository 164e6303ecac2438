// A folder of images with a subfolder for each label.
import { type Dirent, readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileError } from '../../io/files/file-error.ts'
import { isFileEntry } from '../../io/files/is-file.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import type { Row, RowSource } from '../row.ts'
import { IMAGE_ENDINGS } from './decode.ts'

const MAX_DEPTH = 16

/** Whether a folder has subfolders with images. */
export function isImageFolder(path: string): boolean {
  checkArgument('isImageFolder', 'path', path, 'text')
  return foldersIn(path).some((label) => listImages(join(path, label), 1, 1).length > 0)
}

/**
 * Rows for the images in `path/LABEL/…`, sorted by label and name. Columns: image (`{ file }`), label. Hidden files,
 * links to folders and files with other extensions are skipped.
 * @throws HeedError if no subfolder has images
 */
export function imageFolderRows(path: string): RowSource {
  checkArgument('imageFolderRows', 'path', path, 'text')
  return { columns: ['image', 'label'], rows: () => listRows(path) }
}

async function* listRows(path: string): AsyncGenerator<Row> {
  let number = 0
  for (const label of foldersIn(path))
    for (const file of listImages(join(path, label), 1))
      yield { values: { image: { file }, label }, file, number: ++number }
  if (number > 0) return
  throw new HeedError(
    'invalid-data',
    `${path} must have a subfolder of images for each label, got none`,
    {
      key: 'data',
      value: path,
      remedy: `Image files end in ${[...IMAGE_ENDINGS].join(' ')}.`,
    },
  )
}

const foldersIn = (path: string): string[] =>
  entriesOf(path).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))

/** Lists at most `limit` images in a folder and its subfolders. */
function listImages(folder: string, depth: number, limit = Number.POSITIVE_INFINITY): string[] {
  if (depth > MAX_DEPTH)
    throw new HeedError(
      'invalid-data',
      `Folders of images must be nested at most ${MAX_DEPTH} deep, got ${folder}`,
      { remedy: 'Put the images of a label closer to its folder.' },
    )
  const images: string[] = []
  for (const entry of entriesOf(folder)) {
    if (images.length >= limit) break
    const path = join(folder, entry.name)
    if (entry.isDirectory()) images.push(...listImages(path, depth + 1, limit - images.length))
    else if (IMAGE_ENDINGS.has(extname(entry.name).toLowerCase()) && isFileEntry(entry, path))
      images.push(path)
  }
  return images
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
