import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  accumulate,
  hold,
  ModuleBuffer,
  manualSeed,
  randn,
  realize,
  type Tensor,
  tensor,
} from '../../src/index.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { loadWeights, saveWeights } from '../../src/models/index.ts'
import { BatchNorm1d, BatchNorm2d, Linear, Module, Sequential } from '../../src/nn/index.ts'
import { SGD } from '../../src/optim/index.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const list = async (x: Tensor | null): Promise<number[]> => [...((await x?.data()) ?? [])]

class Model extends Module {
  fc = new Linear(3, 2)
  bn = new BatchNorm1d(2)

  forward(x: Tensor): Tensor {
    return this.bn.forward(this.fc.forward(x))
  }
}

/** What three batches of these statistics leave of (0, 1). */
function moved(values: number[], start: number): number {
  return values.reduce((old, now) => 0.9 * old + 0.1 * now, start)
}

beforeAll(() => void manualSeed(3))

describe('buffers', () => {
  it('are listed and saved beside parameters, and not trained', () => {
    const model = new Model()
    expect(Object.keys(model.stateDict())).toEqual([
      'fc.weight',
      'fc.bias',
      'bn.weight',
      'bn.bias',
      'bn.running_mean',
      'bn.running_var',
      'bn.num_batches_tracked',
    ])
    expect(model.namedParameters().map(([name]) => name)).toHaveLength(4)
    expect(model.namedBuffers().map(([name]) => name)).toEqual([
      'bn.running_mean',
      'bn.running_var',
      'bn.num_batches_tracked',
    ])
    expect(model.namedBuffers().every(([, buffer]) => !buffer.requiresGrad)).toBe(true)
    expect(new BatchNorm2d(2, { trackRunningStats: false }).namedBuffers()).toEqual([])
  })

  it('have to be in a state dict, but for the counter', () => {
    const { 'bn.num_batches_tracked': _, ...old } = new Model().stateDict()
    expect(() => new Model().loadStateDict(old)).not.toThrow()
    const { 'bn.running_mean': __, ...bad } = old
    expect(() => new Model().loadStateDict(bad)).toThrow(
      heedError('shape', { mentions: ['1 missing', 'bn.running_mean'] }),
    )
  })

  it('come back from a file, the counter as int64', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heed-buffers-'))
    try {
      const path = join(folder, 'model.safetensors')
      const model = new Model()
      const x = randn([5, 3])
      const y = model.forward(x)
      await realize([y, ...model.namedBuffers().map(([, buffer]) => buffer)])
      await saveWeights(model, path)
      const file = await openSafetensors(path)
      expect(file.info('bn.num_batches_tracked')).toMatchObject({ dtype: 'i64', shape: [] })
      await file.close()
      const copy = new Model()
      await loadWeights(copy, path)
      expect(await copy.bn.num_batches_tracked?.item()).toBe(1)
      expect(copy.bn.num_batches_tracked?.dtype).toBe('i32')
      expect(await list(copy.bn.running_var)).toEqual(await list(model.bn.running_var))
      expect(await list(copy.eval().forward(x))).toEqual(await list(model.eval().forward(x)))
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

onEach(oneOfEach, () => {
  describe('running statistics', () => {
    const batches = [
      [1, 2, 6],
      [4, 4, 7],
      [-1, 0, 1],
    ]
    const means = [3, 5, 0]
    const variances = [7, 3, 1] // with Bessel's correction

    const expectMoved = async (layer: BatchNorm1d, n = 3): Promise<void> => {
      expect(await layer.running_mean?.item()).toBeCloseTo(moved(means.slice(0, n), 0), 5)
      expect(await layer.running_var?.item()).toBeCloseTo(moved(variances.slice(0, n), 1), 5)
      expect(await layer.num_batches_tracked?.item()).toBe(n)
    }

    it('move with each step of a plain loop', async () => {
      const layer = new BatchNorm1d(1)
      const optimizer = new SGD(layer.parameters(), { lr: 0.1 })
      for (const batch of batches) {
        layer
          .forward(tensor(batch, { shape: [3, 1] }))
          .square()
          .sum()
          .backward()
        await optimizer.step()
      }
      await expectMoved(layer)
    })

    it('move with each micro-batch', async () => {
      const layer = new BatchNorm1d(1)
      for (const batch of batches)
        await accumulate(
          layer
            .forward(tensor(batch, { shape: [3, 1] }))
            .square()
            .sum(),
        )
      await expectMoved(layer)
    })

    it('move with each run of a held step, and not in evaluation', async () => {
      const layer = new BatchNorm1d(1)
      const optimizer = new SGD(layer.parameters(), { lr: 0.1 })
      const step = hold((x) => {
        const loss = layer.train().forward(x).square().sum()
        loss.backward()
        optimizer.update()
        return [loss]
      })
      const evaluate = hold((x) => [layer.eval().forward(x)])
      for (const [i, batch] of batches.entries()) {
        optimizer.beginStep()
        await step({ data: Float32Array.from(batch), shape: [3, 1] })
        await evaluate({ data: Float32Array.of(9, 9), shape: [2, 1] })
        await expectMoved(layer, i + 1)
      }
    })

    it('serve evaluation, where every row stands alone', async () => {
      const layer = new BatchNorm1d(1, { eps: 0 })
      layer.loadStateDict({
        weight: tensor([3]),
        bias: tensor([1]),
        running_mean: tensor([2]),
        running_var: tensor([4]),
      })
      expect(await list(layer.eval().forward(tensor([[2], [6]])))).toEqual([1, 7])
      expect(await list(layer.forward(tensor([[6]])))).toEqual([7])
    })

    it('are the mean over all batches without a momentum', async () => {
      const layer = new BatchNorm1d(1, { momentum: null })
      for (const batch of batches) layer.forward(tensor(batch, { shape: [3, 1] }))
      expect(await layer.running_mean?.item()).toBeCloseTo((3 + 5 + 0) / 3, 5)
      expect(await layer.running_var?.item()).toBeCloseTo((7 + 3 + 1) / 3, 5)
    })
  })
})

describe('BatchNorm', () => {
  it('refuses shapes that are not its own, and a batch without variance', () => {
    expect(() => new BatchNorm2d(2).forward(randn([3, 2]))).toThrow(
      heedError('shape', { mentions: ['BatchNorm2d', '(3, 2)'] }),
    )
    expect(() => new BatchNorm1d(2).forward(randn([1, 2]))).toThrow(
      heedError('shape', { mentions: ['BatchNorm1d', 'got 1'] }),
    )
    expect(() => new Sequential(new BatchNorm2d(3)).forward(randn([1, 2, 2, 2]))).toThrow(
      heedError('shape', { mentions: /^0: (.*3.*2|.*2.*3)/ }),
    )
  })

  it('has buffers of its own', async () => {
    const mean = tensor([1, 2])
    const buffer = new ModuleBuffer(mean)
    buffer.assign(tensor([3, 4]))
    expect(await list(buffer)).toEqual([3, 4])
    expect(await list(mean)).toEqual([1, 2])
  })
})
