import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { Linear, QuantizedEmbedding, QuantizedLinear } from '../../src/nn/index.ts'
import { noGrad, tensor } from '../../src/tensor/index.ts'
import { heedError } from '../support/heed-error.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/gguf/', import.meta.url))

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

describe('weights in blocks', () => {
  const path = join(FIXTURES, 'llama.gguf')
  const ids = tensor([[1, 70, 30, 99, 5, 200, 17, 42, 8, 11]], { dtype: 'i32' })

  it('stay blocks, and give the logits of their numbers', async () => {
    const kept = await fromPretrained(path)
    const plain = await fromPretrained(path, 'causal-lm', { keepBlocks: false })
    expect(kept.getModule('model.layers.1.self_attn.k_proj')).toBeInstanceOf(QuantizedLinear)
    expect(kept.getModule('model.embed_tokens')).toBeInstanceOf(QuantizedEmbedding)
    expect(plain.getModule('model.layers.1.self_attn.k_proj')).toBeInstanceOf(Linear)
    const [found, wanted] = await Promise.all(
      [kept, plain].map((model) => noGrad(() => model.forward(ids)).data()),
    )
    const largest = Array.from(wanted).reduce((a, b) => Math.max(a, Math.abs(b)), 0)
    wanted.forEach((value, i) => {
      expect(Math.abs(value - found[i]) / largest).toBeLessThan(3e-4) // 10 rows, rounded to 16 bits
    })
  })

  it('take no more memory than in the file', async () => {
    const bytesOf = (model: CausalLM): number =>
      model.parameters().reduce((sum, { size }) => sum + 4 * size, 0)
    const kept = await fromPretrained(path)
    expect(bytesOf(kept)).toBeLessThan(3000) // norms alone are numbers
  })

  it('are not trained or saved, but their numbers are', async () => {
    const kept = await fromPretrained(path)
    expect(() => kept.stateDict()).toThrow(heedError('unsupported', { mentions: /got q\d_\d / }))
    const plain = await fromPretrained(path, 'causal-lm', { keepBlocks: false })
    const loss = plain.loss(ids, ids)
    loss.backward()
    const grad = plain.parameters()[0].grad
    expect(grad && (await grad.abs().sum().item())).toBeGreaterThan(0)
  })
})
