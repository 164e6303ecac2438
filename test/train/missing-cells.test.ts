// Each way to write a missing value in each reader and each task: the row is reported, with its file, number and column.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRows } from '../../src/data/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { scratch, trainTiny } from './support.ts'

const at = scratch()
const IMAGE = join(FIXTURES, 'images', 'files', 'grey.png')
const PARQUET = join(FIXTURES, 'rows', 'missing-cells.parquet')

/** What a column holds: it decides how its values can be missing. */
type Kind = 'text' | 'label' | 'words' | 'tags' | 'image'

interface TaskCase {
  /** The columns, with the key that names each. */
  columns: Record<string, { kind: Kind; key: string; value: (i: number) => unknown }>
  model?: string
  more?: object
}

const text = (key: string, value = 'a b c'): TaskCase['columns'][string] => ({
  kind: 'text',
  key,
  value: (i) => `${value} ${i}`,
})
const label = { kind: 'label', key: 'labelColumn', value: (i: number) => `l${i % 2}` } as const
const pairs = { source: text('sourceColumn'), target: text('targetColumn') }

const tasks: Record<string, TaskCase> = {
  'text-classification': { columns: { text: text('textColumn'), label } },
  'token-classification': {
    columns: {
      tokens: { kind: 'words', key: 'tokensColumn', value: () => ['a', 'b'] },
      tags: { kind: 'tags', key: 'tagsColumn', value: () => ['x', 'y'] },
    },
  },
  'question-answering': {
    columns: {
      question: text('questionColumn'),
      context: text('contextColumn', 'it is ada'),
      answers: { ...text('answersColumn'), value: () => 'ada' },
    },
  },
  'feature-extraction': {
    columns: { sentence1: text('firstColumn'), sentence2: text('secondColumn') },
  },
  'text2text-generation': { model: 't5', columns: pairs },
  summarization: { model: 't5', columns: pairs },
  translation: { model: 'marian', columns: pairs },
  'fill-mask': { columns: { text: text('textColumn') } },
  'span-corruption': { model: 't5', columns: { text: text('textColumn') } },
  'text-generation': { model: 'gpt2', columns: { text: text('textColumn') } },
  'image-classification': {
    model: 'vit',
    more: { patchSize: 4, tokenizer: undefined },
    columns: { image: { kind: 'image', key: 'imageColumn', value: () => IMAGE }, label },
  },
}

/** What programs write in place of a missing label. */
const NAMES = 'NaN nan -nan NA N/A n/a #N/A <NA> null NULL \\N'.split(' ')
const ABSENT = Symbol('no such column in the row')
const [ROWS, MISSING] = [6, 3]

type Ways = Record<string, unknown>

/** In JSON. */
function valuesFor(kind: Kind): Ways {
  const inList = (value: unknown): unknown[] => ['x', value]
  const names = (wrap: (name: string) => unknown): Ways =>
    Object.fromEntries(NAMES.map((name) => [`the text ${name}`, wrap(name)]))
  const lists = { 'null in a list': inList(null), 'NaN in a list': inList(Number.NaN), 'an empty text in a list': inList(''), 'spaces in a list': inList('  ') } // biome-ignore format: one line
  return {
    null: null,
    NaN: Number.NaN,
    'an empty text': '',
    spaces: '  ',
    'an absent column': ABSENT,
    ...(kind === 'label' ? names((name) => name) : {}),
    ...(kind === 'words' || kind === 'tags' ? lists : {}),
    ...(kind === 'tags' ? names(inList) : {}),
  }
}

/** In a table. */
function cellsFor(kind: Kind, isQuoted: boolean): Ways {
  const names = (before: string): Ways =>
    Object.fromEntries(NAMES.map((name) => [`the text ${name}`, `${before}${name}`]))
  return {
    'an empty cell': '',
    spaces: '  ',
    'a row that is too short': ABSENT,
    ...(isQuoted ? { 'an empty cell in quotes': '""', 'spaces in quotes': '"  "' } : {}),
    ...(kind === 'label' ? names('') : {}),
    ...(kind === 'tags' ? names('x ') : {}),
  }
}

interface Format {
  file: string
  /** The number of the row with the missing value. */
  number: number
  ways: (kind: Kind) => Ways
  write: (rows: Record<string, unknown>[]) => string
}

const json = (row: Record<string, unknown>): string =>
  JSON.stringify(row, (_, value) => (value === ABSENT ? undefined : Number.isNaN(value) ? '?' : value)).replaceAll('"?"', 'NaN') // biome-ignore format: one line

const table = (file: string, separator: string, isQuoted = true): Format => ({
  file,
  number: MISSING + 2,
  ways: (kind) => cellsFor(kind, isQuoted),
  write: (rows) =>
    [Object.keys(rows[0]), ...rows.map((row) => Object.values(row))]
      .map((cells) => cells.filter((cell) => cell !== ABSENT))
      .map((cells) => cells.map((cell) => (Array.isArray(cell) ? cell.join(' ') : cell)))
      .map((cells) => cells.join(separator))
      .join('\n'),
})

const formats: Record<string, Format> = {
  JSONL: {
    file: 'rows.jsonl',
    number: MISSING + 1,
    ways: valuesFor,
    write: (rows) => rows.map(json).join('\n'),
  },
  JSON: {
    file: 'rows.json',
    number: MISSING + 1,
    ways: valuesFor,
    write: (rows) => `[${rows.map(json).join(',\n')}]`,
  },
  'JSON under data': {
    file: 'data.json',
    number: MISSING + 1,
    // One value of JSON, in which NaN is not read
    ways: (kind) => Object.fromEntries(Object.entries(valuesFor(kind)).filter(([way]) => !way.startsWith('NaN'))), // biome-ignore format: one line
    write: (rows) => `{"data": [${rows.map(json).join(',')}]}`,
  },
  CSV: table('rows.csv', ','),
  'CSV with semicolons': table('semicolons.csv', ';'),
  TSV: table('rows.tsv', '\t', false),
}

/** What training says of a file; undefined where the row is reported as it should be. */
async function wrongly(
  task: string,
  data: string,
  keys: Record<string, string>,
  number: number,
  column: string,
): Promise<string | undefined> {
  const { model = 'bert', more } = tasks[task]
  const all = { model, task, data: [data], tokenizer: 'char', steps: 1, ...more, ...keys }
  const error = await trainTiny(at('none'), all).then(
    () => ({ code: 'none', message: 'it was trained' }),
    (reason) => reason,
  )
  const { code, message } = error
  const place = `a row is wrong:\n  ${data}:${number}: `
  const isReported = code === 'invalid-data' && message.startsWith(place) && message.includes(`'${column}'`) // biome-ignore format: one line
  return isReported ? undefined : `${code}: ${message}`
}

describe.each(Object.keys(tasks))('%s reports missing values of', (task) => {
  const { columns } = tasks[task]

  it.each(Object.entries(formats))('%s', async (_, { file, number, ways, write }) => {
    const wrong: string[] = []
    for (const [column, { kind }] of Object.entries(columns)) {
      // The column comes last, so that a row without it is a shorter one.
      const { [column]: last, ...others } = columns
      const names = Object.entries({
        note: { value: (_: number): unknown => 'n' },
        ...others,
        [column]: last,
      })
      for (const [way, missing] of Object.entries(ways(kind))) {
        const rows = Array.from({ length: ROWS }, (_, i) =>
          Object.fromEntries(
            names.map(([name, { value }]): [string, unknown] => [
              name,
              name === column && i === MISSING ? missing : value(i),
            ]),
          ),
        )
        writeFileSync(at(file), write(rows))
        const problem = await wrongly(task, at(file), {}, number, column)
        if (problem) wrong.push(`${column}, ${way}: ${problem}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('Parquet', async () => {
    const { columns: stored } = await openRows(PARQUET)
    const data = at('rows.parquet')
    copyFileSync(PARQUET, data)
    const wrong: string[] = []
    for (const [column, { key }] of Object.entries(columns)) {
      const ways = stored.filter((name) => name.startsWith(`${column} `))
      expect(ways.length).toBeGreaterThan(1)
      for (const way of ways) {
        const problem = await wrongly(task, data, { [key]: way }, MISSING + 1, way)
        if (problem) wrong.push(`${way}: ${problem}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

it('nothing is reported where nothing is missing, also of texts that are called NA', async () => {
  const data = at('whole.csv')
  const rows = Array.from({ length: ROWS }, (_, i) => `${NAMES[i]},l${i % 2}`)
  writeFileSync(data, ['text,label', ...rows].join('\n'))
  const keys = { model: 'bert', task: 'text-classification', tokenizer: 'char', steps: 1 }
  const { task } = await trainTiny(at('whole'), { ...keys, data: [data], evalEvery: 0 })
  expect(task.name).toBe('text-classification')
  await trainTiny(at('whole of Parquet'), { ...keys, data: [PARQUET], evalEvery: 0 })
  expect(readFileSync(PARQUET).length).toBeLessThan(100_000)
})
