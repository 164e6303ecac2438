import { rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { type GGUFFile, type GGUFType, openGGUF, showValue } from '../../src/io/gguf/gguf.ts'
import type { GGUFValue } from '../../src/io/gguf/types.ts'
import { writeGGUF } from '../../src/io/gguf/write.ts'
import { openSafetensors, type Safetensors } from '../../src/io/safetensors/safetensors.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/gguf/', import.meta.url))

describe('a file of gguf-py', () => {
  let file: GGUFFile
  let decoded: Safetensors
  beforeAll(async () => {
    file = await openGGUF(join(FIXTURES, 'blocks.gguf'))
    decoded = await openSafetensors(join(FIXTURES, 'blocks.safetensors'))
    return async () => {
      await file.close()
      await decoded.close()
    }
  })

  it('decodes every type to the same bits', async () => {
    expect(file.names).toHaveLength(26)
    for (const type of file.names) {
      const values = await file.read(type)
      expect(file.info(type).type).toBe(type)
      expect(file.info(type).shape).toEqual(decoded.info(type).shape)
      expect(bitsOf(values), type).toEqual(bitsOf(await decoded.read(type, { as: 'f32' })))
    }
  })

  it('gives every type of metadata', () => {
    const values = [...file.metadata.entries].filter(([key]) => key.startsWith('a.'))
    expect(Object.fromEntries(values.map(([key, entry]) => [key, entry.value]))).toEqual({
      'a.u8': 200,
      'a.i8': -100,
      'a.u16': 60000,
      'a.i16': -30000,
      'a.u32': 4000000000,
      'a.i32': -2000000000,
      'a.f32': 0.15625,
      'a.bool': true,
      'a.string': 'grün ✓',
      'a.strings': ['one', '', 'drei ✓'],
      'a.floats': [0.5, -1.25],
      'a.u64': 2n ** 63n + 1n,
      'a.i64': -(2 ** 40),
      'a.f64': 1e300,
    })
  })

  it('names the key and the kind when asked for another kind', () => {
    const { metadata } = file
    expect(() => metadata.number('a.string')).toThrow(
      heedError('corrupt-file', { key: 'a.string', value: 'grün ✓' }),
    )
    expect(() => metadata.string('a.u8')).toThrow(
      heedError('corrupt-file', { key: 'a.u8', value: 200 }),
    )
    expect(() => metadata.strings('a.floats')).toThrow(
      heedError('corrupt-file', {
        key: 'a.floats',
        value: [0.5, -1.25],
        mentions: '[2: 0.5, -1.25]',
      }),
    )
    expect(() => metadata.number('toString')).toThrow(
      heedError('corrupt-file', { key: 'toString' }),
    )
    expect(metadata.number('absent', 3)).toBe(3)
    expect(metadata.bool('a.bool', false)).toBe(true)
  })
})

describe('writing and reading', () => {
  it('gives back metadata and tensors', async () => {
    const path = join(await temporaryFolder(), 'x.gguf')
    const metadata: Record<string, GGUFValue> = {
      'general.architecture': { type: 'string', value: 'test' },
      big: { type: 'u64', value: 2n ** 64n - 1n },
      least: { type: 'i64', value: -(2n ** 63n) },
      minus: { type: 'i8', value: -3 },
      third: { type: 'f64', value: 1 / 3 },
      yes: { type: 'array', of: 'bool', value: [true, false] },
      nested: {
        type: 'array',
        of: 'array',
        value: [
          { type: 'array', of: 'string', value: ['a'.repeat(100_000), ''] },
          { type: 'array', of: 'u16', value: [] },
        ],
      },
    }
    const floats = Float32Array.of(1, 2, 3, 4, 5, 6)
    const tensors = [
      tensor('a', 'f32', [2, 3], new Uint8Array(floats.buffer)),
      tensor(
        'b',
        'q8_0',
        [3, 64],
        Uint8Array.from({ length: 204 }, (_, i) => i),
      ),
      tensor('empty', 'f32', [0, 7], new Uint8Array()),
      tensor('scalar', 'f16', [], Uint8Array.of(0, 0x3c)),
    ]
    await writeGGUF(path, metadata, tensors)
    const file = await openGGUF(path)
    expect(Object.fromEntries(file.metadata.entries)).toEqual(metadata)
    expect(file.names).toEqual(['a', 'b', 'empty', 'scalar'])
    expect(await file.read('a')).toEqual(floats)
    expect(file.info('a').shape).toEqual([2, 3])
    expect(await file.readBlocks('b')).toEqual(tensors[1].data)
    expect(await file.read('empty')).toEqual(new Float32Array())
    expect(await file.read('scalar')).toEqual(Float32Array.of(1))
    await file.close()
    await expect(file.read('a')).rejects.toThrow(heedError('invalid-state', { key: 'a' }))
  })

  it('keeps what it cannot decode, and names its type', async () => {
    const path = join(await temporaryFolder(), 'x.gguf')
    await writeGGUF(path, {}, [tensor('w', 'q1_0', [1, 128], new Uint8Array(18))])
    const file = await openGGUF(path)
    expect(await file.readBlocks('w')).toHaveLength(18)
    await expect(file.read('w')).rejects.toThrow(
      heedError('unsupported', { mentions: ['"w"', 'got Q1_0'], remedy: 'Q4_K' }),
    )
    await expect(file.read('v')).rejects.toThrow(
      heedError('unknown-name', { key: 'name', value: 'v' }),
    )
    await file.close()
  })

  it('reads piece by piece what is larger than a piece', async () => {
    const path = join(await temporaryFolder(), 'x.gguf')
    const values = Float32Array.from({ length: 70_000 }, (_, i) => i)
    const data = new Uint8Array(values.buffer)
    await writeGGUF(path, {}, [tensor('w', 'f32', [7, 10_000], data)])
    const file = await openGGUF(path)
    const starts: number[] = []
    for await (const piece of file.pieces('w')) {
      starts.push(piece.start)
      expect(piece.values).toEqual(values.subarray(piece.start, piece.start + piece.values.length))
    }
    expect(starts).toEqual([0, 32768, 65536])
    await truncate(path, 200_000)
    await expect(file.read('w')).rejects.toThrow(heedError('file-system', { value: path }))
    await file.close()
  })

  it('refuses data of another size, and leaves the old file', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'x.gguf')
    await writeFile(path, 'old')
    const wrong = tensor('w', 'f32', [2], new Uint8Array(7))
    await expect(writeGGUF(path, {}, [wrong])).rejects.toThrow(
      heedError('invalid-option', { key: 'w', value: 7, mentions: '8 bytes' }),
    )
    await rename(path, join(folder, 'still-there'))
  })

  it('shows values short', () => {
    expect(showValue({ type: 'array', of: 'i32', value: [1, 2, 3, 4, 5, 6, 7] })).toBe(
      '[7: 1, 2, 3, 4, 5, 6, …]',
    )
    expect(showValue({ type: 'string', value: 'a\u001b' })).toBe('"a\\u001b"')
  })
})

const bitsOf = ({ buffer, length }: Float32Array): Uint32Array => new Uint32Array(buffer, 0, length)

function tensor(name: string, type: GGUFType, shape: number[], data: Uint8Array) {
  return { name, type, shape, data }
}
