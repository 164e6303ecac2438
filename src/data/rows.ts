import { basename, extname } from 'node:path'
import { HeedError } from '../util/errors.ts'
import { expandGlob, isFolder, isGlob, listFolder } from './find-files.ts'
import { fetchHubData, isHubData } from './hub-data.ts'
import { isImageFile } from './images/decode.ts'
import { imageFolderRows, isImageFolder } from './images/folder.ts'
import { idxRows, isIdx } from './images/idx.ts'
import { Mistakes } from './mistakes.ts'
import { readCsv, readTsv } from './readers/delimited.ts'
import { readJson, readJsonLines } from './readers/json.ts'
import { parallelColumns, readParallelText } from './readers/parallel-text.ts'
import { readParquet } from './readers/parquet.ts'
import { readPlainText } from './readers/plain-text.ts'
import type { Reader, ReadOptions } from './readers/reader.ts'
import type { Row, RowSource } from './row.ts'

export { Mistakes } from './mistakes.ts'
export type { Row, RowSource } from './row.ts'

export interface RowOptions extends ReadOptions {
  /** How to read files whose endings do not tell. */
  format?: RowFormat
}

export type RowFormat = keyof typeof READERS

/** By ending; `.gz` may follow, but for Parquet. */
const READERS = {
  jsonl: readJsonLines,
  ndjson: readJsonLines,
  json: readJson,
  csv: readCsv,
  tsv: readTsv,
  parquet: readParquet,
  txt: readPlainText,
  text: readPlainText,
  md: readPlainText,
} as const satisfies Record<string, Reader>

/**
 * Opens the rows of files, folders, patterns (`data/*.jsonl`) and data sets of the hub
 * (`hub:owner/name`, `hub:owner/name/train-*`), in this order. The ending of a name says how a file is
 * read: `.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`, `.txt`; two files that differ in their endings
 * alone, as `train.en` and `train.fr`, are texts side by side. Images are in folders named by their
 * labels, in IDX files, or files by themselves. Files are read as rows are asked for.
 * @throws HeedError for files that are missing, of no known kind or without a single row
 */
export async function openRows(
  paths: string | readonly string[],
  options: RowOptions = {},
): Promise<RowSource> {
  const { parts, files } = await findParts([paths].flat(), options)
  async function* rows(given?: Mistakes): AsyncGenerator<Row> {
    const mistakes = given ?? new Mistakes()
    for (const part of parts) yield* part(mistakes)
    if (!given) mistakes.throwIfAny()
  }
  const columns = await findColumns(rows())
  if (columns.length === 0)
    throw new HeedError('invalid-data', `${[paths].flat().join(', ')}: there are no rows`)
  return { columns, files, rows }
}

type Part = (mistakes: Mistakes) => AsyncIterable<Row>

async function findParts(
  paths: readonly string[],
  options: RowOptions,
): Promise<{ parts: Part[]; files: string[] | undefined }> {
  const found = await Promise.all(paths.map((path) => filesOf(path)))
  const files = found.flat()
  const side = new Map<string, string[]>() // files of no known ending, by what is before it
  for (const file of files)
    if (!options.format && !readerOf(file) && !imagesIn(file))
      side.set(stemOf(file), [...(side.get(stemOf(file)) ?? []), file])
  const parts: Part[] = []
  let withImages = false
  for (const file of files) {
    const reader = options.format ? READERS[options.format] : readerOf(file)
    const set = side.get(stemOf(file)) ?? []
    const images = options.format ? undefined : imagesIn(file)
    withImages ||= images !== undefined
    if (images) parts.push(() => images.rows())
    else if (reader) parts.push((mistakes) => reader(file, mistakes, options))
    else if (set.length < 2) throw unknownKind(file)
    else if (set[0] === file) parts.push((mistakes) => readParallelText(set, mistakes))
  }
  return { parts, files: withImages ? undefined : files }
}

async function filesOf(path: string): Promise<string[]> {
  if (isHubData(path)) return fetchHubData(path, isData)
  if (isGlob(path)) return expandGlob(path)
  return isFolder(path) && !isImageFolder(path) ? dataFiles(path) : [path]
}

function imagesIn(path: string): RowSource | undefined {
  if (isImageFile(path)) return oneImage(path)
  if (isIdx(path)) return idxRows(path)
  return isFolder(path) ? imageFolderRows(path) : undefined
}

function oneImage(file: string): RowSource {
  async function* rows(): AsyncGenerator<Row> {
    yield { values: { image: { file } }, file, number: 1 }
  }
  return { columns: ['image'], rows }
}

function dataFiles(folder: string): string[] {
  const files = listFolder(folder).filter(isData)
  if (files.length > 0) return files
  throw new HeedError('invalid-data', `${folder} holds no data`, {
    remedy: `Files are taken by their endings: ${endings()}; images are in a folder for each label.`,
  })
}

/** What a folder holds of rows; the papers beside them are none. */
function isData(file: string): boolean {
  if (isIdx(file)) return basename(file).includes('images')
  return readerOf(file) !== undefined && !PAPERS.test(basename(file))
}

const PAPERS = /^(readme|license|dataset_infos?|dataset_dict)\b/i

function readerOf(file: string): Reader | undefined {
  const ending = extname(file.replace(/\.gz$/i, '')).slice(1).toLowerCase()
  return Object.hasOwn(READERS, ending) ? READERS[ending as RowFormat] : undefined
}

/** What is the same in the names of texts side by side. */
function stemOf(file: string): string {
  return file.replace(/\.gz$/i, '').replace(/\.[^./\\]+$/, '')
}

/** The columns of the first rows; mistakes are for those who read all. */
async function findColumns(rows: AsyncIterable<Row>): Promise<string[]> {
  const columns = new Set<string>()
  let seen = 0
  try {
    for await (const { values } of rows) {
      for (const column of Object.keys(values)) columns.add(column)
      if (++seen === LOOKED_AT) break
    }
  } catch (error) {
    if (!(error instanceof HeedError) || seen === 0) throw error
  }
  return [...columns]
}

const LOOKED_AT = 100

const endings = (): string =>
  Object.keys(READERS)
    .map((ending) => `.${ending}`)
    .join(' ')

function unknownKind(file: string): HeedError {
  const [column] = parallelColumns([file])
  const what = column ? `the ending .${column}` : 'no ending'
  return new HeedError('invalid-data', `${file}: ${what} does not say how to read it`, {
    remedy: `Known are ${endings()}; ${basename(file)} may also be one of two texts side by side.`,
  })
}
