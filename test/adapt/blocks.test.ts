// Bottlenecks and visual prompts: identities, what they change, and their files.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type Adapter,
  addAdapter,
  loadAdapter,
  mergeAdapters,
  setAdapters,
} from '../../src/adapt/index.ts'
import { cat, F, manualSeed, type Parameter, randn, type Tensor, tensor } from '../../src/index.ts'
import { fromPretrained, type Head } from '../../src/models/index.ts'
import type { Module } from '../../src/nn/index.ts'
import { heedError } from '../support/heed-error.ts'

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'heed-blocks-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const ids = tensor([[3, 14, 15, 9, 26, 5]], { dtype: 'i32' })

const MODELS = [
  ...[['llama/base', 'causal-lm'], ['gpt2/small', 'causal-lm'], ['bloom/base', 'causal-lm'], ['gpt_neo/base', 'causal-lm'], ['openai-gpt/base', 'causal-lm']],
  ...[['bert/sequence', 'sequence-classification'], ['distilbert/sequence', 'sequence-classification'], ['modernbert/sequence', 'sequence-classification']],
  ...[['t5/tied', 'seq2seq-lm'], ['marian/shared', 'seq2seq-lm'], ['vit/classes', 'image-classification'], ['deit/classes', 'image-classification']],
] as unknown as readonly [string, Head][] // biome-ignore format: a table

async function open(name: string, head: Head): Promise<{ model: Module; logits: () => Tensor }> {
  const model = (await fromPretrained(join(fixtures, name), head)) as Module
  const forward = model.forward as (...inputs: Tensor[]) => Tensor
  const images = randn([2, 3, 12, 12])
  const inputs =
    head === 'image-classification' ? [images] : head === 'seq2seq-lm' ? [ids, ids] : [ids]
  return { model, logits: () => forward.call(model, ...inputs) }
}

const far = async (a: Tensor, b: Tensor): Promise<number> => a.sub(b).abs().amax().item()
const randomise = (adapter: Adapter): void => {
  for (const parameter of adapter.parameters()) parameter.assign(randn(parameter.shape).mul(0.3))
}

describe.each(MODELS)('%s', (name, head) => {
  it.each(['houlsby', 'pfeiffer', 'parallel'])(
    '%s starts at the base, changes it, and is saved',
    async (method) => {
      manualSeed(1)
      const { model, logits } = await open(name, head)
      const base = await logits().data()
      const adapter = addAdapter(model, `${method}:r=3`)
      expect(await logits().data()).toEqual(base)
      randomise(adapter)
      const changed = await logits().data()
      expect(changed).not.toEqual(base)
      const dir = join(scratch, `${name.replace('/', '-')}-${method}`)
      await adapter.save(dir)
      const config = JSON.parse(readFileSync(join(dir, 'adapter_config.json'), 'utf8'))
      expect(config).toMatchObject({ peft_type: 'HEED', heed_method: method })
      setAdapters(model, { default: 0 })
      expect(await logits().data()).toEqual(base)
      adapter.remove()
      await loadAdapter(model, dir)
      expect(await logits().data()).toEqual(changed)
      await expect(mergeAdapters(model)).rejects.toThrow(
        heedError('unsupported', { key: 'method' }),
      )
    },
  )
})

it('a parallel bottleneck without activation is LoRA of the feed-forward network', async () => {
  manualSeed(2)
  const { model } = await open('gpt2/small', 'causal-lm')
  const mlp = model.getModule('transformer.h.0.mlp') as unknown as { forward(x: Tensor): Tensor }
  const x = randn([2, 5, 16])
  const base = mlp.forward(x)
  await base.data()
  const adapter = addAdapter(model, 'parallel:r=3,activation=none,scale=0.5,layers=0')
  expect(adapter.paths).toEqual(['transformer.h.0.mlp.c_proj'])
  const [down, downBias, up, upBias] = adapter.parameters() as [
    Parameter,
    Parameter,
    Parameter,
    Parameter,
  ]
  for (const p of [down, up]) p.assign(randn(p.shape))
  for (const p of [downBias, upBias]) p.assign(randn(p.shape).mul(0))
  const lora = base.add(F.linear(F.linear(x, down), up).mul(0.5))
  expect(await far(mlp.forward(x), lora)).toBeLessThan(1e-6 * 10)
})

it('houlsby is after attention and the network, pfeiffer after the network, also by layers', async () => {
  const { model } = await open('bert/sequence', 'sequence-classification')
  const paths = (spec: string) => {
    const adapter = addAdapter(model, spec)
    adapter.remove()
    return adapter.paths
  }
  expect(paths('houlsby:layers=1')).toEqual([
    'bert.encoder.layer.1.attention.output.dense',
    'bert.encoder.layer.1.output.dense',
  ])
  expect(paths('pfeiffer')).toEqual([
    'bert.encoder.layer.0.output.dense',
    'bert.encoder.layer.1.output.dense',
  ])
  expect(() => addAdapter(model, 'pfeiffer:layers=9')).toThrow(
    heedError('unknown-name', { key: 'layers' }),
  )
  expect(() => addAdapter(model, 'pfeiffer:targets=query')).toThrow(heedError('unknown-name'))
  expect(() => addAdapter(model, 'vpt')).toThrow(heedError('unsupported', { key: 'method' }))
})

describe.each(['vit', 'deit'])('visual prompts of %s', (family) => {
  it.each([
    ['vpt', false],
    ['vpt:deep', true],
  ] as const)('%s are tokens after the special ones', async (spec, deep) => {
    manualSeed(1)
    const model = (await fromPretrained(
      join(fixtures, family, 'features'),
      'image-features',
    )) as Module
    const images = randn([2, 3, 12, 12])
    const forward = model.forward as (x: Tensor) => Tensor
    const base = forward(images)
    await base.data()
    const adapter = addAdapter(model, `${spec}${deep ? ',' : ':'}tokens=3`)
    const [prompts] = adapter.parameters()
    prompts.assign(randn(prompts.shape))
    const changed = forward(images)
    expect(changed.shape).toEqual(base.shape)
    expect(await far(changed, base)).toBeGreaterThan(1e-3)
    const given = await changed.data()

    // The same by hand: the layers of the model on longer sequences.
    setAdapters(model, {})
    const special = family === 'deit' ? 2 : 1
    const call = (path: string, x: Tensor) =>
      (model.getModule(path).forward as (x: Tensor) => Tensor)(x)
    let x = call('embeddings', images)
    const patches = x.shape[1] - special
    for (let layer = 0; layer < 2; layer++) {
      const own = prompts.narrow(0, deep ? layer : 0, 1).expand(2, 3, 16)
      const last = x.narrow(1, x.shape[1] - patches, patches)
      if (layer === 0 || deep) x = cat([x.narrow(1, 0, special), own, last], 1)
      x = call(`encoder.layer.${layer}`, x)
    }
    x = call('layernorm', x)
    const wanted = cat([x.narrow(1, 0, special), x.narrow(1, x.shape[1] - patches, patches)], 1)
    expect(await far(tensor([...given], { shape: wanted.shape }), wanted)).toBeLessThan(1e-5)
    expect(() => setAdapters(model, { default: 0.5 })).toThrow(
      heedError('invalid-option', { key: 'default' }),
    )
    const dir = join(scratch, `${family}-${spec.replace(':', '-')}`)
    await adapter.save(dir)
    adapter.remove()
    await loadAdapter(model, dir)
    expect(await forward(images).data()).toEqual(given)
  })
})
