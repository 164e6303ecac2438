import { createHash } from 'node:crypto'
import { HeedError } from '../util/errors.ts'
import { readText } from './read-text.ts'

export interface TextSurvey {
  /** UTF-16 units of all files together. */
  characters: number
  /** Changes whenever a file, or the order of the files, does. */
  hash: string
}

/**
 * Reads all files once before anything is learnt from them: text that is broken, empty or the
 * same character over and over is found here and not an hour later.
 */
export function surveyText(files: string[], onProgress?: (characters: number) => void): TextSurvey {
  const hash = createHash('sha256')
  let characters = 0
  let first: string | undefined
  let varied = false
  for (const file of files) {
    const own = createHash('sha256')
    for (const text of readText(file)) {
      own.update(text)
      first ??= [...text.slice(0, 2)][0]
      varied ||= first !== undefined && text.replaceAll(first, '') !== ''
      characters += text.length
      onProgress?.(characters)
    }
    hash.update(own.digest())
  }
  const name = files.length === 1 ? files[0] : `${files.length} files from ${files[0]} on`
  if (characters === 0) throw new HeedError('unknown-name', `${name}: there is no text in it`)
  if (!varied) {
    throw new HeedError(
      'unknown-name',
      `${name}: all ${characters} characters are ${JSON.stringify(first)}`,
      {
        remedy: 'There is nothing to learn from one character; give some real text.',
      },
    )
  }
  return { characters, hash: hash.digest('hex') }
}
