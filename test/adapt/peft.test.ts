// Adapters as peft saves them (scripts/fixtures/adapters.py): the same logits, losses and gradients, also when merged.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { addAdapter, loadAdapter, mergeAdapters } from '../../src/adapt/index.ts'
import { openSafetensors } from '../../src/io/index.ts'
import {
  fromPretrained,
  type ModelClass,
  savePretrained,
  shiftRight,
} from '../../src/models/index.ts'
import type { Module } from '../../src/nn/index.ts'
import { type Tensor, tensor } from '../../src/tensor/index.ts'
import { heedError } from '../support/heed-error.ts'

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
const folder = join(fixtures, 'adapters')
const scratch = mkdtempSync(join(tmpdir(), 'heed-adapt-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const HEADS = {
  CAUSAL_LM: 'causal-lm',
  SEQ_2_SEQ_LM: 'seq2seq-lm',
  SEQ_CLS: 'sequence-classification',
} as const

interface Case {
  model: Module
  ids: Tensor
  wanted: Map<string, { data: Float32Array; shape: readonly number[] }>
  logits(): Tensor
  loss(): Tensor
}

async function open(name: string): Promise<Case> {
  const config = JSON.parse(readFileSync(join(folder, name, 'adapter_config.json'), 'utf8'))
  const head = HEADS[config.task_type as keyof typeof HEADS]
  const model = await fromPretrained(join(fixtures, config.base_model_name_or_path), head)
  const file = await openSafetensors(join(folder, name, 'results.safetensors'))
  const wanted: Case['wanted'] = new Map()
  for (const key of file.names)
    wanted.set(key, { data: await file.read(key, { as: 'f32' }), shape: file.info(key).shape })
  await file.close()
  const { data, shape } = wanted.get('input_ids') as { data: Float32Array; shape: number[] }
  const ids = tensor(Array.from(data), { shape, dtype: 'i32' })
  const { logits, loss } = calls(head, model as never, ids)
  return { model: model as Module, ids, wanted, logits, loss }
}

// biome-ignore lint/suspicious/noExplicitAny: heads have different signatures
function calls(head: string, model: any, ids: Tensor): Pick<Case, 'logits' | 'loss'> {
  if (head === 'causal-lm')
    return {
      logits: () => model.forward(ids),
      loss: () => model.loss(ids.slice(null, [0, -1]), ids.slice(null, [1])),
    }
  if (head === 'sequence-classification')
    return { logits: () => model.forward(ids), loss: () => model.loss(ids, tensor([0, 1], { dtype: 'i32' })) } // biome-ignore format: one line
  return {
    logits: () => model.forward(ids, shiftRight(ids, model)),
    loss: () => model.loss(ids, ids),
  }
}

const far = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length)
  let most = 0
  let scale = 1
  for (let i = 0; i < a.length; i++) {
    most = Math.max(most, Math.abs(a[i] - b[i]))
    scale = Math.max(scale, Math.abs(b[i]))
  }
  return most / scale
}

describe.each(readdirSync(folder))('%s', (name) => {
  const path = join(folder, name)

  it('computes what peft computes', async () => {
    const { model, wanted, logits, loss } = await open(name)
    const before = await logits().data()
    const adapter = await loadAdapter(model, path)
    const logitsWanted = wanted.get('logits')?.data as Float32Array
    expect(far(before, logitsWanted)).toBeGreaterThan(1e-3)
    expect(far(await logits().data(), logitsWanted)).toBeLessThan(1e-4)

    const value = loss()
    value.backward()
    expect(far([await value.item()], wanted.get('loss')?.data as Float32Array)).toBeLessThan(1e-4)
    const state = new Map(adapter.namedParameters())
    const gradients = [...wanted].filter(([key]) => key.startsWith('grad:'))
    expect(gradients).toHaveLength(3)
    for (const [key, { data }] of gradients) {
      const own = key.replace('grad:base_model.model.', '').replace(/(vector)\.weight$/, '$1')
      const parameter = state.get(`layers.${own}`) ?? state.get(`saved.${own}`)
      const { grad } = parameter as { grad: Tensor | null }
      expect(far(await (grad as Tensor).data(), data), key).toBeLessThan(1e-3)
    }

    adapter.remove()
    expect(await logits().data()).toEqual(before)
  })

  it('is saved as peft saves it', async () => {
    const { model } = await open(name)
    const adapter = await loadAdapter(model, path)
    const saved = join(scratch, name)
    await adapter.save(saved)
    const [mine, theirs] = await Promise.all([saved, path].map((dir) => contents(join(dir, 'adapter_model.safetensors')))) // biome-ignore format: one line
    expect(mine).toEqual(theirs)
    const [own, config] = [saved, path].map((dir) => JSON.parse(readFileSync(join(dir, 'adapter_config.json'), 'utf8'))) // biome-ignore format: one line
    for (const key of Object.keys(own)) {
      if (['base_model_name_or_path', 'target_modules', 'modules_to_save'].includes(key)) continue
      expect([key, own[key]]).toEqual([key, config[key]])
    }
    if (config.layers_to_transform) expect(own.target_modules).toHaveLength(2)
    else expect([own.target_modules].flat().sort()).toEqual([config.target_modules].flat().sort())
  })

  it('is merged', async () => {
    const { model, wanted, logits } = await open(name)
    const { config } = await loadAdapter(model, path)
    if (config.options.bias)
      // of layers without one: a folder could not store it
      return expect(mergeAdapters(model)).rejects.toThrow(heedError('unsupported'))
    await mergeAdapters(model)
    const theirs = wanted.get('logits')?.data as Float32Array
    expect(far(await logits().data(), theirs)).toBeLessThan(1e-4)
    const { head } = model.constructor as unknown as ModelClass
    const saved = join(scratch, `${name}-merged`)
    await savePretrained(model, saved)
    const again = (await fromPretrained(saved, head)) as Module
    const { logits: reopened } = calls(head, again, (await open(name)).ids)
    expect(far(await reopened().data(), theirs)).toBeLessThan(1e-4)
  })
})

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
