// Parquet stores columns in row groups; they are read one after the other.
import type { FileHandle } from 'node:fs/promises'
import type { Compressors, FileMetaData, RowGroup } from 'hyparquet'
import { formatBytes, quote } from '../../io/files/file-error.ts'
import { readHead } from '../../io/files/file-format.ts'
import { isJsonObject, parseJson } from '../../io/files/json.ts'
import { openForReading, readFully } from '../../io/files/open-file.ts'
import { refuseOtherFormats } from '../../io/files/wrong-format.ts'
import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'

/**
 * Rows of a Parquet file; one row group is in memory at a time. 64-bit integers become numbers, and the class numbers
 * of the `datasets` library become names.
 * @throws HeedError for a damaged file, and for row groups that are too large
 */
export async function* readParquet(file: string, mistakes: Mistakes): AsyncGenerator<Row> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet')
  const { compressors } = await import('hyparquet-compressors')
  refuseOtherFormats(file, 'a Parquet file', await readHead(file), ['parquet'])
  const { handle, size } = await openForReading(file)
  try {
    const buffer = { byteLength: size, slice: sliceOf(handle, size) }
    const metadata = await decoded(file, () => parquetMetadataAsync(buffer))
    checkNames(metadata, file)
    const classes = classNames(metadata, file)
    let rowStart = 0
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + checkGroup(group, file)
      const options = { file: buffer, metadata, rowStart, rowEnd, utf8: false, parsers: PARSERS }
      const rows = await decoded(file, () =>
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

/** Marks bytes that should be text but are not; the mistake is reported when the rows are built. */
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

/** Any error of the library is reported as damage of the file. */
async function decoded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof HeedError) throw cause
    const reason = (cause as Error).message
    throw new HeedError('corrupt-file', `${file} must be a sound Parquet file, got: ${reason}`, {
      cause,
      remedy: 'Copy or download the file again.',
    })
  }
}

function checkNames({ schema }: FileMetaData, file: string): void {
  if (schema.some(({ name }) => name === '__proto__'))
    throw new HeedError('invalid-data', `${file}: column names must not be "__proto__"`, {
      remedy: 'Rename the column.',
    })
}

function checkGroup({ total_byte_size, num_rows }: RowGroup, file: string): number {
  if (num_rows <= MOST_ROWS && num_rows >= 0 && total_byte_size <= MOST_BYTES)
    return Number(num_rows)
  const limit = `${MOST_ROWS} rows and ${formatBytes(MOST_BYTES)}`
  const size = `${num_rows} rows in ${formatBytes(Number(total_byte_size))}`
  throw new HeedError(
    'invalid-data',
    `${file}: a row group must be at most ${limit}, got ${size}`,
    {
      remedy: 'Write the file with smaller row groups.',
    },
  )
}

/** Refuses pages whose stated size is too large, before they are unpacked. */
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

/** The class names that the `datasets` library has stored in the metadata. */
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
  if (value === NOT_UTF8) throw new HeedError('invalid-data', `${quote(column)} must be UTF-8 text`)
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (Array.isArray(value)) return value.map((item) => plainValue(item, column))
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  const entries = Object.entries(value).map(([key, item]) => [key, plainValue(item, column)])
  return Object.fromEntries(entries)
}
