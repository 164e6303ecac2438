// Registry of file readers by name and file name ending.
import { basename } from 'node:path'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { checkName, Registry } from '../../util/registry.ts'
import { tableReader } from './delimited.ts'
import { readJson, readJsonLines } from './json.ts'
import { readParquet } from './parquet.ts'
import { readPlainText } from './plain-text.ts'
import { type BlockReader, inBlocks, type Reader } from './reader.ts'

const registry = new Registry<BlockReader>('reader', 'format')
const byEnding = new Map<string, BlockReader>()

/**
 * Registers a file format for everything that reads rows: `openRows`, training, evaluation, prediction and `heed data`.
 * @throws HeedError if the name or an ending is already registered or invalid, or if the reader is incomplete
 */
export function registerReader(reader: Reader): void {
  checkReader(reader)
  const { name, endings, plainText } = reader
  add({
    name,
    endings,
    plainText,
    accepts: reader.accepts?.bind(reader),
    describe: reader.describe?.bind(reader),
    read: (file, mistakes, options) => inBlocks(reader.read(file, mistakes, options)),
  })
}

function add(reader: BlockReader): void {
  registry.register(reader.name, reader)
  for (const ending of reader.endings) byEnding.set(ending.toLowerCase(), reader)
}

/** The reader for a file: the first that accepts its path, otherwise the one with the longest matching ending. */
export function readerFor(path: string): BlockReader | undefined {
  const accepting = registry.values().find((reader) => reader.accepts?.(path))
  if (accepting) return accepting
  const [, ...endings] = basename(path).replace(/\.gz$/i, '').toLowerCase().split('.')
  for (let i = 0; i < endings.length; i++) {
    const reader = byEnding.get(endings.slice(i).join('.'))
    if (reader) return reader
  }
  return undefined
}

/** The reader with this name or ending. @throws HeedError with the most similar names */
export function readerNamed(format: string): BlockReader {
  return byEnding.get(format) ?? registry.get(format)
}

/** List of endings for messages: ".csv .jsonl …" */
export const knownEndings = (): string =>
  [...byEnding.keys()].map((ending) => `.${ending}`).join(' ')

const checkParts = argumentKinds('registerReader', {
  read: 'function',
  endings: 'texts',
  accepts: 'function?',
  describe: 'function?',
  plainText: 'flag?',
})

function checkReader(reader: Reader): void {
  checkArgument('registerReader', 'reader', reader, 'object')
  const { name, read, endings, accepts, describe, plainText } = reader
  checkName('reader', name)
  checkParts(read, endings, accepts, describe, plainText)
  const problem =
    endings.length === 0 && accepts === undefined
      ? '`endings` must not be empty if `accepts` is missing'
      : new Set(endings.map((ending) => ending.toLowerCase())).size < endings.length
        ? '`endings` must not contain duplicates'
        : undefined
  if (problem)
    throw new HeedError('invalid-option', `Reader '${name}': ${problem}`, {
      key: 'reader',
      value: name,
      remedy: 'See the interface Reader in heed/data.',
    })
  for (const ending of endings) checkEnding(ending, name)
}

function checkEnding(ending: string, name: string): void {
  checkName('file ending', ending)
  const before = byEnding.get(ending.toLowerCase())
  if (before === undefined && ending.toLowerCase() !== 'gz') return
  throw new HeedError(
    'already-exists',
    `A file ending must belong to one reader, got ${shown(`.${ending}`)} for ${before?.name ?? 'compressed files'} and ${name}`,
    {
      key: 'endings',
      value: ending,
      remedy: 'Choose another ending, or claim only some of the files with `accepts`.',
    },
  )
}

const BUILT_IN: readonly BlockReader[] = [
  { name: 'jsonl', endings: ['jsonl', 'ndjson'], read: readJsonLines },
  { name: 'json', endings: ['json'], read: readJson },
  tableReader('csv', ['csv'], ','),
  tableReader('tsv', ['tsv'], '\t'),
  { name: 'parquet', endings: ['parquet'], read: readParquet },
  { name: 'text', endings: ['txt', 'text', 'md'], plainText: true, read: readPlainText },
]
BUILT_IN.forEach(add)
