// ViT, DeiT, the hybrid and ResNet against transformers: see scripts/fixtures/images.py and vit_hybrid.py.
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Tensor, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { readConfig } from '../../src/io/hub/hf.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import {
  fromPretrained,
  type ImageClassifier,
  type ImageEncoder,
  savePretrained,
} from '../../src/models/index.ts'
import { captureActivations, captureAttention } from '../../src/nn/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { onEach, oneOfEach } from '../support/devices.ts'

const families = ['vit', 'deit', 'vit-hybrid', 'resnet']
const models = families.flatMap((family) =>
  readdirSync(join(FIXTURES, family)).map((name) => [family, name] as const),
)
const cases = models.flatMap(([family, name]) =>
  readdirSync(join(FIXTURES, family, name, 'expected'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => [family, name, file.replace('.json', '')] as const),
)

type Tensors = Record<string, Tensor>
type ImageHead = 'image-features' | 'image-classification'

interface Results extends Tensors {
  loss: Tensor
}

const compute = {
  'image-features': (model: ImageEncoder, { pixel_values }: Tensors): Results => {
    const states = model.forward(pixel_values)
    const pooled = model.pooled(states)
    const order = tensor(Array.from({ length: states.shape.at(-1) ?? 0 }, (_, i) => Math.cos(i)))
    return {
      last_hidden_state: states,
      pooler_output: pooled,
      loss: states.sub(order).square().mean().add(pooled.square().mean()),
    }
  },
  'image-classification': (model: ImageClassifier, { pixel_values, labels }: Tensors): Results => ({
    logits: model.forward(pixel_values),
    loss: model.loss(pixel_values, labels),
  }),
}

onEach(oneOfEach, () => {
  it.each(cases)(
    '%s/%s, %s: computes what transformers computes',
    async (family, name, variant) => {
      const dir = join(FIXTURES, family, name)
      const told = await readJsonObject(join(dir, 'expected', `${variant}.json`))
      const stored = await tensorsOf(join(dir, 'expected', `${variant}.safetensors`))
      const head = told.head as ImageHead
      const model = await load(dir, head, told.overrides as object)
      model.train(told.training === true)
      const run = (): Results => compute[head](model as never, stored)

      const { loss, ...results } = run()
      loss.backward()
      for (const [key, got] of Object.entries(results)) await expectClose(got, stored[key])
      const wanted = told.loss as number
      expect(Math.abs((await loss.item()) - wanted)).toBeLessThan(1e-4 * Math.max(1, wanted))
      const parameters = new Map(model.namedParameters())
      for (const key of told.gradients as string[])
        await expectClose(parameters.get(key)?.grad, stored[`grad.${key}`], 1e-3)
      const buffers = new Map(model.namedBuffers())
      for (const key of Object.keys(stored).filter((name) => name.startsWith('after.')))
        await expectClose(buffers.get(key.slice(6)), stored[key])
      if (stored['attentions.0']) await expectInside(model, stored, run)
    },
  )
})

it.each(models)('%s/%s: is the same after it was saved', async (family, name) => {
  const dir = join(FIXTURES, family, name)
  const { head } = await readJsonObject(join(dir, 'expected', 'base.json'))
  const stored = await tensorsOf(join(dir, 'expected', 'base.safetensors'))
  const model = await fromPretrained(dir, head as ImageHead)
  const copy = mkdtempSync(join(tmpdir(), 'heed-images-'))
  try {
    await savePretrained(model, copy)
    const again = await fromPretrained(copy, head as ImageHead)
    expect(again.constructor).toBe(model.constructor)
    const before = await model.forward(stored.pixel_values).tolist()
    expect(await again.forward(stored.pixel_values).tolist()).toEqual(before)
  } finally {
    rmSync(copy, { recursive: true })
  }
})

/** Hidden states and attention of every layer, captured from outside. */
async function expectInside(
  model: ImageEncoder | ImageClassifier,
  stored: Tensors,
  run: () => unknown,
): Promise<void> {
  const layers = /^(embeddings|encoder\.layer\.\d+)$/
  const paths = model.namedModules().flatMap(([path]) => (layers.test(path) ? [path] : []))
  const { result, activations } = captureActivations(model, paths, () => captureAttention(run))
  expect(activations.size).toBe(result.attentions.size + 1)
  for (const [i, state] of [...activations.values()].entries())
    await expectClose(state, stored[`hidden_states.${i}`])
  for (const [i, weights] of [...result.attentions.values()].entries())
    await expectClose(weights, stored[`attentions.${i}`])
}

/** max |a - b| ≤ tolerance · max |b|. */
async function expectClose(got: Tensor | null | undefined, want: Tensor, tolerance = 1e-4) {
  expect(got?.shape).toEqual(want.shape)
  const scale = await want.abs().amax().item()
  expect(await (got as Tensor).sub(want).abs().amax().item()).toBeLessThan(tolerance * scale)
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

/** The model of a folder, with other fields in its config. */
async function load(dir: string, head: ImageHead, overrides: object) {
  if (Object.keys(overrides).length === 0) return fromPretrained(dir, head)
  const copy = mkdtempSync(join(tmpdir(), 'heed-images-'))
  try {
    const config = { ...(await readConfig(dir)), ...overrides }
    writeFileSync(join(copy, 'config.json'), JSON.stringify(config))
    cpSync(join(dir, 'model.safetensors'), join(copy, 'model.safetensors'))
    return await fromPretrained(copy, head)
  } finally {
    rmSync(copy, { recursive: true })
  }
}
