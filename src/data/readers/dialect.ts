// The dialect of a table: its separator and quote are those with which a sample of the file makes the most even table.
import { invalidOption } from '../../util/errors.ts'
import { type CsvRecord, CsvRecords, type CsvSyntax, isBlank } from './csv-records.ts'
import { readUtf8 } from './encoding.ts'
import type { ReadOptions } from './reader.ts'

/**
 * The syntax of a table: as `options` say, or detected in the first 64 kB.
 * @param usual the separator of files of this kind
 */
export async function syntaxOf(
  file: string,
  { separator, quote, encoding }: ReadOptions,
  usual: string,
): Promise<CsvSyntax & { lineBreak: string }> {
  const separators = separator === undefined ? [...new Set([usual, ...SEPARATORS])] : [separatorIn(separator)] // biome-ignore format: one line
  const quotes = quote === undefined ? QUOTES : [quoteIn(quote)]
  if (separators.length === 1 && quotes.length === 1 && separators[0] === quotes[0])
    throw invalidOption({ key: 'quote', value: quote, expected: 'another character than the separator' }) // biome-ignore format: one line
  const sample = await sampleOf(file, encoding)
  const [lineBreak = '\n'] = /\r\n|\n|\r/.exec(sample.text) ?? []
  const lineEnd = lineBreak === '\r' ? '\r' : '\n'
  const absent = separators.find((mark) => !sample.text.includes(mark)) // for a single column
  const trials = separators
    .filter((mark, i) => i === 0 || mark === absent || sample.text.includes(mark))
    .flatMap((mark) => {
      const plain = recordsIn(sample, { separator: mark, quote: null, lineEnd })
      return quotes.map((q) => {
        const syntax = { separator: mark, quote: q, lineEnd } as const
        const isUsed = q !== null && sample.text.includes(q)
        return tried(syntax, isUsed ? recordsIn(sample, syntax) : plain)
      })
    })
  const [{ syntax }] = trials.sort(byFit)
  return { ...syntax, lineBreak }
}

const SEPARATORS = [',', '\t', ';', '|', ':', '^', '~', '\u001f']
const QUOTES = ['"', null, "'"]
const SAMPLE = 1 << 16

function separatorIn(given: string): string {
  const separator = given === 'tab' || given === '\\t' ? '\t' : given
  if (separator.length === 1 && !/[\r\n]/.test(separator)) return separator
  throw invalidOption({
    key: 'separator',
    value: given,
    expected: 'one character, or tab',
    try: { separator: [';', 'tab'] },
  })
}

function quoteIn(given: string): string | null {
  if (given === 'none') return null
  if (given.length === 1 && !/[\r\n]/.test(given)) return given
  throw invalidOption({
    key: 'quote',
    value: given,
    expected: 'one character, or none',
    try: { quote: ["'", 'none'] },
  })
}

interface Sample {
  text: string
  /** Whether it is the whole file. */
  isWhole: boolean
}

async function sampleOf(file: string, encoding: string | undefined): Promise<Sample> {
  const decoder = new TextDecoder() // skips a byte order mark
  let text = ''
  for await (const bytes of readUtf8(file, encoding)) {
    text += decoder.decode(bytes.subarray(0, SAMPLE), { stream: true })
    if (bytes.length > SAMPLE || text.length >= SAMPLE) return { text, isWhole: false }
  }
  return { text, isWhole: true }
}

interface Trial {
  syntax: CsvSyntax
  /** Share of the rows with as many cells as the header; less where there is only one column. */
  fit: number
  /** Whether a program may have written it: quotes are where they are needed, or around all texts. */
  isRegular: boolean
  columns: number
  /** Number of cells in quotes. */
  quoted: number
}

/** The better trial comes first; equal ones keep the order in which they were made. */
function byFit(a: Trial, b: Trial): number {
  return (
    b.fit - a.fit ||
    Number(b.isRegular) - Number(a.isRegular) ||
    b.columns - a.columns ||
    (b.isRegular ? b.quoted : 0) - (a.isRegular ? a.quoted : 0)
  )
}

function tried(syntax: CsvSyntax, { records, isClosed }: SampleRecords): Trial {
  const { quote, separator } = syntax
  const [header, ...rows] = records
  const columns = header?.cells.length ?? 1
  const even = rows.filter(({ cells }) => cells.length === columns).length
  const share = rows.length > 0 ? even / rows.length : 1
  const quoted = records.reduce((sum, record) => sum + record.quoted.length, 0)
  // Python reads a quote at the beginning of a cell as one, also where others follow; tab-separated values have none.
  const isRegular = quote === null ? separator === '\t' : areRegular(records, separator, quote)
  // An open quote is an error of comma-separated values, and an ordinary character elsewhere.
  const isPossible = isClosed || (quote === '"' && separator !== '\t')
  const isUsual = quote !== "'" || (isRegular && quoted > 0)
  const fit = isPossible && isUsual ? share * likelihoodOf(header?.cells ?? []) : 0
  return { syntax, fit, isRegular, columns, quoted }
}

/** Several columns that are a little uneven are likelier than one column, above all where its name has separators. */
function likelihoodOf(header: readonly string[]): number {
  if (header.length > 1) return 1
  return SEPARATORS.some((mark) => mark !== ':' && header[0]?.includes(mark)) ? 0 : 0.6
}

interface SampleRecords {
  /** Without empty lines. */
  records: CsvRecord[]
  /** Whether no quote is left open. */
  isClosed: boolean
}

function recordsIn({ text, isWhole }: Sample, syntax: CsvSyntax): SampleRecords {
  const lines = text.split(syntax.lineEnd)
  if (lines.at(-1) === '' || !isWhole) lines.pop() // the rest of a line
  const reader = new CsvRecords(syntax, 'the sample')
  const records = lines.flatMap((line, i) => reader.feed(line, i + 1))
  const lastOpening = isWhole ? lines.length : lines.length / 2 // a sample may end within a cell
  const isClosed = (reader.number ?? Number.POSITIVE_INFINITY) > lastOpening
  return { records: records.filter(({ cells, quoted }) => !isBlank(cells, quoted)), isClosed }
}

/** Programs put in quotes only cells that need it, or all texts; and no cell without quotes contains one. */
function areRegular(records: readonly CsvRecord[], separator: string, quote: string): boolean {
  let needless = 0
  let plain = 0
  for (const { cells, quoted, isMalformed } of records) {
    if (isMalformed) return false
    const inQuotes = new Set(quoted)
    for (const [i, cell] of cells.entries()) {
      if (inQuotes.has(i)) {
        const isNeeded = cell.includes(separator) || cell.includes(quote) || /[\r\n]/.test(cell) // biome-ignore format: one line
        if (!isNeeded && !(cell === '' && cells.length === 1)) needless++
      } else {
        if (cell.includes(quote)) return false
        if (cell !== '' && Number.isNaN(Number(cell))) plain++
      }
    }
  }
  return needless === 0 || plain === 0
}
