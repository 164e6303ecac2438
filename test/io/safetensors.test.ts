import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  assertFinite,
  openSafetensors,
  type StoredDType,
  type TensorToWrite,
  type TypedArray,
  writeSafetensors,
} from '../../src/io/safetensors/safetensors.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

const tensor = (name: string, dtype: StoredDType, data: TypedArray, shape = [data.length]) => ({
  name,
  dtype,
  shape,
  data,
})

async function saved(...tensors: TensorToWrite[]) {
  const path = join(await temporaryFolder(), 'x.safetensors')
  await writeSafetensors(path, tensors, { format: 'pt' })
  return openSafetensors(path)
}

describe('safetensors', () => {
  it('gives back what was written, in every dtype', async () => {
    const tensors = [
      tensor('flags', 'bool', Uint8Array.of(0, 1, 1)),
      tensor('f64', 'f64', Float64Array.of(Math.PI)),
      tensor('odd', 'f16', Uint16Array.of(0x3c00, 0x7e01, 1)),
      tensor('bf16', 'bf16', Uint16Array.of(0x3f80)),
      tensor('f32', 'f32', Float32Array.of(1, -0, Number.NaN, 4, 5, 6), [1, 2, 3]),
      tensor('i64', 'i64', BigInt64Array.of(-(2n ** 63n), 5n)),
      tensor('u64', 'u64', BigUint64Array.of(2n ** 64n - 1n)),
      tensor('i32', 'i32', Int32Array.of(-7)),
      tensor('u32', 'u32', Uint32Array.of(4e9)),
      tensor('i16', 'i16', Int16Array.of(-300)),
      tensor('u16', 'u16', Uint16Array.of(65535)),
      tensor('i8', 'i8', Int8Array.of(-128)),
      tensor('u8', 'u8', Uint8Array.of(255)),
      tensor('f8', 'f8_e4m3', Uint8Array.of(0x38)),
      tensor('empty', 'f32', new Float32Array(0), [0, 4]),
      tensor('scalar', 'f32', Float32Array.of(2.5), []),
      tensor('constructor', 'f32', Float32Array.of(1)),
    ]
    const file = await saved(...tensors)
    expect(file.metadata).toEqual({ format: 'pt' })
    expect([...file.names].sort()).toEqual(tensors.map((t) => t.name).sort())
    for (const { name, dtype, shape, data } of tensors) {
      expect(file.info(name)).toMatchObject({ dtype, shape, bytes: data.byteLength })
      expect(await file.read(name)).toEqual(data)
    }
    await file.close()
  })

  it('has a header of a multiple of 8 bytes and aligned tensors', async () => {
    const file = await saved(
      tensor('a', 'u8', new Uint8Array(3)),
      tensor('b', 'f32', new Float32Array(3)),
      tensor('c', 'f64', new Float64Array(1)),
    )
    const bytes = await readFile(file.path)
    await file.close()
    const length = Number(bytes.readBigUInt64LE())
    expect(length % 8).toBe(0)
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length))
    expect(header.c).toEqual({ dtype: 'F64', shape: [1], data_offsets: [0, 8] })
    expect(header.b.data_offsets).toEqual([8, 20])
    expect(header.a.data_offsets).toEqual([20, 23])
  })

  it('converts to f32 and i32 on request', async () => {
    const file = await saved(
      tensor('f16', 'f16', Float32Array.of(1 / 3, -65504)),
      tensor('bf16', 'bf16', Float32Array.of(1 / 3, 1.01)),
      tensor('f64', 'f64', Float64Array.of(1 / 3)),
      tensor('i64', 'i64', Int32Array.of(-1, 2147483647)),
      tensor('u8', 'u8', Uint8Array.of(200)),
      tensor('none', 'f16', new Float32Array(0), [0]),
    )
    expect(await file.read('f16', { as: 'f32' })).toEqual(Float32Array.of(0.333251953125, -65504))
    expect(await file.read('bf16', { as: 'f32' })).toEqual(Float32Array.of(0.333984375, 1.0078125))
    expect(await file.read('f64', { as: 'f32' })).toEqual(Float32Array.of(1 / 3))
    expect(await file.read('i64', { as: 'i32' })).toEqual(Int32Array.of(-1, 2147483647))
    expect(await file.read('i64', { as: 'f32' })).toEqual(Float32Array.of(-1, 2147483647))
    expect(await file.read('u8', { as: 'i32' })).toEqual(Int32Array.of(200))
    expect(await file.read('none', { as: 'f32' })).toEqual(new Float32Array(0))
    await expect(file.read('f64', { as: 'i32' })).rejects.toThrow(
      heedError('unsupported', { key: 'f64', value: 'f64' }),
    )
    await file.close()
  })

  it('refuses integers that do not fit, by name, value and place', async () => {
    const file = await saved(
      tensor('above', 'i64', BigInt64Array.of(0n, 2n ** 31n)),
      tensor('below', 'i64', BigInt64Array.of(-(2n ** 31n) - 1n)),
      tensor('u64', 'u64', BigUint64Array.of(2n ** 64n - 1n)),
      tensor('u32', 'u32', Uint32Array.of(2 ** 31)),
    )
    const read = (name: string) => file.read(name, { as: 'i32' })
    await expect(read('above')).rejects.toThrow(
      heedError('unsupported', { key: 'above', mentions: ['got 2147483648', 'element 1'] }),
    )
    await expect(read('below')).rejects.toThrow(
      heedError('unsupported', { key: 'below', mentions: ['got -2147483649', 'element 0'] }),
    )
    await expect(read('u64')).rejects.toThrow(
      heedError('unsupported', { key: 'u64', mentions: '18446744073709551615' }),
    )
    await expect(read('u32')).rejects.toThrow(
      heedError('unsupported', { key: 'u32', value: 2147483648 }),
    )
    await file.close()
  })

  it('reads floats of 8 bits, and what it can beside types that it cannot', async () => {
    const bits = Uint8Array.of(0x00, 0x01, 0x38, 0xb8, 0x7e, 0x80)
    const file = await saved(
      tensor('e4m3', 'f8_e4m3', bits),
      tensor('e5m2', 'f8_e5m2', Uint8Array.of(0x00, 0x01, 0x3c, 0xbc, 0x7b, 0x7c)),
      tensor('e8m0', 'f8_e8m0', Uint8Array.of(0, 127, 128, 254)),
    )
    expect([...(await file.read('e4m3', { as: 'f32' }))]).toEqual([0, 2 ** -9, 1, -1, 448, -0])
    expect([...(await file.read('e5m2', { as: 'f32' }))]).toEqual([0, 2 ** -16, 1, -1, 57344, Infinity]) // biome-ignore format: one line
    expect([...(await file.read('e8m0', { as: 'f32' }))]).toEqual([2 ** -127, 1, 2, 2 ** 127])
    await file.close()
    for (const [dtype, shape, bytes] of [
      ['C64', [1], 8],
      ['F4', [2, 4], 4],
      ['F6_E2M3', [4], 3],
    ] as const) {
      const header = { a: { dtype, shape, data_offsets: [0, bytes] }, b: { dtype: 'F32', shape: [1], data_offsets: [bytes, bytes + 4] } } // biome-ignore format: one line
      const json = Buffer.from(JSON.stringify(header))
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(json.length))
      const path = join(await temporaryFolder(), 'odd.safetensors')
      const data = Buffer.alloc(bytes + 4)
      data.writeFloatLE(2.5, bytes)
      await writeFile(path, Buffer.concat([length, json, data]))
      const odd = await openSafetensors(path)
      expect([...(await odd.read('b'))]).toEqual([2.5])
      expect(odd.info('a')).toMatchObject({ dtype: dtype.toLowerCase(), shape })
      await expect(odd.read('a', { as: 'f32' })).rejects.toMatchObject({ code: 'unsupported', details: { key: 'a' } }) // biome-ignore format: one line
      await odd.close()
    }
  })

  it('converts large tensors piece by piece', async () => {
    const data = Float32Array.from({ length: 2 ** 22 + 2 ** 20 + 77 }, (_, i) => i % 2048)
    const file = await saved(tensor('w', 'f16', data))
    expect(
      Buffer.from((await file.read('w', { as: 'f32' })).buffer).equals(Buffer.from(data.buffer)),
    ).toBe(true)
    await file.close()
  })

  it('names the tensor that was probably meant', async () => {
    const file = await saved(tensor('transformer.wte.weight', 'f32', Float32Array.of(1)))
    await expect(file.read('wte.weight')).rejects.toThrow(
      heedError('unknown-name', { remedy: '"transformer.wte.weight"' }),
    )
    await file.close()
  })

  it('finds NaN and infinities', () => {
    expect(() => assertFinite(Float32Array.of(1, 2), 'w', 'f')).not.toThrow()
    expect(() => assertFinite(Float32Array.of(1, Number.NaN), 'w', 'f.safetensors')).toThrow(
      heedError('corrupt-file', {
        key: 'w',
        value: Number.NaN,
        mentions: ['f.safetensors', 'element 1'],
      }),
    )
    expect(() => assertFinite(Float32Array.of(-Infinity), 'w', 'f')).toThrow(
      heedError('corrupt-file', { key: 'w', value: -Infinity }),
    )
  })
})

describe('writeSafetensors', () => {
  const bad: [what: string, tensor: unknown, error: unknown][] = [
    [
      'a wrong count',
      tensor('w', 'f32', new Float32Array(3), [2, 2]),
      heedError('invalid-option', { mentions: ['"w"', '4 elements', '[2,2]', 'got 3'] }),
    ],
    [
      'a wrong array',
      tensor('w', 'i32', new Float32Array(1)),
      heedError('invalid-option', { mentions: ['"w"', 'i32', 'Float32Array'] }),
    ],
    [
      'a number too large for f16',
      tensor('w', 'f16', Float32Array.of(7e4)),
      heedError('invalid-option', { mentions: ['f16', 'got 70000'], remedy: 'bf16' }),
    ],
    [
      '__proto__',
      tensor('__proto__', 'f32', new Float32Array(1)),
      heedError('invalid-option', { mentions: '"__proto__"' }),
    ],
    [
      'a full disk',
      { ...tensor('w', 'f32', new Float32Array(1)), data: async () => fail('ENOSPC') },
      heedError('file-system', { mentions: 'disk', remedy: 'space' }),
    ],
    [
      'a folder without permission',
      { ...tensor('w', 'f32', new Float32Array(1)), data: async () => fail('EACCES') },
      heedError('file-system', { mentions: 'permission', remedy: 'permissions' }),
    ],
  ]

  function fail(code: string): never {
    throw Object.assign(new Error(code), { code })
  }

  it.each(bad)(
    'refuses %s, keeps the old file and leaves nothing behind',
    async (_what, broken, expected) => {
      const folder = await temporaryFolder()
      const path = join(folder, 'model.safetensors')
      await writeFile(path, 'the old file')
      const first = tensor('first', 'f64', Float64Array.of(1))
      const error = await writeSafetensors(path, [first, broken as TensorToWrite]).catch(
        (e: unknown) => e,
      )
      expect(error).toEqual(expected)
      expect(error).toHaveProperty('message', expect.stringContaining(path))
      expect(await readdir(folder)).toEqual(['model.safetensors'])
      expect(await readFile(path, 'utf8')).toBe('the old file')
    },
  )

  it('fetches one tensor at a time', async () => {
    const path = join(await temporaryFolder(), 'x.safetensors')
    let open = 0
    const lazy = (name: string) => ({
      ...tensor(name, 'f32', new Float32Array(1)),
      data: async () => {
        expect(open++).toBe(0)
        await new Promise((resolve) => setTimeout(resolve, 2))
        open--
        return Float32Array.of(name.length)
      },
    })
    await writeSafetensors(path, [lazy('a'), lazy('bb')])
    const file = await openSafetensors(path)
    expect(await file.read('bb')).toEqual(Float32Array.of(2))
    await file.close()
  })

  it('says so when the folder is not there', async () => {
    const path = join(await temporaryFolder(), 'no', 'x.safetensors')
    await expect(writeSafetensors(path, [])).rejects.toThrow(
      heedError('missing-file', { value: path }),
    )
  })
})
