// Reads Parquet files, one row group after the other.
import type { FileHandle } from 'node:fs/promises'
import { fileError, formatBytes, quote } from '../../io/files/file-error.ts'
import { readHead } from '../../io/files/file-format.ts'
import { isJsonObject, parseJson } from '../../io/files/json.ts'
import { openForReading } from '../../io/files/open-file.ts'
import { refuseOtherFormats } from '../../io/files/wrong-format.ts'
import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import { loadCodecs, type Unpack } from '../parquet/codecs.ts'
import { type Column, readColumn } from '../parquet/column.ts'
import { NOT_UTF8 } from '../parquet/convert.ts'
import { type Footer, type RowGroup, readBytes, readFooter } from '../parquet/footer.ts'
import { rowsOf } from '../parquet/rows.ts'
import { leavesOf, type SchemaNode } from '../parquet/schema.ts'
import type { Row } from '../row.ts'

/**
 * Reads the rows of a Parquet file. One row group is in memory at a time. 64-bit integers become numbers, and class
 * indices of the `datasets` library become class names.
 * @throws HeedError for a damaged file, and for row groups that are too large
 */
export async function* readParquet(
  file: string,
  mistakes: Mistakes,
): AsyncGenerator<Iterable<Row>> {
  refuseOtherFormats(file, 'a Parquet file', await readHead(file), ['parquet'])
  const { handle, size } = await openForReading(file)
  try {
    const footer = await readFooter(handle, size)
    const classes = classNames(footer, file)
    checkNames(footer, file)
    let number = 0
    function* rowsIn(group: Iterable<Record<string, unknown>>): Generator<Row> {
      try {
        for (const values of group) {
          const place = { file, number: ++number }
          const clean = mistakes.attempt(place, () => plainValues(values, classes))
          if (clean) yield { values: clean, ...place }
        }
      } catch (cause) {
        throw damaged(cause, file)
      }
    }
    for await (const group of groupsOf(handle, footer, file)) yield rowsIn(group)
  } catch (cause) {
    throw damaged(fileError(cause, 'read', file), file)
  } finally {
    await handle.close()
  }
}

const MOST_BYTES = 2 ** 31
const MOST_ROWS = 10_000_000

async function* groupsOf(
  handle: FileHandle,
  { schema, rowGroups }: Footer,
  file: string,
): AsyncGenerator<Iterable<Record<string, unknown>>> {
  const codecOf = await loadCodecs()
  const leaves = leavesOf(schema)
  for (const group of rowGroups) {
    checkGroup(group, file)
    const columns: Column[] = []
    for (const [i, chunk] of group.columns.entries()) {
      const bytes = await readBytes(handle, chunk.start, chunk.byteCount)
      const unpack: Unpack = codecOf(chunk.codec)
      columns.push(readColumn(bytes, chunk, leaves[i], unpack))
    }
    yield rowsOf(schema, leaves, columns, group.rowCount)
  }
}

/** Reports any decoding error as damage of the file. */
function damaged(cause: unknown, file: string): unknown {
  if (cause instanceof HeedError || !(cause instanceof Error)) return cause
  return new HeedError(
    'corrupt-file',
    `${file} must be a valid Parquet file, got: ${cause.message}`,
    {
      cause,
      remedy: 'Copy or download the file again.',
    },
  )
}

function checkNames({ schema }: Footer, file: string): void {
  const hasName = (node: SchemaNode): boolean =>
    node.name === '__proto__' || node.children.some(hasName)
  if (hasName(schema))
    throw new HeedError('invalid-data', `${file}: column names must not be "__proto__"`, {
      remedy: 'Rename the column.',
    })
}

function checkGroup({ rowCount, byteCount }: RowGroup, file: string): void {
  if (rowCount <= MOST_ROWS && byteCount <= MOST_BYTES) return
  const limit = `${MOST_ROWS} rows and ${formatBytes(MOST_BYTES)}`
  const size = `${rowCount} rows in ${formatBytes(byteCount)}`
  throw new HeedError(
    'invalid-data',
    `${file}: a row group must be at most ${limit}, got ${size}`,
    { remedy: 'Write the file with smaller row groups.' },
  )
}

type Classes = ReadonlyMap<string, readonly string[]>

/** The class names by column, which the `datasets` library stores in the metadata. */
function classNames({ notes }: Footer, file: string): Classes {
  const classes = new Map<string, readonly string[]>()
  const noted = notes.get('huggingface')
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
