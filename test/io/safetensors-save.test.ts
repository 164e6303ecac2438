import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  openSafetensors,
  saveSafetensors,
  type TensorToWrite,
  writeSafetensors,
} from '../../src/io/safetensors/safetensors.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** `count` tensors of 1000 bytes, filled with their number plus `base`. */
const tensors = (count: number, base = 0): TensorToWrite[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `h.${i}.weight`,
    dtype: 'f32',
    shape: [25, 10],
    data: new Float32Array(250).fill(base + i),
  }))

async function firstValues(dir: string): Promise<Record<string, number>> {
  const file = await openSafetensors(dir)
  const values: Record<string, number> = {}
  for (const name of file.names) values[name] = (await file.read(name, { as: 'f32' }))[0]
  await file.close()
  return values
}

const weightFiles = async (dir: string): Promise<string[]> => (await readdir(dir)).sort()

describe('saveSafetensors', () => {
  it('writes one file when one holds everything', async () => {
    const dir = await temporaryFolder()
    await saveSafetensors(dir, tensors(3), { maxShardBytes: 3000 })
    expect(await weightFiles(dir)).toEqual(['model.safetensors'])
    expect(await firstValues(dir)).toEqual({ 'h.0.weight': 0, 'h.1.weight': 1, 'h.2.weight': 2 })
  })

  it('cuts into shards of at most the size, with an index that sums them', async () => {
    const dir = await temporaryFolder()
    await saveSafetensors(dir, tensors(5), { maxShardBytes: 2500 })
    expect(await weightFiles(dir)).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ])
    const index = JSON.parse(await readFile(join(dir, 'model.safetensors.index.json'), 'utf8'))
    expect(index.metadata.total_size).toBe(5000)
    expect(index.weight_map['h.3.weight']).toBe('model-00002-of-00003.safetensors')
    expect(Object.values(await firstValues(dir))).toEqual([0, 1, 2, 3, 4])
  })

  it('gives a tensor above the size a file to itself', async () => {
    const dir = await temporaryFolder()
    await saveSafetensors(dir, tensors(3), { maxShardBytes: 10 })
    expect((await weightFiles(dir)).length).toBe(4)
    expect(Object.values(await firstValues(dir))).toEqual([0, 1, 2])
  })

  it.each([
    ['sharded over sharded', 2500, 2500],
    ['one file over shards', 2500, 1e6],
    ['shards over one file', 1e6, 2500],
  ])('leaves nothing of an earlier save: %s', async (_, before, after) => {
    const dir = await temporaryFolder()
    await mkdir(join(dir, 'sub'))
    await writeFile(join(dir, 'adapter.safetensors'), 'of somebody else')
    await saveSafetensors(dir, tensors(5), { maxShardBytes: before })
    await saveSafetensors(dir, tensors(5, 10), { maxShardBytes: after })
    expect(Object.values(await firstValues(dir))).toEqual([10, 11, 12, 13, 14])
    const files = await weightFiles(dir)
    expect(files).toHaveLength(after === 2500 ? 6 : 3)
    expect(files).toEqual(expect.arrayContaining(['adapter.safetensors', 'sub']))
  })

  it.each([
    ['sharded over sharded', 2500, 2500],
    ['one file over shards', 2500, 1e6],
    ['shards over one file', 1e6, 2500],
  ])('keeps the earlier save at every moment of a failing one: %s', async (_, before, after) => {
    const dir = await temporaryFolder()
    await saveSafetensors(dir, tensors(5), { maxShardBytes: before })
    const files = await weightFiles(dir)
    const next = tensors(5, 10)
    const seen: unknown[] = []
    for (const [i, tensor] of next.entries())
      tensor.data = async () => {
        seen.push(await firstValues(dir))
        if (i === 4) throw new Error('the power is gone')
        return new Float32Array(250)
      }
    await expect(saveSafetensors(dir, next, { maxShardBytes: after })).rejects.toThrow('power')
    expect(seen).toHaveLength(5)
    for (const values of [...seen, await firstValues(dir)])
      expect(Object.values(values as object)).toEqual([0, 1, 2, 3, 4])
    expect(await weightFiles(dir)).toEqual(files)
  })

  it('is not led astray by the shards that a killed save left', async () => {
    const dir = await temporaryFolder()
    await writeSafetensors(join(dir, 'model-00001-of-00003.safetensors'), tensors(1, 77))
    await saveSafetensors(dir, tensors(5), { maxShardBytes: 2500 })
    expect(Object.values(await firstValues(dir))).toEqual([0, 1, 2, 3, 4])
    expect(await weightFiles(dir)).toHaveLength(4)
  })

  it('fetches one tensor at a time, in the order given', async () => {
    const dir = await temporaryFolder()
    const order: string[] = []
    const lazy = tensors(4).map((tensor) => ({
      ...tensor,
      data: async () => {
        order.push(tensor.name)
        return tensor.data as Float32Array
      },
    }))
    await saveSafetensors(dir, lazy, { maxShardBytes: 2000 })
    expect(order).toEqual(lazy.map(({ name }) => name))
  })

  it.each([
    ['f16', 65520, 'bf16 or f32'],
    ['bf16', 3.4e38, 'f32'],
  ] as const)('names the tensor that overflows %s', async (dtype, value, remedy) => {
    const dir = await temporaryFolder()
    const data = Float32Array.of(1, value, Number.POSITIVE_INFINITY)
    const save = saveSafetensors(dir, [{ name: 'h.7.bias', dtype, shape: [3], data }])
    await expect(save).rejects.toThrow(heedError('invalid-option', { key: 'h.7.bias', remedy }))
    expect(await weightFiles(dir)).toEqual([])
  })

  it('rounds to the nearest even', async () => {
    const dir = await temporaryFolder()
    const ulp = 2 ** -10
    const data = Float32Array.of(1 + ulp / 2, 1 + 1.5 * ulp, 1 + 0.51 * ulp, 65519, 2 ** -25)
    await saveSafetensors(dir, [{ name: 'x', dtype: 'f16', shape: [5], data }])
    const file = await openSafetensors(dir)
    expect([...(await file.read('x', { as: 'f32' }))]).toEqual([1, 1 + 2 * ulp, 1 + ulp, 65504, 0])
    await file.close()
  })

  it('refuses one name for two tensors of two shards, and a size of nothing', async () => {
    const dir = await temporaryFolder()
    const twice = [...tensors(1), ...tensors(1)]
    await expect(saveSafetensors(dir, twice, { maxShardBytes: 1000 })).rejects.toThrow(
      heedError('invalid-option', { key: 'tensors', mentions: 'duplicate' }),
    )
    expect(await weightFiles(dir)).toEqual([])
    await expect(saveSafetensors(dir, [], { maxShardBytes: 0 })).rejects.toThrow(
      heedError('invalid-option', { key: 'maxShardBytes', value: 0 }),
    )
  })
})
