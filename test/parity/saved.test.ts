// Folders that transformers wrote, saved by Heed and opened again: nothing is lost on the way.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { fromPretrained, savePretrained } from '../../src/models/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { allDevices, onEach } from '../support/devices.ts'

const folders = ['base', 'small', 'old_keys', 'f16', 'bf16', 'n_inner', 'untied']

onEach(allDevices, () => {
  describe.each(folders)('gpt2/%s', (name) => {
    it('comes back bit for bit', async () => {
      const original = join(FIXTURES, 'gpt2', name)
      const copy = await temporaryFolder()
      const model = await fromPretrained(original)
      await savePretrained(model, copy)
      const again = await fromPretrained(copy)
      expect(again.config).toEqual(model.config)
      const ids = tensor([[3, 1, 4, 1, 5, 9]], { dtype: 'i32' })
      expect(await again.forward(ids).data()).toEqual(await model.forward(ids).data())

      const [before, after] = [await weightsOf(original), await weightsOf(copy)]
      expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
      for (const [key, { data, shape }] of after) {
        expect(shape, key).toEqual(before.get(key)?.shape)
        expect(data, key).toEqual(before.get(key)?.data)
      }
    })

    it('keeps what its config says', async () => {
      const copy = await temporaryFolder()
      await savePretrained(await fromPretrained(join(FIXTURES, 'gpt2', name)), copy)
      const was: Record<string, unknown> = await readJsonObject(
        join(FIXTURES, 'gpt2', name, 'config.json'),
      )
      const is: Record<string, unknown> = await readJsonObject(join(copy, 'config.json'))
      const known = Object.keys(is).filter((key) => key in was && !/dtype$/.test(key))
      expect(known).toEqual(expect.arrayContaining(['model_type', 'n_embd', 'n_layer', 'n_head']))
      for (const key of known) expect(is[key], key).toEqual(was[key])
    })
  })
})

describe('in 16 bits and in shards', () => {
  it.each(['f16', 'bf16'] as const)('gives %s weights back bit for bit', async (dtype) => {
    const original = join(FIXTURES, 'gpt2', dtype)
    const copy = await temporaryFolder()
    await savePretrained(await fromPretrained(original), copy, { dtype, maxShardBytes: 4000 })
    const [was, is] = [await openSafetensors(original), await openSafetensors(copy)]
    expect(is.path).toMatch(/index\.json$/)
    expect([...is.names].sort()).toEqual([...was.names].sort())
    for (const name of was.names) {
      expect(is.info(name).dtype).toBe(dtype)
      expect(await is.read(name), name).toEqual(await was.read(name))
    }
    await Promise.all([was.close(), is.close()])
    const config = await readJsonObject(join(copy, 'config.json'))
    expect(config.torch_dtype).toBe(dtype === 'f16' ? 'float16' : 'bfloat16')
  })

  it('knows three dtypes', async () => {
    const model = await fromPretrained(join(FIXTURES, 'gpt2', 'small'))
    const save = savePretrained(model, await temporaryFolder(), { dtype: 'int8' as 'f32' })
    await expect(save).rejects.toMatchObject({
      code: 'invalid-option',
      details: { key: 'dtype', value: 'int8', try: { dtype: ['f32', 'f16', 'bf16'] } },
    })
  })
})

/** As float32, under the keys of today, without the masks that old uploads store. */
async function weightsOf(folder: string) {
  const file = await openSafetensors(join(folder, 'model.safetensors'))
  const weights = new Map<string, { data: ArrayLike<number>; shape: readonly number[] }>()
  for (const name of file.names) {
    if (/\.attn\.(bias|masked_bias)$/.test(name)) continue
    const key = /^(transformer|lm_head)\./.test(name) ? name : `transformer.${name}`
    weights.set(key, { data: await file.read(name, { as: 'f32' }), shape: file.info(name).shape })
  }
  await file.close()
  return weights
}
