// Weights go from the file straight into the memory of the device, once, and nothing else is computed.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { defaultDevice, fromPieces, stats } from '../../src/index.ts'
import { saveSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { configJson, fromPretrained, GPT2, loadWeights } from '../../src/models/index.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const CONFIG = { vocab_size: 40000, n_positions: 16, n_embd: 32, n_layer: 1, n_head: 2 }
const LARGE = 'transformer.wte.weight' // of more than one piece

/** Whole numbers of at most 8 bits, which all dtypes hold. */
const values = (size: number, seed: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => ((i * 7 + seed) % 256) - 128)

/** Writes a folder whose tensors have values of their own each; returns them by name. */
async function checkpoint(dir: string, dtype: 'f32' | 'bf16', maxShardBytes = 1e9) {
  const model = new GPT2(CONFIG)
  const tensors = model.namedParameters().map(([name, { shape, size }], i) => {
    return { name, dtype, shape, data: values(size, i) }
  })
  await saveSafetensors(dir, tensors, { maxShardBytes })
  await writeFile(join(dir, 'config.json'), configJson(model))
  return new Map(tensors.map(({ name, data }) => [name, data]))
}

/** The sizes of what the device allocates until the end, and how many programs run. */
function watchDevice(): { end(): { allocated: number[]; runs: number } } {
  const spy = vi.spyOn(defaultDevice(), 'allocate')
  const { runs } = stats()
  return {
    end: () => {
      const allocated = spy.mock.calls.map(([, count]) => count)
      spy.mockRestore()
      return { allocated, runs: stats().runs - runs }
    },
  }
}

onEach(allDevices, () => {
  it('makes a model without computing or allocating its first values', () => {
    const watch = watchDevice()
    new GPT2(CONFIG)
    expect(watch.end()).toEqual({ allocated: [], runs: 0 })
  })

  it.each(['f32', 'bf16'] as const)('takes the memory of %s weights once', async (dtype) => {
    const dir = await temporaryFolder()
    const stored = await checkpoint(dir, dtype, 4e6)
    const watch = watchDevice()
    const model = await fromPretrained(dir)
    const { allocated, runs } = watch.end()
    const sizes = model.parameters().map((parameter) => parameter.size)
    expect(allocated.sort()).toEqual(sizes.sort())
    expect(runs).toBe(0)
    for (const [name, parameter] of model.namedParameters()) {
      const [is, was] = [await parameter.data(), stored.get(name)]
      expect(
        is.findIndex((x, i) => x !== was?.[i]),
        name,
      ).toBe(-1)
    }
  })

  it('gives new values to a model that has some', async () => {
    const dir = await temporaryFolder()
    const stored = await checkpoint(dir, 'f32')
    const model = new GPT2(CONFIG)
    const key = 'transformer.h.0.mlp.c_proj.weight'
    const before = await model.stateDict()[key].data()
    await loadWeights(model, join(dir, 'model.safetensors'))
    const after = await model.stateDict()[key].data()
    expect(after).not.toEqual(before)
    expect([...after]).toEqual([...(stored.get(key) ?? [])])
  })

  it('puts pieces where they belong, in any order, with zeros between', async () => {
    const pieces = async function* () {
      const values = new Float32Array(2) // the same one each time
      for (const start of [6, 0, 2]) {
        values.fill(start + 1)
        yield { start, values }
      }
    }
    const x = await fromPieces([2, 4], pieces())
    expect(await x.tolist()).toEqual([
      [1, 1, 3, 3],
      [0, 0, 7, 7],
    ])
    expect(await x.mul(2).sum().item()).toBe(44)
    await expect(fromPieces([7], pieces(), 'wte')).rejects.toThrow(
      heedError('shape', { mentions: '6 to 8' }),
    )
  })
})

describe('a broken value', () => {
  it('is named with its place in the whole tensor', async () => {
    const dir = await temporaryFolder()
    await checkpoint(dir, 'f32')
    const model = new GPT2(CONFIG)
    const tensors = model.namedParameters().map(([name, { shape, size }]) => {
      const data = new Float32Array(size)
      if (name === LARGE) data[1_200_000] = Number.NaN
      return { name, dtype: 'f32' as const, shape, data }
    })
    await saveSafetensors(dir, tensors)
    await expect(fromPretrained(dir)).rejects.toThrow(
      heedError('corrupt-file', { key: LARGE, value: Number.NaN, mentions: 'element 1200000' }),
    )
  })
})
