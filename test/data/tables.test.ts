// Dialects of tables: what Python's csv writes is read as written, whether the dialect is detected or given.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRows, type RowOptions } from '../../src/data/index.ts'
import { heed } from '../cli/in-process.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'
import { readAsWritten, type WrittenTable } from './written-tables.ts'

async function read(name: string, content: string | Uint8Array, options?: RowOptions) {
  const path = join(await temporaryFolder(), name)
  writeFileSync(path, content)
  const rows: unknown[] = []
  for await (const { values } of (await openRows(path, options)).rows()) rows.push(values)
  return rows
}

it('60 random tables of Python are read as written', async () => {
  const tables: WrittenTable[] = JSON.parse(
    readFileSync(join(FIXTURES, 'rows', 'tables.json'), 'utf8'),
  )
  const folder = await temporaryFolder()
  const wrong = { detected: [] as number[], given: [] as number[] }
  for (const [i, table] of tables.entries()) {
    const { detected, given } = await readAsWritten(table, folder, i)
    if (!detected) wrong.detected.push(i)
    if (!given) wrong.given.push(i)
  }
  expect(tables).toHaveLength(60)
  expect(wrong).toEqual({ detected: [], given: [] })
})

describe('quotes', () => {
  it('count at the beginning of a cell only, and text may follow them, as in Python', async () => {
    const text = 'a,b\n5" nail,1\n"x, ""y"" "z,2\n"","3"\nx"y",4\n'
    expect(await read('a.csv', text, { quote: '"' })).toEqual([
      { a: '5" nail', b: '1' },
      { a: 'x, "y" z', b: '2' },
      { a: '', b: '3' },
      { a: 'x"y"', b: '4' },
    ])
  })

  it('are ordinary characters of tab-separated values that do not use them', async () => {
    const rows = [
      { a: '"Call me" he said', b: '1' },
      { a: 'a 5" nail', b: '2' },
    ]
    expect(await read('a.tsv', 'a\tb\n"Call me" he said\t1\na 5" nail\t2\n')).toEqual(rows)
    expect(await read('a.tsv', 'a\tb\n"Call me"\t1\n"a\tb"\t2\n')).toEqual([
      { a: 'Call me', b: '1' },
      { a: 'a\tb', b: '2' },
    ])
    expect(await read('a.tsv', 'a\tb\n"open\t1\nplain\t2\n')).toEqual([
      { a: '"open', b: '1' },
      { a: 'plain', b: '2' },
    ])
  })

  it('of another kind are found or given', async () => {
    expect(await read('a.csv', "a,b\n'x, y',1\nit's,2\n", { quote: "'" })).toEqual([
      { a: 'x, y', b: '1' },
      { a: "it's", b: '2' },
    ])
    expect(await read('a.csv', "a,b\n'it''s, y',1\nz,2\n")).toEqual([
      { a: "it's, y", b: '1' },
      { a: 'z', b: '2' },
    ])
    expect(await read('a.csv', 'a,b\n"x",1\n', { quote: 'none' })).toEqual([{ a: '"x"', b: '1' }])
  })
})

describe('rows', () => {
  it('may be shorter than the header, and longer by empty cells', async () => {
    expect(await read('a.csv', 'a,b,c\n1\n1,2,3,,\n\n1,2\n')).toEqual([
      { a: '1', b: null, c: null },
      { a: '1', b: '2', c: '3' },
      { a: '1', b: '2', c: null },
    ])
    await expect(read('a.csv', 'a,b\n1,2\n1,2\n1,2,3\n')).rejects.toThrow(
      heedError('invalid-data', {
        mentions: ['a.csv:4: ', '2 cells', 'got 3'],
        remedy: '`separator`',
      }),
    )
  })

  it('have columns with different names, as in pandas', async () => {
    expect(await read('a.csv', 'a,b,a,a.1,a\n1,2,3,4,5\n')).toEqual([
      { a: '1', b: '2', 'a.2': '3', 'a.1': '4', 'a.3': '5' },
    ])
    const [row] = await read('a.csv', `${'a,'.repeat(30_000)}a\n1\n`) // a damaged file, in time
    expect(Object.keys(row as object)).toHaveLength(30_001)
    expect(row).toHaveProperty(['a.30000'], null)
  })

  it('keep their line numbers where cells contain line breaks', async () => {
    const path = join(await temporaryFolder(), 'a.csv')
    writeFileSync(path, 'a,b\r\n"x\r\ny",1\r\n\r\nz,2\r\n')
    const rows: unknown[] = []
    for await (const { values, number } of (await openRows(path)).rows())
      rows.push([number, values])
    expect(rows).toEqual([
      [2, { a: 'x\r\ny', b: '1' }],
      [5, { a: 'z', b: '2' }],
    ])
  })

  it('of one column may contain any separator', async () => {
    const rows = [{ text: 'Hello, world' }, { text: 'a; b' }, { text: 'c|d, e' }]
    expect(await read('a.csv', 'text\nHello, world\na; b\nc|d, e\n')).toEqual(rows)
  })
})

describe('options', () => {
  it.each([
    [{ separator: 'tab' }, 'a\tb,c\n1\t2,3\n', { a: '1', 'b,c': '2,3' }],
    [{ separator: '\\t' }, 'a\tb,c\n1\t2,3\n', { a: '1', 'b,c': '2,3' }],
    [{ separator: ' ' }, 'a b\n1 "2 3"\n', { a: '1', b: '2 3' }],
    [{ separator: ';' }, 'a;b,c\n1;2,3\n', { a: '1', 'b,c': '2,3' }],
  ])('%j', async (options, text, row) => {
    expect(await read('a.csv', text, options)).toEqual([row])
  })

  it.each([
    [{ separator: ';;' }, 'separator'],
    [{ separator: '' }, 'separator'],
    [{ separator: '\n' }, 'separator'],
    [{ quote: 'double' }, 'quote'],
    [{ separator: "'", quote: "'" }, 'quote'],
    [{ encoding: 'klingon' }, 'encoding'],
  ])('%j is refused', async (options, key) => {
    const error = await read('a.csv', 'a,b\n1,2\n', options).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'invalid-option', details: { key } })
  })
})

describe('encodings', () => {
  const text = 'a,b\né漢😀,1\n'
  const row = { a: 'é漢😀', b: '1' }
  const wide = (swap: boolean): Buffer => {
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
    return swap ? bytes.swap16() : bytes
  }

  it('are recognised by a byte order mark, in every reader of text', async () => {
    expect(await read('a.csv', `\ufeff${text}`)).toEqual([row])
    for (const swap of [false, true]) expect(await read('a.csv', wide(swap))).toEqual([row])
    const jsonl = Buffer.from(`\ufeff${JSON.stringify(row)}\n`, 'utf16le')
    expect(await read('a.jsonl', jsonl)).toEqual([row])
    expect(await read('a.json', jsonl)).toEqual([row])
    expect(await read('a.txt', Buffer.from('\ufeffé\nb', 'utf16le'))).toEqual([{ text: 'é' }, { text: 'b' }]) // biome-ignore format: one line
  })

  it('are given where there is no mark', async () => {
    const latin = Buffer.from('a;b\ncaf\xe9;1\n', 'latin1')
    expect(await read('a.csv', latin, { encoding: 'windows-1252' })).toEqual([{ a: 'café', b: '1' }]) // biome-ignore format: one line
    await expect(read('a.csv', latin)).rejects.toThrow(
      heedError('invalid-data', {
        mentions: ['a.csv:2: ', 'UTF-8', 'got 0xe9'],
        remedy: '`encoding`',
      }),
    )
  })

  it.each([
    ['half a character', wide(false).subarray(0, -1), 'utf-16le'],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 97, 0, 0, 0]), 'UTF-32'],
  ])('refuse %s', async (_, bytes, mentions) => {
    await expect(read('a.csv', bytes)).rejects.toThrow(heedError('invalid-data', { mentions }))
  })
})

describe('heed data', () => {
  it('shows what was detected', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'a.csv')
    writeFileSync(path, Buffer.from("\ufeffa;b\r\n'x;y';1\r\nz;2\r\n", 'utf16le'))
    const { out } = await heed('data', path)
    expect(out).toMatch(
      /a\.csv {2}separator ; {2}quote ' {2}line break \\r\\n {2}encoding UTF-16LE/,
    )
    const { out: json } = await heed('data', path, '--json')
    expect(JSON.parse(json)).toMatchObject({
      rows: 2,
      files: [{ format: { separator: ';', quote: "'" } }],
    })
    const { out: other } = await heed('data', path, '--separator', ',', '--quote', 'none')
    expect(other).toMatch(/separator , {2}quote none/)
    expect(other).toContain('a;b')
  })
})
