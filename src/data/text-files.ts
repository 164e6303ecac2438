import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { fileError } from '../io/files/file-error.ts'
import { HeedError } from '../util/errors.ts'
import { listFolder } from './find-files.ts'

/**
 * The text files that a path stands for: the file itself, whatever its name, or all `*.txt`,
 * `*.md` and the like in a folder and the folders below it, in the order of their names. Hidden
 * files and links to folders are skipped.
 */
export function findTextFiles(path: string | string[]): string[] {
  const files = [path].flat().flatMap((one) => (isFolder(one) ? textFiles(one) : [one]))
  if (files.length > 0) return files
  throw new HeedError('invalid-data', `${[path].flat().join(', ')} holds no text files`, {
    remedy: `Files in a folder are taken by their endings: ${[...TEXT_ENDINGS].join(' ')}`,
  })
}

const TEXT_ENDINGS = new Set(
  '.txt .text .md .markdown .mdx .rst .adoc .org .tex .log .srt .vtt'.split(' '),
)

const textFiles = (folder: string): string[] =>
  listFolder(folder).filter((file) => TEXT_ENDINGS.has(extname(file).toLowerCase()))

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    throw fileError(error, 'read', path)
  }
}
