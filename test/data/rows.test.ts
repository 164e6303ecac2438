import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { openRows, type RowOptions } from '../../src/data/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { fakeHub } from '../io/fake-hub.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

/** Writes files into a new folder and gives its path. */
async function folderWith(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = await temporaryFolder()
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  return folder
}

async function read(name: string, content: string | Uint8Array, options?: RowOptions) {
  return all(join(await folderWith({ [name]: content }), name), options)
}

async function all(path: string | string[], options?: RowOptions) {
  const rows: { values: unknown; number: number }[] = []
  for await (const { values, number } of (await openRows(path, options)).rows())
    rows.push({ values, number })
  return rows
}

describe('JSON', () => {
  it('reads a line at a time', async () => {
    const rows = await read('a.jsonl', '{"text":"é","n":1}\r\n\n{"text":"b\\n","list":[1,{}]}')
    expect(rows).toEqual([
      { values: { text: 'é', n: 1 }, number: 1 },
      { values: { text: 'b\n', list: [1, {}] }, number: 3 },
    ])
  })

  it.each([
    ['a list', '[\n {"a": "]}\\"{"},\n {"a":\n 2}]\n', [2, 3]],
    ['a list in one line', '[{"a": "]}\\"{"},{"a":2}]', [1, 1]],
    ['one after the other', '{"a": "]}\\"{"}\n{"a":2}', [1, 2]],
    ['data', '{"version": 1, "data": [{"a": "]}\\"{"},\n{"a":2}]}', [1, 2]],
  ])('reads %s', async (_, text, numbers) => {
    const rows = await read('a.json', text)
    expect(rows.map(({ values }) => values)).toEqual([{ a: ']}"{' }, { a: 2 }])
    expect(rows.map(({ number }) => number)).toEqual(numbers)
  })

  it('makes a row of each question of SQuAD', async () => {
    const answers = [{ text: 'Ahab', answer_start: 0 }]
    const asked = (id: string) => ({ id, question: `${id}?`, answers })
    const article = (title: string, ...ids: string[]) => ({
      title,
      paragraphs: ids.map((id) => ({ context: `Ahab ${id}`, qas: [asked(id), asked(`${id}2`)] })),
    })
    const data = [article('one', 'a', 'b'), { plain: 1 }, article('two', 'c')]
    const rows = await read('train.json', JSON.stringify({ version: '1.1', data }))
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(rows[2].values).toEqual({
      id: 'b',
      title: 'one',
      context: 'Ahab b',
      question: 'b?',
      answers: { text: ['Ahab'], answer_start: [0] },
    })
    expect(rows[4].values).toEqual({ plain: 1 })
    expect(rows[5].values).toMatchObject({ title: 'two', id: 'c' })
    const wrong = { paragraphs: [{ context: 'a' }, 3, { context: 'a', qas: [4, asked('b'), 5] }] }
    await expect(read('bad.json', JSON.stringify({ data: [wrong, 6] }))).rejects.toThrow(
      heedError('invalid-data', {
        mentions: [
          '5 rows',
          'json:1:',
          '`qas`',
          'json:1:',
          '`qas`',
          'json:1:',
          'json:3:',
          'json:4:',
          'got 6',
        ],
      }),
    )
  })

  it('lists all mistakes, and no more than twenty', async () => {
    const lines = ['{"a":1}', '{"a":', '[1]', '{"a":2}', '{"__proto__":{"b":1}}']
    await expect(read('a.jsonl', lines.join('\n'))).rejects.toThrow(
      heedError('invalid-data', {
        mentions: [
          '3 rows',
          'a.jsonl:2',
          'line 1, column 6',
          'a.jsonl:3',
          'a.jsonl:5',
          '__proto__',
        ],
      }),
    )
    const many = `{"a":1}\n${'{\n'.repeat(100)}`
    const error = await read('a.jsonl', many).catch((reason: Error) => reason.message)
    expect(String(error).split('\n')).toHaveLength(21)
    expect(error).toMatch(/^20 or more /)
  })

  it('refuses a poisoned key however it is spelt', async () => {
    await expect(read('a.jsonl', '{"a":1}\n{"\\u005F_proto__":{"b":1}}')).rejects.toThrow(
      heedError('invalid-data', { mentions: '__proto__' }),
    )
  })

  it.each([
    ['[{"a":1},{"a":', 'line 1'],
    ['[1, 2]', 'got "1, 2]"'],
    ['{"a":1} x {"a":2}', 'got "x"'],
  ])('refuses %s', async (text, mentions) => {
    await expect(read('a.json', text)).rejects.toThrow(heedError('invalid-data', { mentions }))
  })
})

describe('tables', () => {
  it('reads cells in quotes, with line ends, quotes and separators in them', async () => {
    const rows = await read('a.csv', '\ufeffa,b\r\n"x, ""y""\r\nz",\r\n1,2\r\n\r\n"","3"\n')
    expect(rows).toEqual([
      { values: { a: 'x, "y"\r\nz', b: '' }, number: 2 },
      { values: { a: '1', b: '2' }, number: 4 },
      { values: { a: '', b: '3' }, number: 6 },
    ])
    expect(await read('a.tsv', 'a\tb\n1,\t2')).toEqual([{ values: { a: '1,', b: '2' }, number: 2 }])
    expect(await read('b.csv', '1\n2', { columns: ['n'] })).toHaveLength(2)
  })

  it('lists rows with more cells than columns', async () => {
    const text = 'a,b\n1\n1,2\n1,2,3\n1,2,3,4\n"x"y,2\nx"y",2\n'
    const error = await read('a.csv', text).catch((reason: Error) => reason.message)
    expect(error).toMatch(/^2 rows /)
    expect(error).toMatch(/a\.csv:4: .* 2 cells.* got 3\n.*:5: .* got 4/)
  })

  it.each([
    ['__proto__,a\n1,2', '__proto__'],
    ['a,b\n1,"2\n3', 'a.csv:2: '],
    ['a,b\n', 'got none'],
    ['', 'got none'],
  ])('refuses %j', async (text, mentions) => {
    await expect(read('a.csv', text)).rejects.toThrow(heedError('invalid-data', { mentions }))
  })
})

describe('Parquet', () => {
  const fixture = (name: string) => join(FIXTURES, 'rows', `${name}.parquet`)

  it.each(['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'])('reads %s', async (codec) => {
    const rows = await all(fixture(codec))
    expect(rows).toHaveLength(40)
    expect(rows[17]).toEqual({
      values: {
        text: 'naïve 漢字 😀 17',
        label: 'spam',
        score: 4.25,
        big: String(2n ** 60n + 17n),
        tags: ['t0', 't1'],
        image: { bytes: Uint8Array.of(17, 255), path: '17.png' },
      },
      number: 18,
    })
    expect(rows[35].values).toMatchObject({ text: null, label: 'spam' })
  })

  it('names rows that are not UTF-8, and damaged files', async () => {
    await expect(all(fixture('broken-text'))).rejects.toThrow(
      heedError('invalid-data', { mentions: ['.parquet:2', '"text"', 'UTF-8'] }),
    )
    const bytes = await readFile(fixture('none'))
    for (let at = 0; at < bytes.length; at += 97) {
      const damaged = Buffer.from(bytes)
      damaged[at] ^= 0xff
      const result = await read('a.parquet', damaged).catch((error) => error)
      expect(Array.isArray(result) || result instanceof HeedError, String(result)).toBe(true)
    }
    for (const damaged of [bytes.subarray(0, 2000), Buffer.alloc(3)])
      await expect(read('a.parquet', damaged)).rejects.toMatchObject({ code: 'corrupt-file' })
  })
})

describe('the hub', () => {
  it('gives the data of a data set, once', async () => {
    vi.stubEnv('HEED_CACHE', await temporaryFolder())
    vi.stubEnv('HF_HUB_OFFLINE', '')
    const hub = await fakeHub({
      'README.md': '# Data',
      'data/train-0.jsonl': '{"n":1}',
      'data/train-1.jsonl': '{"n":2}',
      'data/test-0.jsonl': '{"n":3}',
    })
    vi.stubEnv('HF_ENDPOINT', hub.endpoint)
    expect(await all('hub:org/model')).toHaveLength(3)
    expect(await all('hub:org/model/data/train-*')).toEqual([
      { values: { n: 1 }, number: 1 },
      { values: { n: 2 }, number: 1 },
    ])
    expect(hub.log.filter((line) => line.includes('/datasets/org/model/resolve/'))).toHaveLength(3)
    await expect(all('hub:org/model/*.csv')).rejects.toMatchObject({
      remedy: expect.stringContaining('data/train-0'),
    })
    vi.unstubAllEnvs()
  })
})

describe('text', () => {
  const text = 'one\ntwo\n\n\n three \n'

  it('reads lines, paragraphs and files', async () => {
    const texts = async (unit?: RowOptions['unit']) => read('a.txt', text, { unit })
    expect(await texts()).toEqual([
      { values: { text: 'one' }, number: 1 },
      { values: { text: 'two' }, number: 2 },
      { values: { text: ' three' }, number: 5 },
    ])
    expect(await texts('paragraph')).toEqual([
      { values: { text: 'one\ntwo' }, number: 1 },
      { values: { text: ' three' }, number: 5 },
    ])
    expect(await texts('file')).toEqual([{ values: { text: 'one\ntwo\n\n\n three' }, number: 1 }])
  })

  it('reads texts side by side', async () => {
    const folder = await folderWith({ 'a.en': 'one\n\ntwo\n', 'a.fr': 'un\n\ndeux', 'b.en': 'x\n' })
    const pair = [join(folder, 'a.en'), join(folder, 'a.fr')]
    expect(await all(pair)).toEqual([
      { values: { en: 'one', fr: 'un' }, number: 1 },
      { values: { en: 'two', fr: 'deux' }, number: 3 },
    ])
    await expect(all(join(folder, 'b.en'))).rejects.toThrow(
      heedError('invalid-data', { key: 'data', mentions: 'got .en' }),
    )
    await writeFile(pair[1], 'un\nx\n')
    await expect(all(pair)).rejects.toThrow(
      heedError('invalid-data', { mentions: ['a.fr', 'a.en', 'got 2'] }),
    )
    await writeFile(pair[1], 'un\nx\ndeux')
    await expect(all(pair)).rejects.toThrow(heedError('invalid-data', { mentions: 'a.en:2' }))
  })

  it('names lines that are not UTF-8', async () => {
    const bytes = Buffer.from('good\nb\xe9d\nz\0ro\nfine\n', 'latin1')
    await expect(read('a.txt', bytes)).rejects.toThrow(
      heedError('invalid-data', {
        mentions: ['2 rows', 'a.txt:2', 'UTF-8', '0xe9', 'byte 2', 'a.txt:3', 'byte 2'],
      }),
    )
  })
})

describe('files', () => {
  it('finds them in folders and by patterns, in the order of their names', async () => {
    const line = (n: number) => `{"n":${n}}`
    const folder = await folderWith({
      'b/2.jsonl': line(2),
      'b/10.jsonl': line(10),
      'a.jsonl.gz': gzipSync(line(1)),
      'b/.hidden.jsonl': line(0),
      'b/notes.pdf': '',
    })
    const numbers = async (path: string) =>
      (await all(path)).map(({ values }) => (values as { n: number }).n)
    expect(await numbers(folder)).toEqual([1, 10, 2])
    expect(await numbers(join(folder, 'b/*.jsonl'))).toEqual([10, 2])
    expect(await numbers(join(folder, '**/?.jsonl*'))).toEqual([1, 2])
    await expect(all(join(folder, '*.csv'))).rejects.toMatchObject({ code: 'missing-file' })
    await expect(all(join(folder, 'b/notes.pdf'))).rejects.toThrow(
      heedError('invalid-data', { key: 'data', mentions: 'got .pdf' }),
    )
    await expect(all(join(folder, 'gone.csv'))).rejects.toThrow(
      heedError('missing-file', { mentions: 'gone.csv' }),
    )
  })

  it('reads what is larger than its buffers, cut anywhere', async () => {
    const texts = Array.from({ length: 60_000 }, (_, i) => `${i} ${'é漢😀'.repeat(i % 17)}`)
    const rows = await read('a.jsonl', texts.map((text) => JSON.stringify({ text })).join('\n'))
    expect(rows.map(({ values }) => (values as { text: string }).text)).toEqual(texts)
    expect(rows.at(-1)?.number).toBe(60_000)
    const list = await read('a.json', JSON.stringify(texts.map((text) => ({ text }))))
    expect(list.map(({ values }) => (values as { text: string }).text)).toEqual(texts)
  })

  it('refuses lines without end, and what unpacks without end', async () => {
    const long = Buffer.alloc(65 << 20, 'x')
    await expect(read('a.jsonl', long)).rejects.toThrow(
      heedError('invalid-data', { mentions: ['a.jsonl:1', '64 MB'] }),
    )
    const bomb = Buffer.alloc(300 << 20, 'x')
    for (let at = 0; at < bomb.length; at += 1 << 20) bomb[at] = 10
    await expect(read('a.txt.gz', gzipSync(bomb, { level: 1 }))).rejects.toThrow(
      heedError('invalid-data', { mentions: ['a.txt.gz', '200'] }),
    )
  })
})

describe('images', () => {
  it('are in folders named by their labels', async () => {
    const folder = await folderWith({
      'cat/2.png': '',
      'cat/1.jpg': '',
      'dog/a/3.png': '',
      'cat/x.txt': '',
    })
    const rows = await all(folder)
    expect(rows.map(({ values }) => values)).toEqual([
      { image: { file: join(folder, 'cat/1.jpg') }, label: 'cat' },
      { image: { file: join(folder, 'cat/2.png') }, label: 'cat' },
      { image: { file: join(folder, 'dog/a/3.png') }, label: 'dog' },
    ])
  })

  it('are in IDX files beside their labels', async () => {
    const folder = await folderWith({
      't10k-images-idx3-ubyte': Buffer.from([
        0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4,
      ]),
      't10k-labels-idx1-ubyte': Buffer.from([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]),
    })
    const rows = await all(folder)
    expect(rows.map(({ values }) => (values as { label: number }).label)).toEqual([7, 9])
    expect(await all(join(folder, 't10k-images-idx3-ubyte'))).toEqual(rows)
  })
})
