// Parquet: columns in row groups, each read, unpacked and turned into rows on its own.
import type { FileHandle } from 'node:fs/promises'
import type { Compressors, FileMetaData, RowGroup } from 'hyparquet'
import { formatBytes, quote } from '../../io/files/file-error.ts'
import { isJsonObject, parseJson } from '../../io/files/json.ts'
import { openForReading, readFully } from '../../io/files/open-file.ts'
import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'

/**
 * Rows of a Parquet file; one row group is in memory at a time. 64-bit integers become numbers, and
 * classes that datasets has numbered get their names back.
 * @throws HeedError for a damaged file, and for row groups that would fill the memory
 */
export async function* readParquet(file: string, mistakes: Mistakes): AsyncGenerator<Row> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet')
  const { compressors } = await import('hyparquet-compressors')
  const { handle, size } = await openForReading(file)
  try {
    const buffer = { byteLength: size, slice: sliceOf(handle, size) }
    const metadata = await understood(file, () => parquetMetadataAsync(buffer))
    checkNames(metadata, file)
    const classes = classNames(metadata, file)
    let rowStart = 0
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + checkGroup(group, file)
      const options = { file: buffer, metadata, rowStart, rowEnd, utf8: false, parsers: PARSERS }
      const rows = await understood(file, () =>
        parquetReadObjects({ ...options, compressors: careful(compressors) }),
      )
      for (const [i, values] of rows.entries()) {
        const place = { file, number: rowStart + i + 1 }
        const clean = mistakes.attempt(place, () => plainValues(values, classes))
        if (clean) yield { values: clean, ...place }
      }
      rowStart = rowEnd
    }
  } finally {
    await handle.close()
  }
}

const MOST_BYTES = 2 ** 31
const MOST_ROWS = 10_000_000
const MOST_PAGE = 2 ** 28

/** Stands for bytes that should be text and are not; found again when the rows are made. */
const NOT_UTF8 = Symbol('not UTF-8')
const decoder = new TextDecoder('utf-8', { fatal: true })

const PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined) => {
    try {
      return bytes && decoder.decode(bytes)
    } catch {
      return NOT_UTF8
    }
  },
}

function sliceOf(handle: FileHandle, size: number) {
  return async (start: number, end = size): Promise<ArrayBuffer> => {
    const from = Math.max(0, start < 0 ? size + start : start)
    const length = Math.min(end, size) - from
    if (!(length >= 0) || length > MOST_BYTES)
      throw new RangeError(`bytes ${start} to ${end} are asked of ${size}`)
    const bytes = new Uint8Array(length)
    if (await readFully(handle, bytes, from)) return bytes.buffer
    throw new RangeError('it became shorter while it was read')
  }
}

/** Whatever the library stumbles over is the file's fault. */
async function understood<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof HeedError) throw cause
    const reason = (cause as Error).message
    throw new HeedError('invalid-data', `${file} is no sound Parquet file: ${reason}`, { cause })
  }
}

function checkNames({ schema }: FileMetaData, file: string): void {
  if (schema.some(({ name }) => name === '__proto__'))
    throw new HeedError('invalid-data', `${file} has a column "__proto__", which is not allowed`)
}

function checkGroup({ total_byte_size, num_rows }: RowGroup, file: string): number {
  if (num_rows <= MOST_ROWS && num_rows >= 0 && total_byte_size <= MOST_BYTES)
    return Number(num_rows)
  const found = `${num_rows} rows in ${formatBytes(Number(total_byte_size))}`
  throw new HeedError('invalid-data', `${file}: a row group is too large to be read: ${found}`, {
    remedy: `Write it with groups of at most ${MOST_ROWS} rows and ${formatBytes(MOST_BYTES)}.`,
  })
}

/** A page says how large it becomes: one that packs a gigabyte into nothing is not unpacked. */
function careful(compressors: Compressors): Compressors {
  const entries = Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, length: number): Uint8Array => {
      if (length <= MOST_PAGE) return unpack(input, length)
      throw new RangeError(`a page of ${formatBytes(length)}`)
    },
  ])
  return Object.fromEntries(entries)
}

type Classes = ReadonlyMap<string, readonly string[]>

/** Names of classes, where the `datasets` library has noted them. */
function classNames({ key_value_metadata = [] }: FileMetaData, file: string): Classes {
  const classes = new Map<string, readonly string[]>()
  const noted = key_value_metadata.find(({ key }) => key === 'huggingface')?.value
  if (noted === undefined) return classes
  const { info } = { info: undefined, ...Object(parseJson(noted, `the metadata of ${file}`)) }
  const features = isJsonObject(info) && isJsonObject(info.features) ? info.features : {}
  for (const [column, feature] of Object.entries(features)) {
    if (!isJsonObject(feature) || feature._type !== 'ClassLabel') continue
    if (Array.isArray(feature.names)) classes.set(column, feature.names.map(String))
  }
  return classes
}

function plainValues(values: Record<string, unknown>, classes: Classes): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const [column, value] of Object.entries(values)) {
    const clean = plainValue(value, column)
    const names = classes.get(column)
    plain[column] = names && typeof clean === 'number' ? (names[clean] ?? clean) : clean
  }
  return plain
}

function plainValue(value: unknown, column: string): unknown {
  if (value === NOT_UTF8) throw new HeedError('invalid-data', `${quote(column)} is not UTF-8 text`)
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (Array.isArray(value)) return value.map((one) => plainValue(one, column))
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  const entries = Object.entries(value).map(([key, one]) => [key, plainValue(one, column)])
  return Object.fromEntries(entries)
}
