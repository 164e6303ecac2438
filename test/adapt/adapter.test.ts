import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { adaptersOf, addAdapter, loadAdapter, mergeAdapters, parseAdapterSpec, setAdapters } from '../../src/adapt/index.ts' // biome-ignore format: one line
import { Decoder } from '../../src/generate/index.ts'
import { hold, manualSeed, noGrad, randn, stats, type Tensor, tensor } from '../../src/index.ts'
import { fromPretrained } from '../../src/models/index.ts'
import { quantize } from '../../src/nn/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { heedError } from '../support/heed-error.ts'

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
const open = (name = 'llama/base') => fromPretrained(join(fixtures, name))
const ids = tensor([[3, 14, 15, 9, 26, 5]], { dtype: 'i32' })
const difference = async (a: Tensor, b: Tensor): Promise<number> => a.sub(b).abs().amax().item()

/** Gives every weight of an adapter a random value. */
function randomise(adapter: ReturnType<typeof addAdapter>): void {
  for (const parameter of adapter.parameters()) parameter.assign(randn(parameter.shape).mul(0.3))
}

describe('a specification', () => {
  it.each([
    ['lora', { method: 'lora', targets: undefined, save: [] }],
    ['lora:r=16,alpha=32', { options: expect.objectContaining({ r: 16, alpha: 32 }) }],
    ['lora:targets=q_proj+mlp.down_proj,save=lm_head', { targets: ['q_proj', 'mlp.down_proj'], save: ['lm_head'] }],
    ['lora:targets=all-linear,layers=0-2+5', { targets: 'all-linear', layers: [0, 1, 2, 5] }],
    ['lora:targets=/.*\\.(q|v){1,2}_proj/,r=2', { targets: /.*\.(q|v){1,2}_proj/u }],
    ['lora:rankPattern={"q_proj":4}', { options: expect.objectContaining({ rankPattern: { q_proj: 4 } }) }],
    [' rslora : r = 4 ', { method: 'rslora', options: expect.objectContaining({ r: 4 }) }],
  ])('%s', (text, wanted) => {
    expect(parseAdapterSpec(text)).toMatchObject(wanted)
  }) // biome-ignore format: a table

  it.each([
    ['lorra', 'unknown-name'],
    ['', 'unknown-name'],
    ['__proto__', 'unknown-name'],
    ['lora:r', 'invalid-option'],
    ['lora:r=0', 'invalid-option'],
    ['lora:r=1.5', 'invalid-option'],
    ['lora:r=many', 'invalid-option'],
    ['lora:r=2,r=3', 'invalid-option'],
    ['lora:rank=2', 'unknown-name'],
    ['lora:__proto__=2', 'unknown-name'],
    ['lora:dropout=1', 'invalid-option'],
    ['lora:targets=', 'invalid-option'],
    ['lora:layers=3-1', 'invalid-option'],
    ['lora:layers=x', 'invalid-option'],
    ['lora:targets=/(/', 'invalid-option'],
    ['lora:rankPattern={', 'invalid-option'],
    [null, 'invalid-option'],
    [{ method: 'lora', targets: [] }, 'invalid-option'],
    [{ method: 'lora', layers: ['1'] }, 'invalid-option'],
  ] as const)('%j is refused', (spec, code) => {
    expect(() => parseAdapterSpec(spec as never)).toThrow(heedError(code))
  })
})

describe('an adapter', () => {
  it('is refused where it selects no layer, with the names of layers', async () => {
    const model = await open()
    expect(() => addAdapter(model, 'lora:targets=q_prj')).toThrow(
      heedError('unknown-name', { key: 'targets' }),
    )
    expect(() => addAdapter(model, 'lora:targets=/nothing/')).toThrow(heedError('unknown-name', { key: 'targets' })) // biome-ignore format: one line
    expect(() => addAdapter(model, 'lora:layers=7')).toThrow(
      heedError('invalid-option', { key: 'layers', mentions: ['0 to 1', '7'] }),
    )
    expect(() => addAdapter(model, 'lora:save=scor')).toThrow(
      heedError('unknown-name', { key: 'save' }),
    )
    expect(() => addAdapter(model, 'dora:targets=embed_tokens')).toThrow(heedError('unsupported'))
    expect(() => addAdapter(model, 'lora:targets=/(q)\\1/')).toThrow(heedError('invalid-option'))
    expect(adaptersOf(model)).toEqual([])
    expect(model.parameters().every((p) => p.requiresGrad)).toBe(true)
  })

  it('has a pattern that takes exponential time elsewhere', async () => {
    const model = await open()
    const started = performance.now()
    const pattern = `/(${'[a-z_.0-9]+'.repeat(2)})+X/`
    expect(() => addAdapter(model, `lora:targets=${pattern}`)).toThrow(heedError('unknown-name'))
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  it('has a name that is used once', async () => {
    const model = await open()
    const first = addAdapter(model, 'lora', { name: 'fr' })
    expect(() => addAdapter(model, 'lora', { name: 'fr' })).toThrow(
      heedError('already-exists', { key: 'name' }),
    )
    first.remove()
    first.remove()
    addAdapter(model, 'lora', { name: 'fr' })
    expect(() => addAdapter(model, 'lora', { name: '__proto__' })).toThrow(
      heedError('invalid-option'),
    )
  })

  it('has adapters of one layer added up, with their factors', async () => {
    manualSeed(1)
    const model = await open()
    const base = await model.forward(ids).data()
    const one = addAdapter(model, 'lora:targets=lm_head,r=2', { name: 'one' })
    const two = addAdapter(model, 'lora:targets=lm_head,r=3', { name: 'two' })
    randomise(one)
    randomise(two)
    const plain = tensor(Array.from(base), { shape: model.forward(ids).shape })
    const change = async (weights: Record<string, number>): Promise<Tensor> => {
      setAdapters(model, weights)
      const logits = model.forward(ids).sub(plain)
      await logits.data()
      return logits
    }
    const [first, second] = [await change({ one: 1 }), await change({ two: 1 })]
    expect(await difference(await change({ one: 0.7, two: -2 }), first.mul(0.7).sub(second.mul(2)))).toBeLessThan(1e-5) // biome-ignore format: one line
    expect(await difference(await change({}), plain.mul(0))).toBe(0)
    expect(() => setAdapters(model, { on: 1 })).toThrow(heedError('unknown-name'))
    expect(() => setAdapters(model, { one: Number.NaN })).toThrow(
      heedError('invalid-option', { key: 'one' }),
    )
  })

  it('saves a module that another saves too, but is not in use with it', async () => {
    const model = await open()
    const original = model.getModule('lm_head')
    const weight = () => Reflect.get(original, 'weight')
    const before = weight()
    const one = addAdapter(model, 'lora:save=lm_head', { name: 'one' })
    const spec = 'lora:save=lm_head'
    expect(() => addAdapter(model, spec, { name: 'two' })).toThrow(
      heedError('invalid-state', { key: 'save' }),
    )
    setAdapters(model, {})
    const two = addAdapter(model, spec, { name: 'two' })
    expect(() => setAdapters(model, { one: 1, two: 1 })).toThrow(
      heedError('invalid-state', { key: 'save' }),
    )
    for (const adapter of [one, two, one]) {
      setAdapters(model, { [adapter.name]: 1 })
      expect(weight()).toBe(adapter.saved.lm_head.weight)
    }
    setAdapters(model, {})
    expect(weight()).toBe(before)
  })

  it('that does not fit leaves the model as it was', async () => {
    const model = await open('llama/biased') // without the layers' shapes of the adapter of GPT-2
    const other = join(fixtures, 'adapters', 'gpt2-lora')
    await expect(loadAdapter(model, other)).rejects.toThrow(heedError('unknown-name'))
    const small = await open('gpt2/base')
    await expect(loadAdapter(small, other)).rejects.toThrow(heedError('shape'))
    expect(adaptersOf(small)).toEqual([])
    expect(small.parameters().every((p) => p.requiresGrad)).toBe(true)
  })

  it('gets another factor in a held program', async () => {
    const model = await open()
    const adapter = addAdapter(model, 'lora:r=2')
    randomise(adapter)
    setAdapters(model, { default: 0.5 })
    const run = hold((x) => [noGrad(() => model.forward(x))])
    const input = { data: Int32Array.from(await ids.data()), shape: [1, 6] }
    await run(input)
    setAdapters(model, { default: 2 })
    const [held] = await run(input)
    expect(await difference(held, model.forward(ids))).toBeLessThan(1e-5)
  })

  it('is used by decoders and held programs that existed before, with a new cache', async () => {
    const model = await open()
    const decoder = new Decoder(model)
    const plain = await decoder.start([[3, 14, 15]])
    await decoder.next([9])
    const adapter = addAdapter(model, 'lora:r=2,targets=all-linear')
    randomise(adapter)
    const fresh = async () => new Decoder(model).start([[3, 14, 15, 9, 26]])
    expect(await decoder.next([26])).toEqual(await fresh())
    for (const weight of [0.5, 0]) {
      setAdapters(model, { default: weight })
      expect(await decoder.start([[3, 14, 15, 9, 26]])).toEqual(await fresh())
    }
    const again = tensor([...(await decoder.start([[3, 14, 15]]))])
    expect(await difference(again, tensor([...plain]))).toBeLessThan(1e-5)
  })

  it('compiles nothing when it takes the place of another of its shape', async () => {
    const model = await open()
    for (const name of ['one', 'two']) randomise(addAdapter(model, 'lora:r=2', { name }))
    const run = hold((x) => [noGrad(() => model.forward(x))])
    const input = { data: Int32Array.from(await ids.data()), shape: [1, 6] }
    setAdapters(model, { one: 0.5 })
    const [first] = await run(input)
    const { compilations } = stats()
    setAdapters(model, { two: 0.5 })
    const [second] = await run(input)
    expect(stats().compilations).toBe(compilations)
    expect(await difference(first, second)).toBeGreaterThan(1e-3)
  })

  it('trains, and leaves the weights of the model as they are', async () => {
    manualSeed(2)
    const model = await open('gpt2/small')
    const before = await Promise.all(model.parameters().map((p) => p.data()))
    const adapter = addAdapter(model, 'lora:r=4,targets=all-linear')
    const optimizer = new AdamW(adapter.parameters(), { lr: 0.02 })
    const losses: number[] = []
    for (let step = 0; step < 30; step++) {
      const loss = model.loss(ids.slice(null, [0, -1]), ids.slice(null, [1]))
      loss.backward()
      losses.push(await loss.item())
      await optimizer.step()
    }
    expect(losses[29]).toBeLessThan(losses[0] / 3)
    expect(await Promise.all(model.parameters().map((p) => p.data()))).toEqual(before)
  })

  it('trains a model in quantised blocks, whose merge is refused', async () => {
    manualSeed(3)
    const model = await open()
    await quantize(model, 'q8_0')
    const adapter = addAdapter(model, 'lora:r=2,targets=q_proj+v_proj')
    const optimizer = new AdamW(adapter.parameters(), { lr: 0.05 })
    const first = model.loss(ids.slice(null, [0, -1]), ids.slice(null, [1]))
    first.backward()
    await optimizer.step({ keep: [first] })
    const second = model.loss(ids.slice(null, [0, -1]), ids.slice(null, [1]))
    expect(await second.item()).toBeLessThan(await first.item())
    await expect(mergeAdapters(model)).rejects.toThrow(heedError('unsupported'))
  })

  it('is merged with its factor, and removed', async () => {
    const model = await open('gpt2/base')
    randomise(addAdapter(model, 'lora:r=2,targets=c_attn+wte'))
    setAdapters(model, { default: 0.5 })
    const wanted = model.forward(ids)
    await wanted.data()
    await mergeAdapters(model)
    expect(await difference(model.forward(ids), wanted)).toBeLessThan(1e-4)
    expect(adaptersOf(model)).toEqual([])
    expect(model.config).toMatchObject({ tie_word_embeddings: false }) // wte alone was changed
    await expect(mergeAdapters(model)).rejects.toThrow(heedError('invalid-state'))
  })
})
