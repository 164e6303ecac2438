import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTokens, prepareTokens } from '../../src/data/index.ts'
import { Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { flipBit } from '../support/flip-bit.ts'
import { heedError } from '../support/heed-error.ts'
import { chapters, MIXED } from '../tokenizers/samples.ts'

const texts = [...chapters(3), MIXED.replaceAll('\u0000', '').replaceAll('\r\n', '\n')]
const bpe = trainTokenizer(texts, { type: 'bpe', vocabSize: 500 })

async function setUp(contents = texts): Promise<{ files: string[]; cacheDir: string }> {
  const folder = await temporaryFolder()
  const files = contents.map((_, i) => join(folder, `${i}.txt`))
  await Promise.all(files.map((path, i) => writeFile(path, contents[i])))
  return { files, cacheDir: join(folder, 'cache') }
}

function expectedIds(tokenizer: Tokenizer): number[] {
  const end = tokenizer.eosTokenId === undefined ? [] : [tokenizer.eosTokenId]
  return texts.flatMap((text) => [...tokenizer.encode(text), ...end])
}

async function onlyFolder(cacheDir: string): Promise<string> {
  const names = await readdir(cacheDir)
  expect(names).toHaveLength(1)
  return join(cacheDir, names[0])
}

describe('tokens on disk', () => {
  it('are those of the texts, each with its end', async () => {
    const data = await prepareTokens({ ...(await setUp()), tokenizer: bpe })
    expect([...data.read(0, data.length)]).toEqual(expectedIds(bpe))
    const ends = expectedIds(bpe).flatMap((id, i) => (id === bpe.eosTokenId ? [i + 1] : []))
    expect(data.documents).toEqual([0, ...ends.slice(0, -1)])
    expect(data.vocabSize).toBe(500)
  })

  it('have no ends where the tokenizer has none', async () => {
    const tokenizer = trainTokenizer(texts, { type: 'char' })
    const data = await prepareTokens({ ...(await setUp()), tokenizer })
    expect(tokenizer.decode(data.read(0, data.length))).toBe(texts.join(''))
  })

  it('read the same from many small files as from memory', async () => {
    const setup = await setUp()
    await prepareTokens({ ...setup, tokenizer: bpe, shardTokens: 1000 })
    const folder = await onlyFolder(setup.cacheDir)
    expect((await readdir(folder)).length).toBeGreaterThan(5)
    const data = await openTokens(folder, { maxBytesInMemory: 0 })
    expect([...data.read(0, data.length)]).toEqual(expectedIds(bpe))
    expect([...data.read(995, 2010)]).toEqual(expectedIds(bpe).slice(995, 3005))
    data.close()
  })

  it('take four bytes where two do not reach', async () => {
    const tokenizer = Object.create(bpe, { vocabSize: { value: 70_000 } }) as Tokenizer
    const setup = await setUp()
    const data = await prepareTokens({ ...setup, tokenizer })
    expect([...data.read(0, data.length)]).toEqual(expectedIds(bpe))
    const meta = await readFile(join(await onlyFolder(setup.cacheDir), 'meta.json'), 'utf8')
    expect(JSON.parse(meta).dtype).toBe('u32')
  })

  it('are made once for a text and a tokenizer', async () => {
    const setup = await setUp()
    const stages: string[] = []
    const prepare = (tokenizer: Tokenizer) =>
      prepareTokens({ ...setup, tokenizer, onProgress: (p) => stages.push(p.stage) })
    await prepare(bpe)
    expect(new Set(stages)).toEqual(new Set(['read', 'encode']))
    stages.length = 0
    await bpe.save(join(setup.cacheDir, '../tokenizer'))
    await prepare(await Tokenizer.fromFile(join(setup.cacheDir, '../tokenizer')))
    expect(new Set(stages)).toEqual(new Set(['read']))
    await prepare(trainTokenizer(texts, { type: 'bpe', vocabSize: 400 }))
    await writeFile(setup.files[0], 'another text')
    await prepare(bpe)
    expect(await readdir(setup.cacheDir)).toHaveLength(3)
  })

  it('are made again where they are damaged', async () => {
    const setup = await setUp()
    await prepareTokens({ ...setup, tokenizer: bpe })
    const folder = await onlyFolder(setup.cacheDir)
    const damages = [
      () => truncate(join(folder, 'tokens-00000.bin'), 100),
      () => rm(join(folder, 'tokens-00000.bin')),
      () => writeFile(join(folder, 'meta.json'), '{'),
      () => flipBit(join(folder, 'tokens-00000.bin'), 20),
      () => flipBit(join(folder, 'hashes.json'), 60),
    ]
    for (const damage of damages) {
      await damage()
      const data = await prepareTokens({ ...setup, tokenizer: bpe })
      expect([...data.read(0, data.length)]).toEqual(expectedIds(bpe))
    }
  })

  it('leave nothing behind when they cannot be made', async () => {
    const setup = await setUp()
    const tokenizer = Object.create(bpe, {
      encode: {
        value(text: string) {
          if (text === texts[1]) throw new HeedError('invalid-data', 'broken half-way')
          return [1, 2, 3]
        },
      },
    }) as Tokenizer
    await expect(prepareTokens({ ...setup, tokenizer })).rejects.toThrow(
      heedError('invalid-data', { mentions: 'broken half-way' }),
    )
    expect(await readdir(setup.cacheDir)).toEqual([])
  })

  it('need text', async () => {
    await expect(prepareTokens({ ...(await setUp([''])), tokenizer: bpe })).rejects.toThrow(
      heedError('invalid-data', { key: 'data', mentions: 'got 0 characters' }),
    )
    const setup = await setUp(['', 'some text', ''])
    expect((await prepareTokens({ ...setup, tokenizer: bpe })).documents).toEqual([0])
  })
})

describe('a folder that lies', () => {
  const meta = {
    format: 'heed-tokens',
    version: 1,
    dtype: 'u16',
    vocabSize: 10,
    tokenizerHash: '',
    textHash: '',
    tokens: 4,
    shards: [{ file: 'tokens-00000.bin', tokens: 4 }],
    documents: [0, 2],
  }

  it.each([
    ['another format', { format: 'x' }, { key: 'format' }],
    ['another version', { version: 2 }, { key: 'version' }],
    ['a path', { shards: [{ file: '../../etc/passwd', tokens: 4 }] }, { key: 'shards.0.file' }],
    [
      'a name like a path',
      { shards: [{ file: 'tokens-00000.bin/../x', tokens: 4 }] },
      { key: 'shards.0.file' },
    ],
    ['too many tokens', { tokens: 5 }, { key: '', mentions: '`tokens`' }],
    ['negative tokens', { tokens: -4 }, { key: 'tokens' }],
    [
      'a huge file that is not there',
      { tokens: 1e15, shards: [{ file: 'tokens-00000.bin', tokens: 1e15 }] },
      { mentions: ['tokens-00000.bin', 'got 8'] },
    ],
    ['documents out of order', { documents: [2, 0] }, { key: '', mentions: 'documents' }],
    ['documents beyond the end', { documents: [0, 4] }, { key: '', mentions: 'documents' }],
    ['a huge vocabulary', { vocabSize: 1e12 }, { key: 'vocabSize' }],
  ])('%s is refused', async (_, change, expected) => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'tokens-00000.bin'), new Uint8Array(8))
    await writeFile(join(folder, 'meta.json'), JSON.stringify({ ...meta, ...change }))
    await expect(openTokens(folder)).rejects.toThrow(HeedError)
    await expect(openTokens(folder)).rejects.toThrow(heedError('corrupt-file', expected))
  })

  it.each([0, 1e9])(
    'ids outside the vocabulary are found on reading (memory: %d)',
    async (memory) => {
      const folder = await temporaryFolder()
      await writeFile(
        join(folder, 'tokens-00000.bin'),
        new Uint8Array(Uint16Array.of(1, 9, 10, 1).buffer),
      )
      await writeFile(join(folder, 'meta.json'), JSON.stringify(meta))
      const data = await openTokens(folder, { maxBytesInMemory: memory })
      expect([...data.read(0, 2)]).toEqual([1, 9])
      expect(() => data.read(1, 2)).toThrow(
        heedError('invalid-data', { mentions: ['(10)', 'got 10', 'token 2'] }),
      )
      expect(() => data.read(3, 2)).toThrow(
        heedError('invalid-option', { mentions: ['4 tokens', '3 to 5'] }),
      )
      data.close()
    },
  )
})
