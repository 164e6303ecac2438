// Every reader of text reads the line breaks of Windows as it reads line feeds.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, it, vi } from 'vitest'
import { openRows, type RowOptions, readText, surveyText } from '../../src/data/index.ts'
import { storedHashes } from '../../src/io/files/hashes.ts'
import { readJson } from '../../src/io/files/json.ts'
import { readConfig } from '../../src/io/hub/hf.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import { MetricsFile } from '../../src/train/metrics-file.ts'
import { piecesWithLineFeeds } from '../../src/util/line-feeds.ts'
import { heed as command } from '../cli/in-process.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

/** Reads files with these texts, by name, in a folder. */
type Read = (folder: string) => Promise<unknown>

async function rowsOf(paths: string | string[], options: RowOptions = {}): Promise<unknown[]> {
  const rows = []
  for await (const { values, number } of (await openRows(paths, options)).rows())
    rows.push({ values, number })
  return rows
}

const rows =
  (name: string, options: RowOptions = {}): Read =>
  (folder) =>
    rowsOf(join(folder, name), options)

async function heed(...words: string[]): Promise<string> {
  const { out, mistake } = await command(...words)
  expect(mistake).toBe('')
  return out
}

/** A command that reads standard input. */
const piped =
  (text: string, ...words: string[]): Read =>
  async (folder) => {
    const ends = folder.endsWith('crlf') ? '\r\n' : '\n'
    const input = Object.assign(Readable.from([Buffer.from(text.replaceAll('\n', ends))]), {
      fd: 0,
    })
    const stdin = vi.spyOn(process, 'stdin', 'get').mockReturnValue(input as never)
    try {
      return await heed(...words)
    } finally {
      stdin.mockRestore()
    }
  }

const CSV = 'text,label\na,1\n"b, c",2\n\nd,3\n'
const PROSE = 'First line.\nSecond line.\n\nAnother paragraph.\n'
const MERGES = '#version: 0.2\na b\nab c\n'
const model = (name: string): string => join(FIXTURES, 'pipelines', name)

const CASES: readonly (readonly [name: string, files: Record<string, string>, read: Read])[] = [
  ['a table (csv)', { 'a.csv': CSV }, rows('a.csv')],
  ['a table (tsv)', { 'a.tsv': CSV.replaceAll(',', '\t') }, rows('a.tsv')],
  ['rows (jsonl)', { 'a.jsonl': '{"a": 1}\n\n{"a": 2}\n' }, rows('a.jsonl')],
  ['rows (json)', { 'a.json': '[\n  {"a": 1},\n  {"a": 2}\n]\n' }, rows('a.json')],
  ['lines', { 'a.txt': PROSE }, rows('a.txt')],
  ['paragraphs', { 'a.txt': PROSE }, rows('a.txt', { unit: 'paragraph' })],
  ['whole files', { 'a.txt': PROSE }, rows('a.txt', { unit: 'file' })],
  [
    'parallel texts',
    { 'a.en': 'one\ntwo\n', 'a.de': 'eins\nzwei\n' },
    (folder) => rowsOf(['a.en', 'a.de'].map((name) => join(folder, name))),
  ],
  ['a text to learn', { 'a.txt': PROSE }, async (at) => [...readText(join(at, 'a.txt'))].join('')],
  ['the hash of a text', { 'a.txt': PROSE }, async (folder) => surveyText([join(folder, 'a.txt')])],
  [
    'vocab.txt',
    { 'vocab.txt': '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\n' },
    async (folder) => (await Tokenizer.fromFile(folder)).encode('a b abb'),
  ],
  [
    'vocab.json and merges.txt',
    { 'vocab.json': '{\n"a": 0,\n"b": 1,\n"c": 2,\n"ab": 3,\n"abc": 4\n}\n', 'merges.txt': MERGES },
    async (folder) => (await Tokenizer.fromFile(folder)).encode('abcab'),
  ],
  [
    'the ranks of tiktoken',
    { 'r50k_base.tiktoken': 'YQ== 0\nYg== 1\nYWI= 2\n' },
    async (folder) => (await Tokenizer.fromFile(join(folder, 'r50k_base.tiktoken'))).encode('abba'),
  ],
  [
    'a chat template',
    {
      'vocab.txt': '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n',
      'tokenizer_config.json': '{\n"tokenizer_class": "BertTokenizer"\n}\n',
      'chat_template.jinja':
        '{% for m in messages %}\n<{{ m.role }}>\n{{ m.content }}\n{%- endfor %}\nend\n',
    },
    async (folder) => {
      const tokenizer = await Tokenizer.fromFile(folder)
      return tokenizer.applyChatTemplate([{ role: 'user', content: 'hi' }])
    },
  ],
  ['config.json', { 'config.json': '{\n"model_type": "gpt2"\n}\n' }, readConfig],
  [
    'a configuration of training',
    { 'a.json': '{\n"data": ["a.txt"],\n"steps": 3\n}\n' },
    async (folder) => parseTrainConfig((await readJson(join(folder, 'a.json'))) as object),
  ],
  [
    'hashes.json',
    { 'hashes.json': `{\n"files": {"a": {"sha256": "${'0'.repeat(64)}"}}\n}\n` },
    storedHashes,
  ],
  [
    'metrics.jsonl',
    { 'metrics.jsonl': '{"step": 1}\n{"step": 2}\n{"step": 3}\n' },
    async (folder) => {
      const file = new MetricsFile(folder)
      await file.cut(2)
      return file.hash()
    },
  ],
  [
    'sentences of heed embed',
    { 'a.txt': 'a cat\na dog\n' },
    (folder) => heed('embed', model('encoder'), '--file', join(folder, 'a.txt')),
  ],
  [
    'the text of heed answer',
    { 'a.txt': 'the cat sat\non the mat\n' },
    (folder) =>
      heed('answer', model('question'), 'who sat?', '--file', join(folder, 'a.txt'), '--json'),
  ],
  ['lines piped into heed predict', {}, piped('a cat\na dog\n', 'predict', model('sequence'))],
  [
    'rows piped into heed predict',
    {},
    piped('{"text": "a cat"}\n{"text": "a dog"}\n', 'predict', model('sequence')),
  ],
  ['a text piped into heed tokenize', {}, piped(PROSE, 'tokenize', model('sequence'), '--json')],
]

it.each(CASES)('%s', async (_, files, read) => {
  const root = await temporaryFolder()
  const results = []
  for (const [name, end] of [
    ['lf', '\n'],
    ['crlf', '\r\n'],
  ]) {
    // biome-ignore format: one line
    const folder = join(root, name)
    await mkdir(folder)
    for (const [file, text] of Object.entries(files))
      await writeFile(join(folder, file), text.replaceAll('\n', end))
    results.push(await read(folder))
  }
  expect(results[1]).toEqual(results[0])
  expect(results[0]).toBeTruthy()
  expect(JSON.stringify(results[0])).not.toContain('\\r')
})

it.each([
  [['a\r\nb'], 'a\nb'],
  [['a\r', '\nb'], 'a\nb'],
  [['\r', '\n'], '\n'],
  [['\r', 'a'], '\ra'],
  [['a\r'], 'a\r'],
  [['a\r', '\r', '\n', 'b'], 'a\r\nb'], // a carriage return alone stays
  [[''], ''],
])('a text in the pieces %j', (pieces, expected) => {
  expect([...piecesWithLineFeeds(pieces)].join('')).toBe(expected)
})
