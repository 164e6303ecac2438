import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRows } from '../../src/data/index.ts'
import { ByteReader } from '../../src/data/parquet/byte-reader.ts'
import { loadCodecs } from '../../src/data/parquet/codecs.ts'
import { Damage } from '../../src/data/parquet/damage.ts'
import { readRuns } from '../../src/data/parquet/runs.ts'
import { ThriftReader } from '../../src/data/parquet/thrift.ts'
import { HeedError } from '../../src/util/errors.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const fixture = (name: string): string => join(FIXTURES, 'rows', name)
const FILES = 'none snappy gzip zstd brotli lz4 leaves-1 leaves-2 nested'.split(' ')

async function read(path: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const { values } of (await openRows(path)).rows()) rows.push(values)
  return rows
}

describe('files of pyarrow', () => {
  it.each(['leaves-1', 'leaves-2', 'nested'])('are read as they were written: %s', async (name) => {
    const expected = JSON.parse(readFileSync(fixture(`${name}.json`), 'utf8'))
    const rows = await read(fixture(`${name}.parquet`))
    expect(JSON.parse(JSON.stringify(rows, bytesAsList))).toEqual(expected)
  })
})

describe('changed bytes', () => {
  it.each([
    ['none', 5654, 0o27],
    ['snappy', 3399, 0o50],
  ])('of %s.parquet that once ended the process are an error', async (name, at, byte) => {
    await expect(readChanged(`${name}.parquet`, at, byte)).resolves.toBeInstanceOf(HeedError)
  })

  it.each(FILES)('of %s give rows or one error', async (name) => {
    const bytes = readFileSync(fixture(`${name}.parquet`))
    const random = draws(name.length + bytes.length)
    for (let i = 0; i < 60; i++) {
      const at = random() % bytes.length
      const result = await readChanged(`${name}.parquet`, at, random() % 256)
      expect(result === null || result instanceof HeedError, `byte ${at}: ${result}`).toBe(true)
    }
  })

  it('of a footer that is cut are an error', async () => {
    const bytes = readFileSync(fixture('none.parquet'))
    const path = join(await temporaryFolder(), 'a.parquet')
    for (const length of [4, 11, 12, 100, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length))
      await expect(read(path)).rejects.toThrow(
        heedError('corrupt-file', { mentions: [path, 'Parquet'] }),
      )
    }
  })
})

describe('counts are checked against the bytes that are there:', () => {
  it.each([
    ['a run', [0x80, 0x80, 0x80, 0x80, 0x10, 1], /run of \d+ values .* 20/],
    ['packed bits', [0xff, 0xff, 0xff, 0xff, 0x0f], /values of \d+ bytes .* 0/],
    ['nothing', [], /values of 1 bytes .* 0/],
    ['an endless integer', Array(12).fill(0xff), /more than 10 bytes/],
  ])('%s', (_, bytes, message) => {
    const reader = new ByteReader(Uint8Array.from(bytes))
    expect(() => readRuns(reader, 3, new Uint8Array(20))).toThrow(message)
  })

  it.each([
    ['a list', [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07], /a list of \d+ items has 0 bytes/],
    ['a text', [0x18, 0xff, 0xff, 0x03], /65535 bytes .* 0/],
    ['a deep struct', Array(99).fill(0x1c), /nested/],
    ['a deep list', Array(99).fill(0x19), /nested/],
    ['a struct without an end', [0x15, 0x02], /ends early/],
    ['an unknown type', [0x1e], /type 14/],
  ])('%s', (_, bytes, message) => {
    expect(() => new ThriftReader(Uint8Array.from(bytes)).struct()).toThrow(message)
  })

  it('runs and packed bits of every width', () => {
    for (let width = 1; width <= 32; width++) {
      const values = Array.from({ length: 16 }, (_, i) => (i * 2654435761) % 2 ** width)
      const bits = values
        .map((value) => value.toString(2).padStart(width, '0'))
        .reverse()
        .join('')
      const packed =
        bits
          .match(/.{8}/g)
          ?.reverse()
          .map((byte) => Number.parseInt(byte, 2)) ?? []
      const run = Array.from({ length: Math.ceil(width / 8) }, (_, i) => (5 >> (8 * i)) & 255)
      const reader = new ByteReader(Uint8Array.from([5, ...packed, 6, ...run]))
      const out = new Uint32Array(19)
      readRuns(reader, width, out)
      expect(Array.from(out), `width ${width}`).toEqual([...values, 5, 5, 5])
    }
  })
})

async function readChanged(name: string, at: number, byte: number): Promise<unknown> {
  const bytes = Buffer.from(readFileSync(fixture(name)))
  bytes[at] = byte
  const path = join(await temporaryFolder(), 'a.parquet')
  await writeFile(path, bytes)
  return read(path).then(
    () => null,
    (error: unknown) => error,
  )
}

function bytesAsList(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Array.from(value) : value
}

/** Whole numbers from 0 on, always the same. */
function draws(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}

describe('codecs', () => {
  const pages: Record<string, string> = JSON.parse(readFileSync(fixture('pages.json'), 'utf8'))
  const { text, ...packed } = Object.fromEntries(
    Object.entries(pages).map(([name, base64]) => [
      name,
      new Uint8Array(Buffer.from(base64, 'base64')),
    ]),
  )
  const numbers = { snappy: 1, gzip: 2, brotli: 4, hadoop: 5, zstd: 6, 'zstd-open': 6, lz4: 7 }

  it.each(Object.entries(numbers))(
    'give a page whole, or say that it is damaged: %s',
    async (name, codec) => {
      const unpack = (await loadCodecs())(codec)
      const page = packed[name]
      expect(unpack(page, text.length)).toEqual(text)
      for (const wrong of [-5, -1, 1, 5])
        expect(() => unpack(page, text.length + wrong), `${wrong} bytes`).toThrow(Damage)
      for (let end = 0; end < page.length; end++)
        expect(() => unpack(page.subarray(0, end), text.length), `the first ${end}`).toThrow(Damage)
    },
  )

  it.each(Object.entries(numbers))('say of noise that it is damaged: %s', async (name, codec) => {
    const unpack = (await loadCodecs())(codec)
    let state = 4
    const byte = (): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state >>> 24
    }
    for (let length = 1; length < 50; length++) {
      const bytes = Uint8Array.from({ length }, byte)
      if (name.startsWith('zstd')) bytes.set(packed.zstd.slice(0, Math.min(4, length)))
      expect(() => unpack(bytes, 1000), `${length} bytes`).toThrow(Damage)
    }
  })
})
