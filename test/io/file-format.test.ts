import { readFileSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readImage } from '../../src/data/index.ts'
import { Mistakes } from '../../src/data/mistakes.ts'
import { readerNamed } from '../../src/data/readers/registry.ts'
import { describeContent, type FileFormat, formatOf } from '../../src/io/files/file-format.ts'
import { readJson } from '../../src/io/files/json.ts'
import { openGGUF } from '../../src/io/gguf/gguf.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { heed } from '../cli/in-process.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

const fixture = (...names: string[]): Buffer => readFileSync(join(FIXTURES, ...names))
const sentencePiece = (): Buffer =>
  Buffer.from(
    JSON.parse(fixture('tokenizers', 'sentencepiece.json').toString()).models[0].file,
    'base64',
  )
const text = (content: string): Buffer => Buffer.from(content, 'utf8')
const latin1 = (content: string): Buffer => Buffer.from(content.padEnd(64, '\0'), 'latin1')

const LFS = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 123456\n`
const HTML =
  '<!-- cdn -->\n<!DOCTYPE html>\n<html><head><title>\n Sign in – Hub</title></head></html>\n'

/** A file of each format. */
const CONTENTS: Record<FileFormat, Buffer> = {
  gguf: fixture('gguf', 'qwen3.gguf'),
  safetensors: fixture('gpt2', 'base', 'model.safetensors'),
  torch: fixture('formats', 'torch'),
  oldTorch: fixture('formats', 'old-torch'),
  pickle: fixture('formats', 'pickle'),
  npz: fixture('formats', 'npz'),
  onnx: fixture('formats', 'onnx'),
  tar: fixture('formats', 'tar'),
  parquet: fixture('rows', 'none.parquet'),
  sentencepiece: sentencePiece(),
  gzip: gzipSync('{"a": 1}'),
  lfs: text(LFS),
  html: text(HTML),
  xml: text('<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'),
  json: text('\ufeff {"a": 1}'),
  zip: latin1('PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.txt'),
  zstd: latin1('\x28\xb5\x2f\xfd'),
  xz: latin1('\xfd7zXZ\0'),
  bzip2: latin1('BZh91AY&SY'),
  sevenZip: latin1('7z\xbc\xaf\x27\x1c'),
  hdf5: latin1('\x89HDF\r\n\x1a\n'),
  tflite: latin1('\x1c\0\0\0TFL3'),
}
const FORMATS = Object.keys(CONTENTS) as FileFormat[]

describe('formatOf', () => {
  it.each(FORMATS)('recognises %s', (format) => {
    expect(formatOf(CONTENTS[format])).toBe(format)
  })

  it.each([
    ['GGUF is a format of llama.cpp'],
    ['PAR1,PAR2\n1,2\n'],
    ['[PAD]\n[UNK]\n'],
    ['<p align="center">A readme</p>'],
    ['<unk>\n<s>\n'],
    ['BZhang says'],
    ['version 2 of the text'],
    [''],
  ])('takes %j as text', (content) => {
    expect(formatOf(text(content))).toBeNull()
  })

  it('describes what is in a file', () => {
    expect(describeContent(text(LFS)).title).toBe('a Git LFS pointer to a file of 123 kB')
    expect(describeContent(text(LFS)).remedy).toMatch(/\blfs pull\b.*heed pull\b/)
    expect(describeContent(text(HTML)).title).toBe('an HTML page ("Sign in – Hub")')
    expect(describeContent(text('Entry not found\n')).title).toBe('text ("Entry not found")')
    expect(describeContent(Buffer.from([0, 1, 255])).title).toBe(
      'an unknown format (first bytes 00 01 ff)',
    )
    expect(describeContent(new Uint8Array()).title).toBe('an empty file')
  })
})

interface Opener {
  open: (path: string) => Promise<unknown>
  opens: readonly FileFormat[]
  /** Names that the file might have. */
  names: readonly string[]
}

async function rowsOf(format: string, path: string): Promise<unknown[]> {
  const mistakes = new Mistakes()
  const rows: unknown[] = []
  for await (const block of readerNamed(format).read(path, mistakes, {})) rows.push(...block)
  mistakes.throwIfAny()
  return rows
}

const NAMES = ['sha256-0123abcd', 'model.gguf', 'model.safetensors', 'x.json', 'x.txt', 'x.bin']
const TABLE: readonly FileFormat[] = ['gzip', 'json']

const OPENERS: Record<string, Opener> = {
  openGGUF: {
    open: async (path) => (await openGGUF(path)).close(),
    opens: ['gguf'],
    names: NAMES,
  },
  openSafetensors: {
    open: async (path) => (await openSafetensors(path)).close(),
    opens: ['safetensors', 'torch', 'oldTorch', 'json'],
    names: NAMES,
  },
  readJson: { open: readJson, opens: ['json'], names: NAMES },
  fromPretrained: { open: (path) => fromPretrained(path), opens: ['gguf'], names: NAMES },
  'Tokenizer.fromFile': {
    open: (path) => Tokenizer.fromFile(path),
    opens: ['gguf', 'sentencepiece', 'json'],
    names: [...NAMES, 'tokenizer.model', 'vocab.txt'],
  },
  'heed inspect': {
    open: async (path) => {
      const { mistake } = await heed('inspect', path)
      const [line, remedy] = mistake.split('\n')
      if (mistake) throw new HeedError('corrupt-file', line, { remedy })
    },
    opens: ['gguf', 'safetensors', 'torch'],
    names: NAMES,
  },
  'rows of CSV': { open: (path) => rowsOf('csv', path), opens: TABLE, names: ['x.csv', 'x'] },
  'rows of TSV': { open: (path) => rowsOf('tsv', path), opens: TABLE, names: ['x.tsv'] },
  'rows of JSON': { open: (path) => rowsOf('json', path), opens: TABLE, names: ['x.json'] },
  'rows of JSONL': { open: (path) => rowsOf('jsonl', path), opens: TABLE, names: ['x.jsonl.gz'] },
  'lines of text': {
    open: (path) => rowsOf('text', path),
    opens: [...TABLE, 'html', 'xml'],
    names: ['x.txt'],
  },
  'rows of Parquet': {
    open: (path) => rowsOf('parquet', path),
    opens: ['parquet'],
    names: ['x.parquet', 'x.csv'],
  },
  readImage: { open: readImage, opens: [], names: ['x.png', 'x.jpg'] },
}

describe.each(Object.entries(OPENERS))('%s', (_, { open, opens, names }) => {
  it.each(FORMATS.filter((format) => !opens.includes(format)))(
    'explains %s under every name',
    async (format) => {
      const folder = await temporaryFolder()
      for (const name of names) {
        const path = join(folder, name)
        await writeFile(path, CONTENTS[format])
        const error = await open(path).then(
          () => null,
          (problem: unknown) => problem,
        )
        expect(error, name).toBeInstanceOf(HeedError)
        const { message, remedy } = error as HeedError
        expect(message).toContain(name)
        expect(message).toContain(`, got ${describeContent(CONTENTS[format]).title}`)
        expect(remedy).toBeTruthy()
      }
    },
  )
})

describe('files are opened under every name:', () => {
  it.each(NAMES)('GGUF as %s', async (name) => {
    const path = join(await temporaryFolder(), name)
    await writeFile(path, CONTENTS.gguf)
    const model = await fromPretrained(path)
    expect(model.vocabSize).toBe((await Tokenizer.fromFile(path)).vocabSize)
    const { out, mistake } = await heed('inspect', path)
    expect(mistake).toBe('')
    expect(out).toContain('qwen3')
  })

  it.each(['x', 'x.json', 'tokenizer.model', 'vocab.txt'])('tokenizers as %s', async (name) => {
    const folder = await temporaryFolder()
    for (const [i, content] of [
      CONTENTS.sentencepiece,
      fixture('old-runs', 'text', 'tokenizer.json'),
    ].entries()) {
      const path = join(folder, `${i}-${name}`)
      await writeFile(path, content)
      expect((await Tokenizer.fromFile(path)).encode('a b').length).toBeGreaterThan(0)
    }
  })

  it('packed text without .gz, and plain text with it', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'x.csv'), gzipSync('text,label\na,b\n'))
    await writeFile(join(folder, 'x.jsonl.gz'), '{"text": "a"}\n')
    expect(await rowsOf('csv', join(folder, 'x.csv'))).toMatchObject([
      { values: { text: 'a', label: 'b' } },
    ])
    expect(await rowsOf('jsonl', join(folder, 'x.jsonl.gz'))).toMatchObject([
      { values: { text: 'a' } },
    ])
  })

  it('weights of safetensors, by `heed inspect`', async () => {
    const path = join(await temporaryFolder(), 'x')
    await writeFile(path, CONTENTS.safetensors)
    expect((await heed('inspect', path)).out).toMatch(/weights .*x(.|\n)*attn/)
  })
})

describe('a folder of a model', () => {
  it.each(FORMATS.filter((format) => format !== 'json'))(
    'explains a config.json with %s',
    async (format) => {
      const folder = await temporaryFolder()
      await writeFile(join(folder, 'config.json'), CONTENTS[format])
      await expect(fromPretrained(folder)).rejects.toThrow(
        heedError('corrupt-file', {
          value: join(folder, 'config.json'),
          mentions: `got ${describeContent(CONTENTS[format]).title}`,
        }),
      )
    },
  )

  it.each(
    FORMATS.filter(
      (format) => !['safetensors', 'torch', 'oldTorch', 'gguf', 'json'].includes(format),
    ),
  )('explains a model.safetensors with %s', async (format) => {
    const folder = await temporaryFolder()
    await cp(join(FIXTURES, 'gpt2', 'base', 'config.json'), join(folder, 'config.json'))
    await writeFile(join(folder, 'model.safetensors'), CONTENTS[format])
    await expect(fromPretrained(folder)).rejects.toThrow(
      heedError('corrupt-file', {
        value: join(folder, 'model.safetensors'),
        mentions: `got ${describeContent(CONTENTS[format]).title}`,
      }),
    )
  })

  it('without a config.json names its GGUF file', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'sub'))
    await writeFile(join(folder, 'q'), CONTENTS.gguf)
    await expect(fromPretrained(folder)).rejects.toThrow(
      heedError('missing-file', { remedy: ['q', 'GGUF'] }),
    )
  })

  it('without weights names a file that holds some', async () => {
    const folder = await temporaryFolder()
    await cp(join(FIXTURES, 'gpt2', 'base', 'config.json'), join(folder, 'config.json'))
    await writeFile(join(folder, 'weights'), CONTENTS.onnx)
    await expect(fromPretrained(folder)).rejects.toThrow(
      heedError('missing-file', { remedy: ['weights', 'ONNX'] }),
    )
  })
})
