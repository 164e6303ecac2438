// LoRA adapters in GGUF files. The fixtures are written with llama.cpp's package (scripts/fixtures/gguf_adapters.py).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { addAdapter, loadAdapter } from '../../src/adapt/index.ts'
import { openGGUF } from '../../src/io/index.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { init } from '../../src/nn/index.ts'
import { manualSeed, noGrad, tensor } from '../../src/tensor/index.ts'
import { expectClose } from '../support/close.ts'
import { heedError } from '../support/heed-error.ts'

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
const ofPeft = (name: string): string => join(fixtures, 'adapters', name)
const ofGGUF = (name: string): string => join(fixtures, 'adapters-gguf', `${name}.gguf`)
const scratch = mkdtempSync(join(tmpdir(), 'heed-gguf-adapter-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function baseOf(name: string): Promise<CausalLM> {
  const config = JSON.parse(readFileSync(join(ofPeft(name), 'adapter_config.json'), 'utf8'))
  return fromPretrained(join(fixtures, config.base_model_name_or_path))
}

const logits = async (model: CausalLM): Promise<Float32Array> => {
  const ids = tensor([[3, 9, 4, 17, 5, 11, 6]], { dtype: 'i32' })
  return Float32Array.from(await noGrad(() => model.forward(ids)).data())
}

async function withAdapter(name: string, path: string): Promise<Float32Array> {
  const model = await baseOf(name)
  await loadAdapter(model, path)
  return logits(model)
}

describe.each(['llama-lora', 'llama-all', 'llama-embedding', 'gpt2-lora'])('%s', (name) => {
  it('computes what the adapter of peft computes', async () => {
    const wanted = await withAdapter(name, ofPeft(name))
    expect(wanted).not.toEqual(await logits(await baseOf(name)))
    await expectClose(await withAdapter(name, ofGGUF(name)), wanted, 1e-6)
  })

  it('is written with the same names, shapes and numbers', async () => {
    const adapter = await loadAdapter(await baseOf(name), ofPeft(name))
    const path = join(scratch, `${name}.gguf`)
    await adapter.save(path)
    const [own, wanted] = [await openGGUF(path), await openGGUF(ofGGUF(name))]
    expect([...own.names].sort()).toEqual([...wanted.names].sort())
    for (const key of wanted.names) {
      expect(own.info(key).shape, key).toEqual(wanted.info(key).shape)
      expect(await own.read(key), key).toEqual(await wanted.read(key))
    }
    for (const key of ['general.type', 'general.architecture', 'adapter.type'])
      expect(own.metadata.string(key)).toBe(wanted.metadata.string(key))
    expect(own.metadata.number('adapter.lora.alpha')).toBe(
      wanted.metadata.number('adapter.lora.alpha'),
    )
    await Promise.all([own.close(), wanted.close()])
  })
})

it.each(['rslora:r=4,alpha=8,targets=all-linear', 'lora:r=4,alpha=8,targets=q_proj'])(
  '%s survives, with its factor',
  async (spec) => {
    const model = await baseOf('llama-lora')
    manualSeed(1)
    const adapter = addAdapter(model, spec)
    for (const parameter of adapter.parameters())
      parameter.assign(init.normal(parameter.shape, 0.3))
    const wanted = await logits(model)
    const path = join(scratch, 'again.gguf')
    await adapter.save(path)
    await expectClose(await withAdapter('llama-lora', path), wanted, 1e-6)
  },
)

it.each([
  ['dora', 'method'],
  ['ia3', 'method'],
  ['lora:bias=true', 'method'],
  ['lora:save=norm', 'save'],
])('%s cannot be written', async (spec, key) => {
  const adapter = addAdapter(await baseOf('llama-lora'), spec)
  await expect(adapter.save(join(scratch, 'no.gguf'))).rejects.toThrow(
    heedError('unsupported', { key, remedy: 'heed merge' }),
  )
})

it('another architecture is refused, and the model is unchanged', async () => {
  const model = await baseOf('gpt2-lora')
  await expect(loadAdapter(model, ofGGUF('llama-lora'))).rejects.toThrow(
    heedError('unsupported', { key: 'general.architecture', value: 'llama' }),
  )
  expect(await logits(model)).toEqual(await logits(await baseOf('gpt2-lora')))
})

it('a model file is not an adapter', async () => {
  const model = await baseOf('llama-lora')
  await expect(loadAdapter(model, join(fixtures, 'gguf/bert.gguf'))).rejects.toThrow(
    heedError('unsupported', { value: 'model' }),
  )
})
