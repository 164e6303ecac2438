import { quote as quoted } from '../../io/files/file-error.ts'
import { HeedError } from '../../util/errors.ts'
import type { Mistakes } from '../mistakes.ts'
import type { Row } from '../row.ts'
import { CsvRecords, isBlank } from './csv-records.ts'
import { syntaxOf } from './dialect.ts'
import { encodingOf } from './encoding.ts'
import { type Line, readLines } from './lines.ts'
import type { BlockReader, FileFormat, ReadOptions } from './reader.ts'

/**
 * Makes a reader of tables whose first line is the header. Cells are parsed like Python's csv. A row may have fewer
 * cells than columns; the other values are missing.
 * @param usual default separator of files with these endings
 */
export const tableReader = (name: string, endings: string[], usual: string): BlockReader => ({
  name,
  endings,
  read: (file, mistakes, options) => readTable(file, usual, mistakes, options),
  describe: (file, options) => describeTable(file, usual, options),
})

async function* readTable(
  file: string,
  usual: string,
  mistakes: Mistakes,
  options: ReadOptions,
): AsyncGenerator<Iterable<Row>> {
  const syntax = await syntaxOf(file, options, usual)
  const { lineEnd } = syntax
  const { encoding } = options
  let columns = options.columns && checkColumns(options.columns, file)
  const records = new CsvRecords(syntax, file)
  /** Undefined for empty lines, the header, and rows with too many cells, which are reported. */
  const rowOf = (
    cells: readonly string[],
    number: number,
    quoted?: readonly number[],
  ): Row | undefined => {
    if (isBlank(cells, quoted)) return undefined
    if (columns === undefined) {
      columns = checkColumns(distinct(cells), file)
      return undefined
    }
    const values = valuesOf(cells, columns)
    if (values) return { values, file, number }
    mistakes.add({ file, number }, ragged(cells, columns), RAGGED_REMEDY)
    return undefined
  }
  function* rowsIn(lines: readonly Line[]): Generator<Row> {
    for (const { text, number, sound } of lines) {
      const cells = sound ? records.cellsOf(text) : undefined
      const row = cells && rowOf(cells, number)
      if (row) yield row
      if (cells) continue
      for (const record of records.feed(text, number)) {
        const row = sound ? rowOf(record.cells, record.number, record.quoted) : undefined
        if (row) yield row
      }
    }
  }
  for await (const lines of readLines(file, mistakes, { encoding, lineEnd, keepReturns: true }))
    yield rowsIn(lines)
  records.finish()
}

async function describeTable(
  file: string,
  usual: string,
  options: ReadOptions,
): Promise<FileFormat> {
  const { separator, quote, lineBreak } = await syntaxOf(file, options, usual)
  return {
    separator: separator === '\t' ? 'tab' : separator,
    quote: quote ?? 'none',
    'line break': lineBreak.replace('\r', '\\r').replace('\n', '\\n'),
    encoding: await encodingOf(file, options.encoding),
  }
}

/** The values by column; undefined if cells beyond the last column are not empty. */
function valuesOf(
  cells: readonly string[],
  columns: readonly string[],
): Record<string, string | null> | undefined {
  for (let i = columns.length; i < cells.length; i++) if (cells[i] !== '') return undefined
  const values: Record<string, string | null> = {}
  for (let i = 0; i < columns.length; i++) values[columns[i]] = cells[i] ?? null
  return values
}

const RAGGED_REMEDY =
  'Quote cells that contain the separator. If `heed data` shows the wrong separator or quote, set `separator` or `quote`.'

function ragged(cells: readonly string[], columns: readonly string[]): string {
  return `the row must have ${columns.length} cells like the header, got ${cells.length}`
}

/** Numbers repeated names as pandas does: `a`, `a.1`. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set(names)
  const used = new Set<string>()
  const next = new Map<string, number>() // a damaged table may have the same name thousands of times
  return names.map((name) => {
    let free = name
    let number = next.get(name) ?? 1
    while (used.has(free) || (free !== name && taken.has(free))) free = `${name}.${number++}`
    next.set(name, number)
    used.add(free)
    return free
  })
}

function checkColumns(columns: readonly string[], file: string): readonly string[] {
  const seen = new Set<string>()
  const twice = columns.find((name) => seen.size === seen.add(name).size)
  const problem =
    twice !== undefined
      ? `must differ, got ${quoted(twice)} twice`
      : columns.includes('__proto__')
        ? 'must not be "__proto__"'
        : undefined
  if (problem === undefined) return columns
  throw new HeedError('invalid-data', `${file}: column names ${problem}`, {
    remedy: 'Rename the column.',
  })
}
