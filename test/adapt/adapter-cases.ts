// Models with adapters of other programs, in test/fixtures/adapters and adapter-references.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { openSafetensors } from '../../src/io/index.ts'
import { fromPretrained, shiftRight } from '../../src/models/index.ts'
import type { Module } from '../../src/nn/index.ts'
import { type Tensor, tensor } from '../../src/tensor/index.ts'

export const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))

const HEADS = {
  CAUSAL_LM: 'causal-lm',
  SEQ_2_SEQ_LM: 'seq2seq-lm',
  SEQ_CLS: 'sequence-classification',
} as const

export interface Case {
  model: Module
  ids: Tensor
  wanted: Map<string, { data: Float32Array; shape: readonly number[] }>
  logits(): Tensor
  loss(): Tensor
}

/** A model with an adapter of another program: inputs and results. */
export async function open(folder: string, name: string): Promise<Case> {
  const config = JSON.parse(readFileSync(join(folder, name, 'adapter_config.json'), 'utf8'))
  const head =
    config.task_type === null
      ? 'image-classification'
      : HEADS[config.task_type as keyof typeof HEADS]
  const model = await fromPretrained(join(fixtures, config.base_model_name_or_path), head)
  const file = await openSafetensors(join(folder, name, 'results.safetensors'))
  const wanted: Case['wanted'] = new Map()
  for (const key of file.names)
    wanted.set(key, { data: await file.read(key, { as: 'f32' }), shape: file.info(key).shape })
  await file.close()
  const inputs = wanted.get('input_ids') ?? wanted.get('pixel_values')
  const { data, shape } = inputs as { data: Float32Array; shape: number[] }
  const ids = tensor(Array.from(data), { shape, dtype: wanted.has('input_ids') ? 'i32' : 'f32' })
  const { logits, loss } = calls(head, model as never, ids)
  return { model: model as Module, ids, wanted, logits, loss }
}

// biome-ignore lint/suspicious/noExplicitAny: heads have different signatures
export function calls(head: string, model: any, ids: Tensor): Pick<Case, 'logits' | 'loss'> {
  if (head === 'causal-lm')
    return {
      logits: () => model.forward(ids),
      loss: () => model.loss(ids.slice(null, [0, -1]), ids.slice(null, [1])),
    }
  if (head === 'sequence-classification' || head === 'image-classification')
    return { logits: () => model.forward(ids), loss: () => model.loss(ids, tensor([0, 1], { dtype: 'i32' })) } // biome-ignore format: one line
  return {
    logits: () => model.forward(ids, shiftRight(ids, model)),
    loss: () => model.loss(ids, ids),
  }
}

export const far = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length)
  let most = 0
  let scale = 1
  for (let i = 0; i < a.length; i++) {
    most = Math.max(most, Math.abs(a[i] - b[i]))
    scale = Math.max(scale, Math.abs(b[i]))
  }
  return most / scale
}
