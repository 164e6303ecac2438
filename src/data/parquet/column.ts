// Decodes the pages of a column in a row group.
import { ByteReader } from './byte-reader.ts'
import type { Unpack } from './codecs.ts'
import { Damage } from './damage.ts'
import type { ColumnChunk } from './footer.ts'
import { readRuns } from './runs.ts'
import type { SchemaNode } from './schema.ts'
import { type Struct, ThriftReader } from './thrift.ts'
import { isDictionary, readPlain, readValues, type Values } from './values.ts'

/** The levels and values of a column. */
export interface Column {
  /** Number of levels: one for each value, null and empty list. */
  readonly count: number
  /** Repetition levels: 0 at the start of a row, otherwise the list that continues. Null for columns without lists. */
  readonly repetitions: Uint8Array | null
  /** Definition levels: number of optional nodes of the path that are present. Null if none is optional. */
  readonly definitions: Uint8Array | null
  /** The values that are present, page by page. */
  readonly pages: readonly Values[]
  /** For each page, the dictionary that its indices refer to, if any. */
  readonly dictionaries: readonly (Values | null)[]
}

/** Decodes the pages of a column. @throws Damage */
export function readColumn(
  bytes: Uint8Array,
  { valueCount }: ColumnChunk,
  leaf: SchemaNode,
  unpack: Unpack,
): Column {
  if (valueCount > MOST_VALUES) throw new Damage(`a column of ${valueCount} values in a row group`)
  const repetitions = leaf.level > 0 ? new Uint8Array(valueCount) : null
  const definitions = leaf.definition > 0 ? new Uint8Array(valueCount) : null
  const pages: Values[] = []
  const dictionaries: (Values | null)[] = []
  let dictionary: Values = []
  for (let at = 0, done = 0; done < valueCount; ) {
    const reader = new ThriftReader(bytes, at)
    const header = reader.struct()
    const packed = pageBytes(bytes, reader.at, header.int(3, 'the size of a page'))
    at = reader.at + packed.length
    const kind = header.int(1, 'the kind of a page')
    if (kind === DICTIONARY_PAGE) dictionary = readDictionary(header, packed, leaf, unpack)
    if (kind !== DATA_PAGE && kind !== DATA_PAGE_2) continue
    const page = (kind === DATA_PAGE ? openPage : openPage2)(header, packed, leaf, unpack)
    const end = done + page.count
    if (end > valueCount)
      throw new Damage(`a page of ${page.count} values where ${valueCount - done} remain`)
    const present = readLevels(page, leaf, {
      repetitions: repetitions?.subarray(done, end),
      definitions: definitions?.subarray(done, end),
    })
    const isIndex = isDictionary(page.encoding)
    pages.push(
      isIndex
        ? readIndices(page.data, present, dictionary.length)
        : readValues(page.encoding, leaf, page.data, present),
    )
    dictionaries.push(isIndex ? dictionary : null)
    done = end
  }
  return { count: valueCount, repetitions, definitions, pages, dictionaries }
}

function pageBytes(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const room = bytes.length - start
  if (length <= room) return bytes.subarray(start, start + length)
  throw new Damage(`a page of ${length} bytes where ${room} remain`)
}

function readDictionary(
  header: Struct,
  packed: Uint8Array,
  leaf: SchemaNode,
  unpack: Unpack,
): Values {
  const data = unpack(packed, header.int(2, 'the unpacked size of a page'))
  const count = header.struct(7, 'the header of a dictionary').int(1, 'the size of a dictionary')
  return readPlain(leaf, new ByteReader(data), count)
}

interface Page {
  count: number
  encoding: number
  /** Runs of levels; null if the column has none. */
  repetitions: ByteReader | null
  definitions: ByteReader | null
  data: ByteReader
}

/** Opens a page of version 1: levels and values are compressed together, and a length precedes the levels. */
function openPage(header: Struct, packed: Uint8Array, leaf: SchemaNode, unpack: Unpack): Page {
  const fields = header.struct(5, 'the header of a data page')
  const data = new ByteReader(unpack(packed, header.int(2, 'the unpacked size of a page')))
  const levels = (most: number): ByteReader | null =>
    most > 0 ? new ByteReader(data.take(data.u32(), 'levels')) : null
  return {
    count: fields.int(1, 'the number of values of a page'),
    encoding: fields.int(2, 'the encoding of a page'),
    repetitions: levels(leaf.level),
    definitions: levels(leaf.definition),
    data,
  }
}

/** Opens a page of version 2: levels are not compressed. */
function openPage2(header: Struct, packed: Uint8Array, leaf: SchemaNode, unpack: Unpack): Page {
  const fields = header.struct(8, 'the header of a data page')
  const reader = new ByteReader(packed)
  const size = header.int(2, 'the unpacked size of a page')
  const repetitions = reader.take(fields.int(6, 'the size of repetition levels'), 'levels')
  const definitions = reader.take(fields.int(5, 'the size of definition levels'), 'levels')
  const rest = packed.subarray(reader.at)
  return {
    count: fields.int(1, 'the number of values of a page'),
    encoding: fields.int(4, 'the encoding of a page'),
    repetitions: leaf.level > 0 ? new ByteReader(repetitions) : null,
    definitions: leaf.definition > 0 ? new ByteReader(definitions) : null,
    data: new ByteReader(fields.flag(7, true) ? unpack(rest, size - reader.at) : rest),
  }
}

/** Fills the levels of a page; returns the number of values that are present. */
function readLevels(
  page: Page,
  leaf: SchemaNode,
  { repetitions, definitions }: { repetitions?: Uint8Array; definitions?: Uint8Array },
): number {
  if (repetitions && page.repetitions) fill(page.repetitions, leaf.level, repetitions)
  if (!definitions || !page.definitions) return page.count
  fill(page.definitions, leaf.definition, definitions)
  return definitions.reduce((sum, level) => sum + (level === leaf.definition ? 1 : 0), 0)
}

function fill(reader: ByteReader, most: number, levels: Uint8Array): void {
  readRuns(reader, 32 - Math.clz32(most), levels)
  const wrong = levels.find((level) => level > most)
  if (wrong !== undefined) throw new Damage(`a level of ${wrong} where ${most} is the maximum`)
}

function readIndices(reader: ByteReader, count: number, size: number): Uint32Array {
  const indices = new Uint32Array(count)
  if (count > 0) readRuns(reader, reader.byte(), indices)
  const wrong = indices.find((index) => index >= size)
  if (wrong === undefined) return indices
  throw new Damage(`value ${wrong} of a dictionary of ${size}`)
}

const [DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_2] = [0, 2, 3]
const MOST_VALUES = 2 ** 25
