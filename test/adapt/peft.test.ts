// Adapters as peft saves them (scripts/fixtures/adapters.py): the same logits, losses and gradients, also when merged.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type Adapter,
  adaptersOf,
  addAdapter,
  loadAdapter,
  mergeAdapters,
} from '../../src/adapt/index.ts'
import { openSafetensors } from '../../src/io/index.ts'
import { fromPretrained, type ModelClass, savePretrained } from '../../src/models/index.ts'
import type { Module } from '../../src/nn/index.ts'
import { type Tensor, tensor } from '../../src/tensor/index.ts'
import { heedError } from '../support/heed-error.ts'
import { type Case, calls, far, fixtures, open } from './adapter-cases.ts'

const folder = join(fixtures, 'adapters')
const scratch = mkdtempSync(join(tmpdir(), 'heed-adapt-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe.each(readdirSync(folder))('%s', (name) => {
  const path = join(folder, name)

  it('computes what peft computes', async () => {
    const { model, wanted, logits, loss } = await open(folder, name)
    const before = await logits().data()
    const adapter = await loadAdapter(model, path)
    const logitsWanted = wanted.get('logits')?.data as Float32Array
    expect(far(before, logitsWanted)).toBeGreaterThan(1e-3)
    expect(far(await logits().data(), logitsWanted)).toBeLessThan(1e-4)

    await trains(adapter, wanted, loss)

    adapter.remove()
    expect(await logits().data()).toEqual(before)
  })

  it('trains the network that peft trains', async () => {
    const { model, wanted, logits, loss } = await open(folder, name)
    const network = [...wanted].filter(([key]) => key.startsWith('network:'))
    if (network.length === 0) return
    const { config } = await loadAdapter(model, path)
    for (const one of adaptersOf(model)) one.remove()
    const { method, options } = config
    const adapter = addAdapter(model, { method, ...options, save: config.save })
    const state = new Map(adapter.namedParameters())
    for (const [key, { data, shape }] of network)
      state
        .get(ownName(adapter, key.replace('network:', '')))
        ?.assign(tensor(Array.from(data), { shape }))
    // The head is that of the file.
    const file = await contents(join(path, 'adapter_model.safetensors'))
    for (const [key, values] of file) {
      const parameter = state.get(key.replace('base_model.', 'saved.'))
      parameter?.assign(tensor(values, { shape: parameter.shape }))
    }
    expect(far(await logits().data(), wanted.get('logits')?.data as Float32Array)).toBeLessThan(1e-4) // biome-ignore format: one line
    await trains(adapter, wanted, loss)
    const saved = join(scratch, `${name}-network`)
    await adapter.save(saved)
    const again = await contents(join(saved, 'adapter_model.safetensors'))
    expect([...again.keys()]).toEqual([...file.keys()])
    for (const [key, values] of file) expect(far(again.get(key) ?? [], values)).toBeLessThan(1e-5)
  })

  it('is saved as peft saves it', async () => {
    const { model } = await open(folder, name)
    const adapter = await loadAdapter(model, path)
    const saved = join(scratch, name)
    await adapter.save(saved)
    const [mine, theirs] = await Promise.all([saved, path].map((dir) => contents(join(dir, 'adapter_model.safetensors')))) // biome-ignore format: one line
    expect(mine).toEqual(theirs)
    const [own, config] = [saved, path].map((dir) => JSON.parse(readFileSync(join(dir, 'adapter_config.json'), 'utf8'))) // biome-ignore format: one line
    for (const key of Object.keys(own)) {
      if (['base_model_name_or_path', 'target_modules', 'modules_to_save'].includes(key)) continue
      if (key === 'num_layers' && name.startsWith('t5-p')) continue // peft counts the layers of the encoder
      expect([key, own[key]]).toEqual([key, config[key]])
    }
    if (config.layers_to_transform) expect(own.target_modules).toHaveLength(2)
    else expect([own.target_modules].flat().sort()).toEqual([config.target_modules].flat().sort())
  })

  it('is merged', async () => {
    const { model, wanted, logits } = await open(folder, name)
    const { config } = await loadAdapter(model, path)
    // A folder could not store biases of layers without one, and virtual tokens change no weights.
    if (config.options.bias || config.options.tokens)
      return expect(mergeAdapters(model)).rejects.toThrow(heedError('unsupported'))
    await mergeAdapters(model)
    const theirs = wanted.get('logits')?.data as Float32Array
    expect(far(await logits().data(), theirs)).toBeLessThan(1e-4)
    const { head } = model.constructor as unknown as ModelClass
    const saved = join(scratch, `${name}-merged`)
    await savePretrained(model, saved)
    const again = (await fromPretrained(saved, head)) as Module
    const { logits: reopened } = calls(head, again, (await open(folder, name)).ids)
    expect(far(await reopened().data(), theirs)).toBeLessThan(1e-4)
  })
})

/** Compares the loss and the gradients of the adapter. */
async function trains(adapter: Adapter, wanted: Case['wanted'], loss: Case['loss']): Promise<void> {
  const value = loss()
  value.backward()
  expect(far([await value.item()], wanted.get('loss')?.data as Float32Array)).toBeLessThan(1e-4)
  const isNetwork = [...wanted.keys()].some((key) => key.startsWith('network:'))
  if (isNetwork && !adapter.hasEncoder) return // the file has the result of the network alone
  const gradients = [...wanted].filter(([key]) => key.startsWith('grad:'))
  expect(gradients.length).toBeGreaterThanOrEqual(adapter.parameters().length < 3 ? 1 : 3)
  const own = new Map([...adapter.namedParameters()].map(([name, parameter]) => [name, parameter]))
  for (const [key, { data }] of gradients) {
    const { grad } = own.get(ownName(adapter, key.replace('grad:', ''))) as { grad: Tensor | null }
    expect(far(await (grad as Tensor).data(), data), key).toBeLessThan(1e-3)
  }
}

/** The name of a parameter of the adapter by its name in peft. */
function ownName(adapter: Adapter, name: string): string {
  const [, field, number, last] = /^(?:prompt_encoder\.)?(embedding|mlp_head|transform)\.(?:(\d)\.)?(\w+)$/.exec(name) ?? [] // biome-ignore format: one line
  const [part] = Object.keys(adapter.modules)
  if (field === 'embedding')
    return `modules.${part}.${adapter.hasEncoder ? 'network.embedding' : 'prompt_embeddings'}`
  if (field) return `modules.${part}.network.${field}.${Number(number) / 2}.${last}`
  const path = name
    .replace(/^base_model\.(model\.)?/, '')
    .replace(/(vector)\.weight$/, '$1')
    .replace(/\blayers\.(\d)\.attention\.([qkv])_proj/, (_, n, letter) => `encoder.layer.${n}.attention.attention.${{ q: 'query', k: 'key', v: 'value' }[letter as 'q']}`)
    .replace(/(vit|deit)\.layers\.(\d)\.attention\.o_proj/, '$1.encoder.layer.$2.attention.output.dense')
    .replace(/(vit|deit)\.layers\.(\d)\.mlp\.fc1/, '$1.encoder.layer.$2.intermediate.dense')
    .replace(/(vit|deit)\.layers\.(\d)\.mlp\.fc2/, '$1.encoder.layer.$2.output.dense') // biome-ignore format: a table
  const isSaved = Object.keys(adapter.saved).some((saved) => path.startsWith(`${saved}.`))
  return `${isSaved ? 'saved' : 'modules'}.${path}`
}

/** The tensors of a file, without the weights of the base that peft adds. */
async function contents(path: string): Promise<Map<string, number[]>> {
  const file = await openSafetensors(path)
  const all = new Map<string, number[]>()
  for (const name of [...file.names].sort())
    if (!name.includes('.base_layer.')) all.set(name, Array.from(await file.read(name, { as: 'f32' }))) // biome-ignore format: one line
  await file.close()
  return all
}

it('a new adapter changes nothing, and trains only its own weights', async () => {
  const model = await fromPretrained(join(fixtures, 'gpt2', 'small'))
  const ids = tensor([[1, 2, 3, 4]], { dtype: 'i32' })
  const before = await model.forward(ids).data()
  const adapter = addAdapter(model, 'lora:r=2,targets=all-linear')
  expect(await model.forward(ids).data()).toEqual(before)
  expect(model.parameters().some((p) => p.requiresGrad)).toBe(false)
  expect(adapter.parameters().every((p) => p.requiresGrad)).toBe(true)
})
