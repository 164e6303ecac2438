// Models against what transformers computed for them: folders of scripts/fixtures with their expected results.
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Tensor, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { readConfig } from '../../src/io/hub/hf.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { fromPretrained, type Head } from '../../src/models/index.ts'
import { captureActivations, captureAttention, type Module } from '../../src/nn/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { expectClose } from '../support/close.ts'

export type Tensors = Record<string, Tensor>

/** What a model computes under the names of transformers, and its loss. */
export interface Results extends Tensors {
  loss: Tensor
}

export interface ExpectedResults<H extends Head> {
  head: H
  /** Fields of the config that differ from the folder's. */
  overrides: object
  loss: number
  /** Parameters whose gradients are stored. */
  gradients: string[]
  training: boolean
  /** Inputs, results, `grad.…`, `after.…`, `hidden_states.…` and `attentions.…`. */
  stored: Tensors
}

export const modelsOf = (families: readonly string[]): [family: string, name: string][] =>
  families.flatMap((family) =>
    readdirSync(join(FIXTURES, family)).map((name): [string, string] => [family, name]),
  )

/** Each variant of each model. */
export const variantsOf = (
  families: readonly string[],
): [family: string, name: string, variant: string][] =>
  modelsOf(families).flatMap(([family, name]) =>
    readdirSync(join(FIXTURES, family, name, 'expected'))
      .filter((file) => file.endsWith('.json'))
      .map((file): [string, string, string] => [family, name, file.replace('.json', '')]),
  )

export async function readExpected<H extends Head>(
  dir: string,
  variant: string,
): Promise<ExpectedResults<H>> {
  const file = await readJsonObject(join(dir, 'expected', `${variant}.json`))
  const stored = await tensorsOf(join(dir, 'expected', `${variant}.safetensors`))
  return { ...(file as object as ExpectedResults<H>), training: file.training === true, stored }
}

/** The model of a folder, with other fields in its config. */
export async function loadModel(dir: string, head: Head, overrides: object): Promise<Module> {
  if (Object.keys(overrides).length === 0) return fromPretrained(dir, head)
  const copy = mkdtempSync(join(tmpdir(), 'heed-parity-'))
  try {
    const config = { ...(await readConfig(dir)), ...overrides }
    writeFileSync(join(copy, 'config.json'), JSON.stringify(config))
    cpSync(join(dir, 'model.safetensors'), join(copy, 'model.safetensors'))
    return await fromPretrained(copy, head)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

/**
 * Results and buffers to 1e-4, gradients to 1e-3, and, where they are stored, hidden states and attention.
 * @param layers the modules whose outputs are the hidden states
 */
export async function expectParity(
  model: Module,
  { loss: wantedLoss, gradients, stored }: ExpectedResults<Head>,
  run: () => Results,
  layers: RegExp,
): Promise<void> {
  const { loss, ...results } = run()
  loss.backward()
  for (const [key, got] of Object.entries(results)) await expectClose(got, stored[key], 1e-4)
  const difference = Math.abs((await loss.item()) - wantedLoss)
  expect(difference).toBeLessThan(1e-4 * Math.max(1, wantedLoss))
  const parameters = new Map(model.namedParameters())
  for (const key of gradients)
    await expectClose(parameters.get(key)?.grad, stored[`grad.${key}`], 1e-3)
  const buffers = new Map(model.namedBuffers())
  for (const key of Object.keys(stored).filter((name) => name.startsWith('after.')))
    await expectClose(buffers.get(key.slice(6)), stored[key], 1e-4)
  if (stored['attentions.0']) await expectInside(model, stored, run, layers)
}

async function tensorsOf(path: string): Promise<Tensors> {
  const file = await openSafetensors(path)
  const read = async (name: string): Promise<[string, Tensor]> => {
    const { dtype, shape } = file.info(name)
    const data =
      dtype === 'i32' ? await file.read(name, { as: 'i32' }) : await file.read(name, { as: 'f32' })
    return [name, tensor(data, { shape })]
  }
  const all = await Promise.all(file.names.map(read))
  await file.close()
  return Object.fromEntries(all)
}

/** Hidden states and attention of every layer, captured from outside. */
async function expectInside(
  model: Module,
  stored: Tensors,
  run: () => unknown,
  layers: RegExp,
): Promise<void> {
  const paths = model.namedModules().flatMap(([path]) => (layers.test(path) ? [path] : []))
  const { result, activations } = captureActivations(model, paths, () => captureAttention(run))
  expect(activations.size).toBe(result.attentions.size + 1)
  for (const [i, state] of [...activations.values()].entries())
    await expectClose(state, stored[`hidden_states.${i}`], 1e-4)
  for (const [i, weights] of [...result.attentions.values()].entries())
    await expectClose(weights, stored[`attentions.${i}`], 1e-4)
}
