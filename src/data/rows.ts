import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileError } from '../io/files/file-error.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { oneOf, optionKinds } from '../util/options.ts'
import { expandGlob, isFolder, isGlob, listFolder } from './find-files.ts'
import { fetchHubData, isHubData } from './hub-data.ts'
import { isImageFile } from './images/decode.ts'
import { imageFolderRows, isImageFolder } from './images/folder.ts'
import { idxRows, isIdx } from './images/idx.ts'
import { withNulls } from './missing.ts'
import { Mistakes } from './mistakes.ts'
import { parallelColumns, readParallelText } from './readers/parallel-text.ts'
import { inBlocks, type ReadOptions } from './readers/reader.ts'
import { knownEndings, readerFor, readerNamed } from './readers/registry.ts'
import type { Row, RowSource } from './row.ts'

/** Options of `openRows`. */
export interface RowOptions extends ReadOptions {
  /** Name of the reader (`csv`, `jsonl`, …) for files with other endings. */
  format?: string
}

const ROWS = optionKinds<RowOptions>({
  format: 'text?',
  columns: 'texts?',
  unit: oneOf(['line', 'paragraph', 'file']),
  separator: 'text?',
  quote: 'text?',
  encoding: 'text?',
})
const checkOpenRows = argumentKinds('openRows', { paths: 'paths', options: ROWS })

/**
 * Opens the rows of files, folders, patterns (`data/*.jsonl`) and data sets of the hub (`hub:owner/name`,
 * `hub:owner/name/train-*`) in the given order. Files are read on demand. The ending of a file name selects the reader:
 * `.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`, `.txt` or that of a registered reader. Two files whose names
 * differ only in their endings, such as `train.en` and `train.fr`, are read as parallel text. Images are read from
 * folders named by label, from IDX files, or from single files.
 * @throws HeedError for files that are missing, have an unknown format or no rows
 */
export async function openRows(
  paths: string | readonly string[],
  options: RowOptions = {},
): Promise<RowSource> {
  checkOpenRows(paths, options)
  const { readers, files, formats } = await findReaders([paths].flat(), options)
  async function* rows(given?: Mistakes): AsyncGenerator<Row> {
    const mistakes = given ?? new Mistakes()
    for (const read of readers)
      for await (const block of read(mistakes)) for (const row of block) yield withoutNaN(row)
    if (!given) mistakes.throwIfAny()
  }
  const columns = await findColumns(rows())
  if (columns.length === 0)
    throw new HeedError(
      'invalid-data',
      `${[paths].flat().join(', ')} must have at least one row, got none`,
      {
        remedy: 'Pass files with at least one row.',
      },
    )
  return { columns, files, rows, formats }
}

function withoutNaN(row: Row): Row {
  const values = withNulls(row.values)
  return values === row.values ? row : { ...row, values }
}

/** Whether a path is a file with rows. Language models read other files as plain text. */
export function holdsRows(path: string): boolean {
  checkArgument('holdsRows', 'path', path, 'text')
  const reader = readerFor(path)
  return reader !== undefined && !reader.plainText
}

type ReadRows = (mistakes: Mistakes) => AsyncIterable<Iterable<Row>>

/** The readers of the files. `files` is undefined if rows refer to other files, such as images. */
async function findReaders(
  paths: readonly string[],
  options: RowOptions,
): Promise<
  Pick<Required<RowSource>, 'formats'> & { readers: ReadRows[]; files: string[] | undefined }
> {
  const files = (await Promise.all(paths.map((path) => filesOf(path)))).flat()
  const given = options.format === undefined ? undefined : readerNamed(options.format)
  const parallel = given ? new Map<string, string[]>() : parallelFiles(files)
  const readers: ReadRows[] = []
  let withImages = false
  for (const file of files) {
    const images = given ? undefined : imagesIn(file)
    const reader = given ?? readerFor(file)
    const texts = parallel.get(stemOf(file)) ?? []
    withImages ||= images !== undefined
    if (images) readers.push(() => inBlocks(images.rows()))
    else if (reader) readers.push((mistakes) => reader.read(file, mistakes, options))
    else if (texts.length < 2) throw await unknownKind(file)
    else if (texts[0] === file)
      readers.push((mistakes) => inBlocks(readParallelText(texts, mistakes, options)))
  }
  const formats = async () => {
    const described = files.flatMap((file) => {
      const reader = given ?? (imagesIn(file) ? undefined : readerFor(file))
      return reader?.describe ? [reader.describe(file, options).then((format) => ({ file, format }))] : [] // biome-ignore format: one line
    })
    return Promise.all(described)
  }
  return { readers, files: withImages ? undefined : files, formats }
}

/** Groups files without a reader by their names without the ending. */
function parallelFiles(files: readonly string[]): Map<string, string[]> {
  const byStem = new Map<string, string[]>()
  for (const file of files)
    if (!readerFor(file) && !imagesIn(file))
      byStem.set(stemOf(file), [...(byStem.get(stemOf(file)) ?? []), file])
  return byStem
}

async function filesOf(path: string): Promise<string[]> {
  if (isHubData(path)) return fetchHubData(path, isData)
  if (isGlob(path)) return expandGlob(path)
  return isFolder(path) && !isImageFolder(path) ? dataFiles(path) : [path]
}

function imagesIn(path: string): RowSource | undefined {
  if (isImageFile(path)) return singleImage(path)
  if (isIdx(path)) return idxRows(path)
  return isFolder(path) ? imageFolderRows(path) : undefined
}

function singleImage(file: string): RowSource {
  async function* rows(): AsyncGenerator<Row> {
    yield { values: { image: { file } }, file, number: 1 }
  }
  return { columns: ['image'], rows }
}

function dataFiles(folder: string): string[] {
  const files = listFolder(folder).filter(isData)
  if (files.length > 0) return files
  throw new HeedError('invalid-data', `The folder ${folder} must hold data files, got none`, {
    remedy: `Data files end in ${knownEndings()}; images are in a folder for each label.`,
  })
}

/** Data files of a folder; README and licence files are skipped. */
function isData(file: string): boolean {
  if (isIdx(file)) return basename(file).includes('images')
  return readerFor(file) !== undefined && !NO_DATA.test(basename(file))
}

const NO_DATA = /^(readme|license|dataset_infos?|dataset_dict)\b/i

/** The common part of the names of parallel text files. */
function stemOf(file: string): string {
  return file.replace(/\.gz$/i, '').replace(/\.[^./\\]+$/, '')
}

/** The columns of the first rows. Errors are ignored here; they are reported when all rows are read. */
async function findColumns(rows: AsyncIterable<Row>): Promise<string[]> {
  const columns = new Set<string>()
  let count = 0
  try {
    for await (const { values } of rows) {
      for (const column of Object.keys(values)) columns.add(column)
      if (++count === ROWS_FOR_COLUMNS) break
    }
  } catch (error) {
    if (!(error instanceof HeedError) || count === 0) throw error
  }
  return [...columns]
}

const ROWS_FOR_COLUMNS = 100

async function unknownKind(file: string): Promise<unknown> {
  const missing: unknown = await stat(file).catch((error) => fileError(error, 'read', file))
  if (missing instanceof Error) return missing
  const [column] = parallelColumns([file])
  const ending = column ? `.${column}` : 'none'
  return new HeedError(
    'invalid-data',
    `${file} must have a known file name ending, got ${ending}`,
    {
      key: 'data',
      value: file,
      remedy: `Known endings: ${knownEndings()}. ${basename(file)} may also be one of two parallel text files.`,
    },
  )
}
