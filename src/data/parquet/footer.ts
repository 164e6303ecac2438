// The footer of a Parquet file: its schema, and the position of the columns of each row group.
import type { FileHandle } from 'node:fs/promises'
import { readFully } from '../../io/files/open-file.ts'
import { Damage } from './damage.ts'
import { leavesOf, type SchemaNode, schemaOf } from './schema.ts'
import { type Struct, ThriftReader } from './thrift.ts'

export interface Footer {
  readonly schema: SchemaNode
  readonly rowGroups: readonly RowGroup[]
  /** Key-value metadata of the program that wrote the file. */
  readonly notes: ReadonlyMap<string, string>
}

export interface RowGroup {
  readonly rowCount: number
  /** Size of all columns when decompressed. */
  readonly byteCount: number
  /** In the order of the leaves of the schema. */
  readonly columns: readonly ColumnChunk[]
}

/** The pages of a column in a row group. */
export interface ColumnChunk {
  readonly codec: number
  /** Number of values, nulls and empty lists. */
  readonly valueCount: number
  readonly start: number
  readonly byteCount: number
}

/** Reads and checks the footer. @throws Damage */
export async function readFooter(handle: FileHandle, size: number): Promise<Footer> {
  if (size < LEAST_BYTES) throw new Damage(`it has ${size} bytes`)
  const tail = await readBytes(handle, size - 8, 8)
  const magic = String.fromCharCode(...tail.subarray(4))
  if (magic === 'PARE') throw new Damage('it is encrypted')
  if (magic !== 'PAR1') throw new Damage('it does not end with PAR1 (it may be truncated)')
  const length = new DataView(tail.buffer).getUint32(0, true)
  if (length > size - LEAST_BYTES)
    throw new Damage(
      `its footer states ${length} bytes, but at most ${size - LEAST_BYTES} are available`,
    )
  const footer = new ThriftReader(await readBytes(handle, size - 8 - length, length)).struct()
  const schema = schemaOf(footer.structs(2, 'the schema'))
  const dataEnd = size - 8 - length
  return {
    schema,
    rowGroups: footer
      .structs(4, 'the list of row groups')
      .map((group) => rowGroupOf(group, leavesOf(schema), dataEnd)),
    notes: notesOf(footer),
  }
}

/** Reads bytes at a position. @throws Damage if the file has become shorter */
export async function readBytes(
  handle: FileHandle,
  start: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  if (await readFully(handle, bytes, start)) return bytes
  throw new Damage('it became shorter while it was read')
}

function rowGroupOf(group: Struct, leaves: readonly SchemaNode[], dataEnd: number): RowGroup {
  const columns = group.structs(1, 'the columns of a row group')
  if (columns.length !== leaves.length)
    throw new Damage(`a row group has ${columns.length} columns, the schema ${leaves.length}`)
  return {
    rowCount: group.int(3, 'the number of rows'),
    byteCount: group.optionalInt(2, 'the size of a row group') ?? 0,
    columns: columns.map((column, i) => chunkOf(column, leaves[i], dataEnd)),
  }
}

function chunkOf(column: Struct, { name, type }: SchemaNode, dataEnd: number): ColumnChunk {
  const what = `of column ${JSON.stringify(name)}`
  if (column.has(1)) throw new Damage(`the data ${what} is in another file`)
  const meta = column.struct(3, `the description ${what}`)
  if (meta.int(1, `the type ${what}`) !== type)
    throw new Damage(`the type ${what} differs from the schema`)
  const path = meta.texts(3, `the path ${what}`)
  if (path.at(-1) !== name) throw new Damage(`the path ${what} ends with another name`)
  const byteCount = meta.int(7, `the size ${what}`)
  const data = meta.int(9, `the first page ${what}`)
  const dictionary = meta.optionalInt(11, `the dictionary ${what}`) ?? 0
  const start = dictionary > 0 && dictionary < data ? dictionary : data
  if (start + byteCount > dataEnd)
    throw new Damage(`the pages ${what} end at byte ${start + byteCount} of ${dataEnd}`)
  return {
    codec: meta.int(4, `the codec ${what}`),
    valueCount: meta.int(5, `the number of values ${what}`),
    start,
    byteCount,
  }
}

function notesOf(footer: Struct): Map<string, string> {
  if (!footer.has(5)) return new Map()
  const notes = footer.structs(5, 'the notes')
  return new Map(
    notes
      .filter((note) => note.has(2))
      .map((note) => [note.text(1, 'a note'), note.text(2, 'a note')]),
  )
}

const LEAST_BYTES = 12 // magic bytes at both ends, and the length of the footer
