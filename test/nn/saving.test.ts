// Any module on disk, and back: with its optimiser, as plain safetensors, and from plain objects.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manualSeed, type Tensor, tensor } from '../../src/index.ts'
import { openSafetensors, saveSafetensors } from '../../src/io/index.ts'
import { loadModel, saveModel } from '../../src/models/index.ts'
import { BatchNorm1d, Linear, MLP, Module, Sequential } from '../../src/nn/index.ts'
import { AdamW, SGD } from '../../src/optim/index.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const inputs = tensor([
  [0, 1, 2],
  [3, -1, 0.5],
])
const make = (seed: number): Sequential => {
  manualSeed(seed)
  return new Sequential(new Linear(3, 4), new BatchNorm1d(4), (x) => x.relu(), new Linear(4, 1))
}

async function train(model: Sequential, optimizer: AdamW, steps: number): Promise<number[]> {
  for (let i = 0; i < steps; i++) {
    model.forward(inputs).square().sum().backward()
    await optimizer.step()
  }
  const values = Object.values(model.stateDict()).map((state) => state.data())
  return (await Promise.all(values)).flatMap((array) => [...array])
}

describe('saveModel and loadModel', () => {
  it('resume training bit for bit, from a file or a folder', async () => {
    for (const name of ['model.safetensors', 'folder']) {
      const path = join(await temporaryFolder(), 'deep', name)
      const model = make(1)
      const optimizer = new AdamW(model.parameters(), { lr: 0.1 })
      await train(model, optimizer, 3)
      await saveModel(path, model, optimizer)
      const straight = await train(model, optimizer, 3)

      const again = make(2)
      const other = new AdamW(again.parameters(), { lr: 0.1 })
      expect(await loadModel(path, again, other)).toBe(again)
      expect(other.stepCount).toBe(3)
      expect(await train(again, other, 3)).toEqual(straight)
    }
  })

  it('load weights alone, and say what is missing', async () => {
    const path = join(await temporaryFolder(), 'model.safetensors')
    const model = make(1)
    await saveModel(path, model, new SGD(model.parameters(), { momentum: 0.9 }))
    await loadModel(path, make(2))
    await saveModel(path, model)
    await expect(loadModel(path, make(2), new AdamW(model.parameters()))).rejects.toThrow(
      heedError('invalid-option', { mentions: 'optimiser' }),
    )
    await expect(loadModel(path, new MLP({ sizes: [2, 2] }))).rejects.toMatchObject({
      code: 'shape',
    })
    await expect(saveModel(path, {} as never)).rejects.toThrow(
      heedError('invalid-option', { key: 'model' }),
    )
  })

  it('change nothing when the model does not fit', async () => {
    const path = join(await temporaryFolder(), 'model.safetensors')
    const model = new Linear(2, 2)
    const optimizer = new AdamW(model.parameters())
    model
      .forward(tensor([[1, 2]]))
      .sum()
      .backward()
    await optimizer.step()
    await saveModel(path, model, optimizer)
    const larger = new Sequential(new Linear(2, 2))
    const fresh = new AdamW(larger.parameters())
    await expect(loadModel(path, larger, fresh)).rejects.toMatchObject({ code: 'shape' })
    expect(fresh.stepCount).toBe(0)
  })
})

describe('state dicts', () => {
  it('go to safetensors and come from an open file', async () => {
    const path = join(await temporaryFolder(), 'weights.safetensors')
    const [model, other] = [make(1), make(2)]
    await saveSafetensors(path, model.stateDict())
    const file = await openSafetensors(path)
    const loading = other.loadStateDict(file)
    expect(() => other.forward(inputs)).toThrow(heedError('invalid-state'))
    expect(await loading).toBe(other)
    await file.close()
    const of = (module: Sequential): Tensor => module.eval().forward(inputs)
    expect(await of(other).tolist()).toEqual(await of(model).tolist())
    expect(other.stateDict()['1.num_batches_tracked'].dtype).toBe('i32')
  })

  it('come in shards from a folder', async () => {
    const folder = await temporaryFolder()
    await saveSafetensors(folder, make(1).stateDict(), { maxShardBytes: 40 })
    const file = await openSafetensors(folder)
    expect(file.path).toMatch(/index\.json$/)
    await make(2).loadStateDict(file)
    await file.close()
    await expect(make(2).loadStateDict(file)).rejects.toThrow(
      heedError('invalid-state', { key: '0.weight' }),
    )
  })

  it('refuse what is no tensor, and options that do not exist', () => {
    const model = new Linear(1, 1, { bias: false })
    const load = (dict: unknown, options?: unknown) => () =>
      model.loadStateDict(dict as never, options as never)
    expect(load({ weight: [1] })).toThrow(
      heedError('invalid-option', { key: 'weight', value: [1] }),
    )
    expect(load({ weight: { data: [1, 2], shape: [1, 1] } })).toThrow(
      heedError('shape', { key: 'weight', mentions: ['1 values', 'got 2'] }),
    )
    expect(load(Promise.resolve({}))).toThrow(heedError('invalid-option', { key: 'dict' }))
    expect(load({ weight: tensor([[1]]) }, { strikt: false })).toThrow(
      heedError('unknown-name', { key: 'strikt' }),
    )
  })
})

describe('layers in plain objects', () => {
  class Named extends Module {
    layers: Record<string, Linear> = { first: new Linear(2, 2), second: new Linear(2, 1) }
    groups = [{ head: new Linear(1, 1) }]
    loop: Record<string, unknown> = {}

    constructor() {
      super()
      this.loop.self = this.loop
    }

    forward(x: Tensor): Tensor {
      return this.groups[0].head.forward(this.layers.second.forward(this.layers.first.forward(x)))
    }
  }

  it('are found, by their keys', () => {
    const names = new Named().namedParameters().map(([name]) => name)
    expect(names).toEqual([
      'layers.first.weight',
      'layers.first.bias',
      'layers.second.weight',
      'layers.second.bias',
      'groups.0.head.weight',
      'groups.0.head.bias',
    ])
  })

  it('are trained and switched', async () => {
    const model = new Named().eval()
    expect(model.layers.first.training).toBe(false)
    const before = await model.layers.first.weight.data()
    model
      .forward(tensor([[1, 2]]))
      .sum()
      .backward()
    await new SGD(model.parameters(), { lr: 1 }).step()
    expect(await model.layers.first.weight.data()).not.toEqual(before)
  })
})
