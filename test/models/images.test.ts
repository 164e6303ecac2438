// ViT, DeiT, the hybrid and ResNet against transformers: see scripts/fixtures/images.py and vit_hybrid.py.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tensor } from '../../src/index.ts'
import {
  fromPretrained,
  type ImageClassifier,
  type ImageEncoder,
  savePretrained,
} from '../../src/models/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import {
  expectParity,
  loadModel,
  modelsOf,
  type Results,
  readExpected,
  type Tensors,
  variantsOf,
} from './parity.ts'

const families = ['vit', 'deit', 'vit-hybrid', 'resnet']

type ImageHead = 'image-features' | 'image-classification'

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
  it.each(variantsOf(families))(
    '%s/%s, %s: computes what transformers computes',
    async (family, name, variant) => {
      const dir = join(FIXTURES, family, name)
      const expected = await readExpected<ImageHead>(dir, variant)
      const model = await loadModel(dir, expected.head, expected.overrides)
      model.train(expected.training)
      const run = (): Results => compute[expected.head](model as never, expected.stored)
      await expectParity(model, expected, run, /^(embeddings|encoder\.layer\.\d+)$/)
    },
  )
})

it.each(modelsOf(families))('%s/%s: is the same after it was saved', async (family, name) => {
  const dir = join(FIXTURES, family, name)
  const { head, stored } = await readExpected<ImageHead>(dir, 'base')
  const model = await fromPretrained(dir, head)
  const copy = mkdtempSync(join(tmpdir(), 'heed-images-'))
  try {
    await savePretrained(model, copy)
    const again = await fromPretrained(copy, head)
    expect(again.constructor).toBe(model.constructor)
    const before = await model.forward(stored.pixel_values).tolist()
    expect(await again.forward(stored.pixel_values).tolist()).toEqual(before)
  } finally {
    rmSync(copy, { recursive: true })
  }
})
