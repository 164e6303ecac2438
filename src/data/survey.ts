import { createHash } from 'node:crypto'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { readText } from './read-text.ts'

export interface TextSurvey {
  /** UTF-16 units of all files together. */
  characters: number
  /** Differs when a file or the order of the files has changed. */
  hash: string
}

export interface SurveyOptions {
  onProgress?: (characters: number) => void
  encoding?: string
}

const checkSurveyText = argumentKinds('surveyText', {
  files: 'pathList',
  options: optionKinds<SurveyOptions>({ onProgress: 'function?', encoding: 'text?' }),
})

/**
 * Reads all files once before training starts.
 * @throws HeedError for text that is not UTF-8, empty, or one character only
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
    throw new HeedError('invalid-data', `${name} must hold text, got 0 characters`, {
      key: 'data',
      value: files[0],
      remedy: 'Name files with text.',
    })
  if (!varied) {
    throw new HeedError(
      'invalid-data',
      `${name} must hold different characters, got ${characters} times ${JSON.stringify(first)}`,
      { key: 'data', value: files[0], remedy: 'Name files with real text.' },
    )
  }
  return { characters, hash: hash.digest('hex') }
}
