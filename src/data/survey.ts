import { createHash } from 'node:crypto'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { readText } from './read-text.ts'

/** A summary of text files. */
export interface TextSurvey {
  /** Total number of UTF-16 code units. */
  characters: number
  /** SHA-256 that changes with the files and their order. */
  hash: string
}

/** Options of `surveyText`. */
export interface SurveyOptions {
  /** Called with the number of characters read so far. */
  onProgress?: (characters: number) => void
  /** Encoding of the files, such as `windows-1252`. Default: UTF-8, or UTF-16 with a byte-order mark. */
  encoding?: string
}

const checkSurveyText = argumentKinds('surveyText', {
  files: 'pathList',
  options: optionKinds<SurveyOptions>({ onProgress: 'function?', encoding: 'text?' }),
})

/**
 * Reads all files once and counts their characters, before training starts.
 * @throws HeedError for text that is invalid, empty, or a repetition of one character
 */
export function surveyText(files: string[], options: SurveyOptions = {}): TextSurvey {
  checkSurveyText(files, options)
  const { onProgress, encoding } = options
  const hash = createHash('sha256')
  let characters = 0
  let first: string | undefined
  let varied = false
  for (const file of files) {
    const fileHash = createHash('sha256')
    for (const text of readText(file, encoding)) {
      fileHash.update(text)
      first ??= [...text.slice(0, 2)][0]
      varied ||= first !== undefined && text.replaceAll(first, '') !== ''
      characters += text.length
      onProgress?.(characters)
    }
    hash.update(fileHash.digest())
  }
  const name = files.length === 1 ? files[0] : `The ${files.length} files from ${files[0]} on`
  if (characters === 0)
    throw new HeedError('invalid-data', `${name} must contain text, got 0 characters`, {
      key: 'data',
      value: files[0],
      remedy: 'Pass files with text.',
    })
  if (!varied) {
    throw new HeedError(
      'invalid-data',
      `${name} must contain different characters, got ${characters} times ${JSON.stringify(first)}`,
      { key: 'data', value: files[0], remedy: 'Pass files with real text.' },
    )
  }
  return { characters, hash: hash.digest('hex') }
}
