import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSafetensors } from '../../src/io/safetensors.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { noGrad, tensor } from '../../src/tensor/index.ts'

const FIXTURES = new URL('../fixtures/gguf/', import.meta.url).pathname

describe.each(['llama', 'qwen2', 'qwen3', 'gemma'])('%s.gguf', (name) => {
  it('gives the logits of transformers', async () => {
    const model = await fromPretrained(join(FIXTURES, `${name}.gguf`))
    const expected = await openSafetensors(join(FIXTURES, `${name}.safetensors`))
    const ids = await expected.read('input_ids', { as: 'i32' })
    const wanted = await expected.read('logits', { as: 'f32' })
    await expected.close()
    const [, count] = expected.info('input_ids').shape
    const input = tensor(Array.from(ids), { dtype: 'i32' }).reshape(1, count)
    const logits = await noGrad(() => model.forward(input)).data()
    let [apart, largest] = [0, 0]
    for (let i = 0; i < wanted.length; i++) {
      apart = Math.max(apart, Math.abs(logits[i] - wanted[i]))
      largest = Math.max(largest, Math.abs(wanted[i]))
    }
    expect(apart / largest).toBeLessThan(1e-4)
  })

  it('has the config that it was made from', async () => {
    const model = await fromPretrained(join(FIXTURES, `${name}.gguf`))
    const { config } = JSON.parse(await readFile(join(FIXTURES, `${name}.json`), 'utf8'))
    const { rope_parameters, model_type, ...fields } = config
    expect(model.config).toMatchObject(fields)
    expect((model.constructor as { modelType?: string }).modelType).toBe(model_type)
    const { rope_theta, rope_scaling } = model.config as Record<string, unknown>
    const { rope_theta: theta, rope_type, ...scaling } = rope_parameters
    expect(rope_theta).toBe(theta)
    if (rope_type !== 'default') expect(rope_scaling).toMatchObject({ rope_type, ...scaling })
  })
})
