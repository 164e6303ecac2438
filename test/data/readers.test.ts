import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  findTextFiles,
  holdsRows,
  openRows,
  type Reader,
  type Row,
  readLines,
  registerReader,
  surveyRows,
} from '../../src/data/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { heed } from '../cli/in-process.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'
import { runScript } from '../support/run-script.ts'

/** A row for each section of an .ini file. */
const ini: Reader = {
  name: 'ini',
  endings: ['ini', 'conf.txt'],
  async *read(file, mistakes) {
    let row: { values: Record<string, unknown>; file: string; number: number } | undefined
    for await (const lines of readLines(file, mistakes))
      for (const { text, number } of lines) {
        const section = /^\[(\w+)\]$/.exec(text)
        const entry = /^(\w+)\s*=\s*(.*)$/.exec(text)
        if (section) {
          if (row) yield row
          row = { values: { section: section[1] }, file, number }
        } else if (entry && row) row.values[entry[1]] = entry[2]
        else if (text.trim() !== '')
          mistakes.add({ file, number }, 'the line must be `key = value`', 'Comments are not read.')
      }
    if (row) yield row
  },
}
registerReader(ini)

/** Claims some text files by their names. */
registerReader({
  name: 'words',
  endings: [],
  accepts: (path) => /-words\.txt$/.test(path),
  async *read(file, mistakes) {
    for await (const lines of readLines(file, mistakes))
      for (const { text, number } of lines)
        for (const word of text.split(' ')) yield { values: { word }, file, number }
  },
})

const SECTIONS = '[first]\ntext = a b\nlabel = good\n\n[second]\ntext = c\nlabel = bad\n'

async function all(path: string, format?: string): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of (await openRows(path, { format })).rows()) rows.push(row)
  return rows
}

describe('a registered reader', () => {
  it('reads the files with its endings, packed ones too', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'a.ini')
    writeFileSync(path, SECTIONS)
    const expected = [
      { values: { section: 'first', text: 'a b', label: 'good' }, number: 1 },
      { values: { section: 'second', text: 'c', label: 'bad' }, number: 5 },
    ]
    expect(await all(path)).toMatchObject(expected)
    writeFileSync(join(folder, 'b.INI.gz'), gzipSync(SECTIONS))
    expect(await all(join(folder, 'b.INI.gz'))).toMatchObject(expected)
    expect(await all(folder)).toHaveLength(4)
    // The longest ending decides.
    writeFileSync(join(folder, 'c.conf.txt'), SECTIONS)
    expect(await all(join(folder, 'c.conf.txt'))).toMatchObject(expected)
    expect((await surveyRows(await openRows(path))).columns.map(({ name }) => name)).toEqual([
      'section',
      'text',
      'label',
    ])
  })

  it('reads other files by its name', async () => {
    const path = join(await temporaryFolder(), 'settings')
    writeFileSync(path, SECTIONS)
    expect(await all(path, 'ini')).toHaveLength(2)
    await expect(all(path)).rejects.toMatchObject({
      code: 'invalid-data',
      details: { key: 'data', value: path },
    })
    const error = await all(path, 'inni').catch((reason) => reason)
    expect(error).toEqual(heedError('unknown-name', { key: 'format', remedy: 'ini?' }))
  })

  it('reads files that it accepts, whatever their endings', async () => {
    const folder = await temporaryFolder()
    for (const name of ['a-words.txt', 'plain.txt']) writeFileSync(join(folder, name), 'one two\n')
    const words = (await all(join(folder, 'a-words.txt'))).map(({ values }) => values.word)
    expect(words).toEqual(['one', 'two'])
    expect(await all(join(folder, 'plain.txt'))).toMatchObject([{ values: { text: 'one two' } }])
  })

  it('makes rows of what a language model would read as text', () => {
    expect(['a.ini', 'a-words.txt', 'a.csv', 'a.jsonl.gz'].map(holdsRows)).not.toContain(false)
    expect(['a.txt', 'a.md', 'a.log', 'a', 'folder/'].map(holdsRows)).not.toContain(true)
  })

  it('reports mistakes with file, line and remedy', async () => {
    const path = join(await temporaryFolder(), 'a.ini')
    writeFileSync(path, `${SECTIONS}; a comment\n`)
    const error = await all(path).catch((reason) => reason)
    expect(error).toEqual(
      heedError('invalid-data', { mentions: [`${path}:8: `, '`key = value`'], remedy: 'Comments' }),
    )
  })

  it('is used by heed data', async () => {
    const path = join(await temporaryFolder(), 'a.ini')
    writeFileSync(path, SECTIONS)
    const { out } = await heed('data', path, '--json')
    expect(JSON.parse(out)).toMatchObject({ rows: 2, examples: [{ label: 'good' }, {}] })
  })

  it('trains with threads, which load the same imports', async () => {
    const folder = await temporaryFolder()
    writeFileSync(
      join(folder, 'reader.mjs'),
      `import { appendFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { readLines, registerReader } from 'heed/data'
appendFileSync(${JSON.stringify(join(folder, 'loaded'))}, isMainThread ? 'main ' : 'thread ')
registerReader({
  name: 'fixed-width',
  endings: ['fixed'],
  async *read(file, mistakes) {
    for await (const lines of readLines(file, mistakes))
      for (const { text, number } of lines)
        if (text) yield { values: { label: text.slice(0, 6).trim(), text: text.slice(6, 30).trim() }, file, number }
  },
})`,
    )
    const rows = Array.from({ length: 900 }, (_, i) => ({
      label: ['good', 'bad', 'odd'][i % 3],
      text: `row ${i % 7} of ${i % 11} whales`,
    }))
    const wide = rows.map(
      ({ label, text }) => label.padEnd(6) + text.padEnd(24) + 'x'.repeat(12_000),
    )
    writeFileSync(join(folder, 'rows.fixed'), wide.join('\n'))
    const plain = rows.map((row) => JSON.stringify(row))
    writeFileSync(join(folder, 'rows.jsonl'), plain.join('\n'))
    const script = join(folder, 'train.mjs')
    const imports = new URL('../../src/util/imports.ts', import.meta.url)
    const config = new URL('../../src/train/config.ts', import.meta.url)
    writeFileSync(
      script,
      `import { loadImports } from '${imports.href}'
import { parseTrainConfig } from '${config.href}'
import { trainModel } from 'heed/train'
process.env.HEED_THREADS = '2'
process.env.HEED_CACHE = ${JSON.stringify(join(folder, 'cache'))}
await loadImports(['./reader.mjs'], ${JSON.stringify(folder)})
const losses = []
for (const name of ['rows.fixed', 'rows.jsonl']) {
  const settings = { model: 'bert', task: 'classification', tokenizer: 'wordpiece:300', context: 16, layers: 1 }
  const size = { heads: 2, dim: 16, batch: 8, steps: 3, evalEvery: 0, seed: 4 }
  const path = ${JSON.stringify(folder)} + '/' + name
  const config = parseTrainConfig({ ...settings, ...size, data: [path] })
  losses.push((await trainModel({ config, out: path + '.run' })).loss)
}
console.log(JSON.stringify(losses))`,
    )
    const [first, second] = JSON.parse(await runScript(script)) as number[]
    expect(first).toBeGreaterThan(0)
    expect(first).toBe(second)
    expect(readFileSync(join(folder, 'loaded'), 'utf8')).toBe('main thread thread ')
  })
})

describe('registration refuses', () => {
  const read = ini.read
  const refused = (reader: unknown): HeedError => {
    try {
      registerReader(reader as Reader)
    } catch (error) {
      if (error instanceof HeedError) return error
      throw error
    }
    throw new Error('it was registered')
  }

  it('a name twice', () => {
    expect(refused({ name: 'csv', endings: ['x1'], read })).toMatchObject({
      code: 'already-exists',
      details: { key: 'format', value: 'csv' },
    })
    expect(holdsRows('a.x1')).toBe(false)
  })

  it('an ending twice', () => {
    expect(refused({ name: 'other', endings: ['x2', 'CSV'], read })).toEqual(
      heedError('already-exists', { mentions: ['".CSV"', 'csv', 'other'] }),
    )
    expect(holdsRows('a.x2')).toBe(false)
    expect(refused({ name: 'other', endings: ['gz'], read }).code).toBe('already-exists')
  })

  it.each(['__proto__', '../x', 'constructor', 'a/b', '', 'a b'])('the name %j', (name) => {
    expect(refused({ name, endings: ['x4'], read }).code).toBe('invalid-option')
    expect(refused({ name: 'other', endings: [name], read }).code).toBe('invalid-option')
  })

  it.each([
    ['no read', { name: 'other', endings: ['x5'] }],
    ['one ending twice', { name: 'other', endings: ['x5', 'X5'], read }],
    ['no endings', { name: 'other', read }],
    ['neither endings nor accepts', { name: 'other', endings: [], read }],
  ])('%s', (_, reader) => {
    expect(refused(reader).code).toBe('invalid-option')
  })
})

it('folders of texts are found as before', async () => {
  const folder = await temporaryFolder()
  for (const name of ['a.txt', 'b.ini', 'c.md']) writeFileSync(join(folder, name), 'x')
  expect(findTextFiles(folder)).toEqual([join(folder, 'a.txt'), join(folder, 'c.md')])
})
