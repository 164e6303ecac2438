import { beforeAll, describe, expect, it } from 'vitest'
import { manualSeed, type Tensor, tensor } from '../../src/index.ts'
import {
  activations,
  Conv1D,
  Dropout,
  Embedding,
  init,
  LayerNorm,
  Linear,
  MLP,
  RMSNorm,
} from '../../src/nn/index.ts'
import { heedError } from '../support/heed-error.ts'

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())]

beforeAll(() => void manualSeed(1))

describe('layers', () => {
  it('Linear has (out, in), Conv1D (in, out)', async () => {
    const linear = new Linear(2, 3)
    const conv = new Conv1D(2, 3)
    conv.loadStateDict({ weight: linear.weight.t(), bias: linear.bias as Tensor })
    const x = tensor([
      [1, 2],
      [3, 4],
    ])
    expect(linear.weight.shape).toEqual([3, 2])
    expect(await list(conv.forward(x))).toEqual(await list(linear.forward(x)))
  })

  it('Embedding takes rows', async () => {
    const layer = new Embedding(4, 2)
    layer.loadStateDict({ weight: { data: [0, 1, 2, 3, 4, 5, 6, 7], shape: [4, 2] } })
    expect(await list(layer.forward(tensor([3, 1], { dtype: 'i32' })))).toEqual([6, 7, 2, 3])
  })

  it('norms normalise', async () => {
    const x = tensor([[1, 2, 3, 6]])
    const y = await list(new LayerNorm(4).forward(x))
    expect(y.reduce((a, b) => a + b)).toBeCloseTo(0, 5)
    const z = await list(new RMSNorm(4).forward(x))
    expect(z.reduce((a, b) => a + b * b, 0) / 4).toBeCloseTo(1, 5)
    expect(new LayerNorm(4, 1e-5, { bias: false }).parameters()).toHaveLength(1)
  })

  it('Dropout acts while training only', async () => {
    const layer = new Dropout(0.5)
    const ones = init.ones([1000])
    const values = await list(layer.forward(ones))
    expect(new Set(values)).toEqual(new Set([0, 2]))
    expect(layer.eval().forward(ones)).toBe(ones)
  })

  it('MLP activates between its layers, not behind the last', async () => {
    const mlp = new MLP({ sizes: [1, 1, 1] })
    mlp.loadStateDict({
      'layers.0.weight': { data: [1], shape: [1, 1] },
      'layers.0.bias': { data: [0], shape: [1] },
      'layers.1.weight': { data: [-2], shape: [1, 1] },
      'layers.1.bias': { data: [-1], shape: [1] },
    })
    expect(await list(mlp.forward(tensor([[-3], [3]])))).toEqual([-1, -7])
  })

  it('know the activations of published configs', async () => {
    const at1 = await Promise.all(
      Object.entries(activations).map(async ([name, f]) => [name, await f(tensor(1)).item()]),
    )
    const expected = {
      gelu: 0.841345,
      gelu_10: 0.841345,
      gelu_accurate: 0.841192,
      gelu_fast: 0.841192,
      gelu_new: 0.841192,
      gelu_python: 0.841345,
      gelu_python_tanh: 0.841192,
      gelu_pytorch_tanh: 0.841192,
      hardswish: 0.666667,
      laplace: 0.85043,
      leaky_relu: 1,
      linear: 1,
      mish: 0.865098,
      quick_gelu: 0.845796,
      relu: 1,
      relu2: 1,
      relu6: 1,
      sigmoid: 0.731059,
      silu: 0.731059,
      sqrtsoftplus: 1.145976,
      swish: 0.731059,
      tanh: 0.761594,
    }
    expect(at1.map(([name]) => name).sort()).toEqual(Object.keys(expected).sort())
    for (const [name, value] of at1) expect(value).toBeCloseTo(expected[name as 'gelu'], 5)
  })
})

describe('init', () => {
  const moments = async (
    x: Tensor,
  ): Promise<{ mean: number; std: number; low: number; high: number }> => {
    const values = await list(x)
    const mean = values.reduce((a, b) => a + b) / values.length
    const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
    return { mean, std, low: Math.min(...values), high: Math.max(...values) }
  }

  it('has the spread that it promises', async () => {
    const shape = [100, 200]
    const cases: [Tensor, number][] = [
      [init.normal(shape, 0.02), 0.02],
      [init.uniform(shape, -1, 1), 1 / Math.sqrt(3)],
      [init.xavierUniform(shape), Math.sqrt(2 / 300)],
      [init.xavierNormal(shape), Math.sqrt(2 / 300)],
      [init.kaimingUniform(shape), Math.sqrt(2 / 200)],
      [init.kaimingNormal(shape), Math.sqrt(2 / 200)],
      [init.truncNormal(shape, 0.02, -2, 2), 0.02],
    ]
    for (const [x, std] of cases) {
      const found = await moments(x)
      expect(found.std / std).toBeGreaterThan(0.97)
      expect(found.std / std).toBeLessThan(1.03)
      expect(Math.abs(found.mean)).toBeLessThan(0.03 * std)
    }
  })

  it('truncates', async () => {
    const { low, high, std } = await moments(init.truncNormal([100, 200], 1, -1, 1))
    expect(low).toBeGreaterThanOrEqual(-1)
    expect(high).toBeLessThanOrEqual(1)
    expect(std).toBeCloseTo(0.5396, 2) // √(1 - 2φ(1)/(2Φ(1) - 1))
    expect((await moments(init.truncNormal([100, 200], 1, -5, 5))).high).toBeGreaterThan(3)
  })

  it('gives the same values for the same seed', async () => {
    const draw = async (): Promise<number[]> => {
      manualSeed(5)
      return list(new Linear(3, 3).weight)
    }
    expect(await draw()).toEqual(await draw())
  })

  it('refuses a vector where there is no fan', () => {
    expect(() => init.xavierNormal([3])).toThrow(heedError('shape', { mentions: '(3)' }))
  })
})
