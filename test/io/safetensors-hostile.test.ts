import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSafetensors, writeSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { HeedError } from '../../src/util/errors.ts'
import { heedError } from '../support/heed-error.ts'
import { posixOnly } from '../support/posix-only.ts'
import { temporaryFolder } from './temporary-folder.ts'

function fileBytes(header: unknown, dataBytes: number, claimed?: bigint): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(claimed ?? BigInt(json.length))
  return Buffer.concat([prefix, json, Buffer.alloc(dataBytes)])
}

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
})

const HOSTILE: [what: string, bytes: Uint8Array, mentions: RegExp][] = [
  ['no header length', Buffer.alloc(7), /got 7 bytes/],
  ['a header of 100 GB', fileBytes({}, 0, 100_000_000_000n), /header .*100000000000 bytes/],
  ['a header of 2^64 - 1', fileBytes({}, 0, 2n ** 64n - 1n), /18446744073709551615 bytes/],
  ['a header past the end', fileBytes({}, 0, 50n), /50 bytes .*\b10\b/],
  ['an empty header', fileBytes('', 0), /header .*line 1, column 1: .*empty/],
  ['not JSON', fileBytes('{"a": }', 0), /header of .*line 1, column 7/],
  [
    'not UTF-8',
    Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0xff, 0xfe])]),
    /UTF-8/,
  ],
  ['a list', fileBytes([], 0), /JSON object/],
  ['deep nesting', fileBytes('['.repeat(100_000), 0), /256 levels/],
  ['a tensor that is a number', fileBytes({ w: 5 }, 0), /"w": .*entry/],
  ['unknown dtype', fileBytes({ w: { ...f32([1], 0, 4), dtype: 'F13' } }, 4), /"w": .*dtype "F13"/],
  [
    'dtype by prototype',
    fileBytes({ w: { ...f32([1], 0, 4), dtype: 'TOSTRING' } }, 4),
    /"w": .*dtype "TOSTRING"/,
  ],
  ['no dtype', fileBytes({ w: { shape: [1], data_offsets: [0, 4] } }, 4), /"w": .*dtype missing/],
  ['negative size', fileBytes({ w: f32([-1], 0, 4) }, 4), /"w": shape \[-1\]/],
  ['two negative sizes', fileBytes({ w: f32([-1, -1], 0, 4) }, 4), /shape \[-1,-1\]/],
  ['a fraction', fileBytes({ w: f32([0.5, 2], 0, 4) }, 4), /shape \[0.5,2\]/],
  ['a size in words', fileBytes({ w: f32(['1'], 0, 4) }, 4), /shape \["1"\]/],
  [
    'huge sizes',
    fileBytes({ w: f32([2 ** 52, 2 ** 52], 0, 4) }, 4),
    /"w".* bytes.*data_offsets .*\b4\b/,
  ],
  ['sizes past 2^53', fileBytes({ w: f32([2 ** 54], 0, 4) }, 4), /shape \[18014398509481984\]/],
  [
    '1e999',
    fileBytes('{"w":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}}', 4),
    /"w": shape/,
  ],
  [
    'NaN',
    fileBytes('{"w":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', 4),
    /header .*line 1, column \d+.*NaN/,
  ],
  ['wrong byte count', fileBytes({ w: f32([2], 0, 4) }, 4), /shape \[2\].*F32.* 8 bytes.*\b4\b/],
  ['begin after end', fileBytes({ w: f32([1], 4, 0) }, 4), /data_offsets \[4,0\]/],
  ['negative offset', fileBytes({ w: f32([1], -4, 0) }, 4), /data_offsets \[-4,0\]/],
  [
    'three offsets',
    fileBytes({ w: { ...f32([1], 0, 4), data_offsets: [0, 4, 8] } }, 4),
    /data_offsets/,
  ],
  ['out of range', fileBytes({ w: f32([2], 0, 8) }, 4), /"w".* byte 8\b.*\b4\b/],
  [
    'far out of range',
    fileBytes({ w: f32([1], 1e15, 1e15 + 4) }, 4),
    /"w".* byte 1000000000000004\b/,
  ],
  ['an overlap', fileBytes({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), /"b" .*byte 4 overlaps/],
  [
    'the same bytes twice',
    fileBytes({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4),
    /"b" .*byte 0 overlaps/,
  ],
  [
    'a hole',
    fileBytes({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12),
    /"b" .*byte 8 .*gap .*\b4\b/,
  ],
  ['a hole at the start', fileBytes({ a: f32([1], 4, 8) }, 8), /"a" .*byte 4 .*gap .*\b4\b/],
  ['bytes at the end', fileBytes({ a: f32([1], 0, 4) }, 9), /\b5 bytes\b/],
  ['data without tensors', fileBytes({}, 4), /\b4 bytes\b/],
  [
    'a name twice',
    fileBytes('{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"w":1}', 0),
    /"w".* twice/,
  ],
  [
    'a field twice',
    fileBytes('{"w":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}', 0),
    /"dtype".* twice/,
  ],
  [
    '__proto__',
    fileBytes('{"__proto__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}', 0),
    /"__proto__"/,
  ],
  ['__proto__ in metadata', fileBytes('{"__metadata__":{"__proto__":"x"}}', 0), /"__proto__"/],
  ['metadata of numbers', fileBytes({ __metadata__: { a: 1 } }, 0), /__metadata__ "a".*string/],
  ['metadata as a list', fileBytes({ __metadata__: ['a'] }, 0), /__metadata__ /],
  ['control characters', fileBytes({ '\u001b[31m\n': 1 }, 0), /tensor "\\u001b\[31m\\n"/],
]

describe('openSafetensors refuses', () => {
  it.each(HOSTILE)('%s', async (_what, bytes, mentions) => {
    const path = join(await temporaryFolder(), 'x.safetensors')
    await writeFile(path, bytes)
    const error = await openSafetensors(path).catch((e: unknown) => e)
    expect(error).toEqual(heedError('corrupt-file', { mentions }))
    expect(error).toHaveProperty('message', expect.stringContaining(path))
    expect(({} as Record<string, unknown>).dtype).toBeUndefined()
  })

  it('a file cut short at any byte', async () => {
    const path = join(await temporaryFolder(), 'x.safetensors')
    const data = new Float32Array(3)
    await writeSafetensors(path, [{ name: 'w', dtype: 'f32', shape: [3], data }])
    const whole = await readFile(path)
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path, whole.subarray(0, length))
      await expect(openSafetensors(path), `${length} bytes`).rejects.toThrow(HeedError)
    }
  })

  it('to read on when the file shrinks after it was opened', async () => {
    const path = join(await temporaryFolder(), 'x.safetensors')
    await writeSafetensors(path, [
      { name: 'w', dtype: 'f32', shape: [3], data: new Float32Array(3) },
    ])
    const file = await openSafetensors(path)
    await truncate(path, 70)
    await expect(file.read('w')).rejects.toThrow(heedError('file-system', { value: path }))
    await file.close()
    await expect(file.read('w')).rejects.toThrow(heedError('invalid-state', { key: 'w' }))
  })

  it('a missing file, a folder without weights, a device', async () => {
    const folder = await temporaryFolder()
    await expect(openSafetensors(join(folder, 'no.safetensors'))).rejects.toThrow(
      heedError('missing-file', { value: join(folder, 'no.safetensors') }),
    )
    await expect(openSafetensors(folder)).rejects.toThrow(
      heedError('missing-file', { mentions: 'model.safetensors' }),
    )
    if (!posixOnly('devices are no files'))
      await expect(openSafetensors('/dev/zero')).rejects.toThrow(
        heedError('file-system', { value: '/dev/zero' }),
      )
  })
})

describe('a sharded checkpoint', () => {
  const shard = (name: string) => [
    { name, dtype: 'f32' as const, shape: [1], data: Float32Array.of(name.length) },
  ]

  async function makeShards(map: unknown): Promise<string> {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'model'))
    await writeSafetensors(join(folder, 'secret.safetensors'), shard('key'))
    await writeSafetensors(join(folder, 'model', 'model-1-of-2.safetensors'), shard('a'))
    await writeSafetensors(join(folder, 'model', 'model-2-of-2.safetensors'), shard('bb'))
    const index = { metadata: { total_size: 8 }, weight_map: map }
    await writeFile(join(folder, 'model', 'model.safetensors.index.json'), JSON.stringify(index))
    return join(folder, 'model')
  }

  it('is read as one', async () => {
    const folder = await makeShards({
      a: 'model-1-of-2.safetensors',
      bb: 'model-2-of-2.safetensors',
    })
    const file = await openSafetensors(folder)
    expect(file.names).toEqual(['a', 'bb'])
    expect(file.info('bb')).toMatchObject({ dtype: 'f32', shape: [1], bytes: 4 })
    expect(await file.read('bb', { as: 'f32' })).toEqual(Float32Array.of(2))
    expect(() => file.info('c')).toThrow(heedError('unknown-name', { key: 'name', value: 'c' }))
    await file.close()
  })

  it.each([
    '../secret.safetensors',
    '/etc/x.safetensors',
    '..\\secret.safetensors',
    'C:x.safetensors',
    'sub/../model-1-of-2.safetensors',
    '..',
    '',
    'model.pkl',
    'a\0.safetensors',
    5,
  ])('cannot name %j', async (name) => {
    const folder = await makeShards({ key: name })
    await expect(openSafetensors(folder)).rejects.toThrow(heedError('corrupt-file', { key: 'key' }))
  })

  it('must hold what its index promises', async () => {
    const missing = await makeShards({ a: 'model-9-of-2.safetensors' })
    await expect(openSafetensors(missing)).rejects.toThrow(
      heedError('missing-file', { mentions: 'model-9-of-2.safetensors' }),
    )
    const elsewhere = await makeShards({ a: 'model-2-of-2.safetensors' })
    await expect(openSafetensors(elsewhere)).rejects.toThrow(
      heedError('unknown-name', { key: 'name', value: 'a', mentions: 'model-2-of-2.safetensors' }),
    )
    await expect(openSafetensors(await makeShards(undefined))).rejects.toThrow(
      heedError('corrupt-file', { key: 'weight_map' }),
    )
  })
})
