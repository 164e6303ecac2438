import { existsSync, statSync } from 'node:fs'
import { extname } from 'node:path'
import { fileError } from '../io/files/file-error.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { expandGlob, isGlob, listFolder } from './find-files.ts'

/**
 * Finds the text files at a path: the file itself, whatever its name, or all files in a folder and its subfolders with
 * .txt, .md or another ending of text files, or the files that match a pattern (`texts/*.txt`), sorted by name. Hidden
 * files and links to folders are skipped.
 * @throws HeedError if there are none
 */
export function findTextFiles(path: string | string[]): string[] {
  checkArgument('findTextFiles', 'path', path, 'paths')
  const files = [path].flat().flatMap(filesOf)
  if (files.length > 0) return files
  throw new HeedError(
    'invalid-data',
    `${[path].flat().join(', ')} must contain text files, got none`,
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

function filesOf(name: string): string[] {
  if (isGlob(name) && !existsSync(name)) return expandGlob(name) // Windows leaves patterns to the program
  return isFolder(name) ? textFiles(name) : [name]
}

const textFiles = (folder: string): string[] =>
  listFolder(folder).filter((file) => TEXT_ENDINGS.has(extname(file).toLowerCase()))

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (error) {
    throw fileError(error, 'read', path)
  }
}
