import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { fileError } from '../io/files/file-error.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { listFolder } from './find-files.ts'

/**
 * The text files at a path: the file itself, whatever its name, or all files of a folder and the folders below it
 * that end in .txt, .md or another ending of text, in the order of their names. Hidden files and links to folders
 * are skipped.
 */
export function findTextFiles(path: string | string[]): string[] {
  checkArgument('findTextFiles', 'path', path, 'paths')
  const files = [path].flat().flatMap((name) => (isFolder(name) ? textFiles(name) : [name]))
  if (files.length > 0) return files
  throw new HeedError(
    'invalid-data',
    `${[path].flat().join(', ')} must hold text files, got none`,
    {
      key: 'data',
      value: path,
      remedy: `In folders, text files end in ${[...TEXT_ENDINGS].join(' ')}.`,
    },
  )
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
