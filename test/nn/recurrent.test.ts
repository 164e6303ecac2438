import { beforeEach, describe, expect, it } from 'vitest'
import { cat, manualSeed, randn, type Tensor, tensor } from '../../src/index.ts'
import {
  AdditiveAttention,
  DotAttention,
  GRU,
  LSTM,
  LSTMCell,
  MLPAttention,
  RNN,
  type StateAttention,
} from '../../src/nn/index.ts'
import { grad } from '../../src/tensor/index.ts'
import { expectWithin } from '../support/close.ts'
import { heedError } from '../support/heed-error.ts'

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())]

beforeEach(() => void manualSeed(3))

describe('recurrent layers', () => {
  it('are their cell, step by step', async () => {
    const layer = new LSTM(3, 4)
    const cell = new LSTMCell(3, 4)
    cell.loadStateDict(
      Object.fromEntries(
        Object.entries(layer.stateDict()).map(([name, x]) => [name.replace('_l0', ''), x]),
      ),
    )
    const x = randn([5, 2, 3])
    let state = cell.zeroState(2)
    const outputs = x.unbind(0).map((step) => {
      state = cell.forward(step, state)
      return state[0].unsqueeze(0)
    })
    const found = layer.forward(x)
    await expectWithin(found.output, cat(outputs, 0))
    await expectWithin(found.state[1], state[1].unsqueeze(0))
  })

  it('ignore what lies behind a length', async () => {
    const layer = new GRU(2, 3, { bidirectional: true, numLayers: 2, batchFirst: true })
    const short = randn([1, 4, 2])
    const padded = cat([short, randn([1, 3, 2]).mul(100)], 1)
    const alone = layer.forward(short)
    const lengths = tensor([4], { dtype: 'i32' })
    const found = layer.forward(padded, { lengths })
    await expectWithin(found.output.narrow(1, 0, 4), alone.output)
    expect(await list(found.output.narrow(1, 4, 3))).toEqual(Array(18).fill(0))
    await expectWithin(found.state[0], alone.state[0])
  })

  it('drop out between layers while training, and not behind the last', async () => {
    const layer = new RNN(2, 50, { numLayers: 2, dropout: 0.5 })
    const x = randn([2, 1, 2])
    const [a, b] = [await list(layer.forward(x).output), await list(layer.forward(x).output)]
    expect(a).not.toEqual(b)
    expect(a.every((value) => value !== 0)).toBe(true)
    layer.eval()
    expect(await list(layer.forward(x).output)).toEqual(await list(layer.forward(x).output))
  })

  it('have second derivatives', async () => {
    const layer = new RNN(1, 2)
    const x = randn([3, 1, 1])
    const square = (w: Tensor): Tensor => {
      Object.assign(layer, { weight_hh_l0: w })
      return layer.forward(x).output.square().sum()
    }
    const slope = (w: Tensor): Tensor => grad(square)(w).mul(tensor([[1, 2], [3, 4]])).sum() // biome-ignore format: a matrix
    const w = tensor([[0.3, -0.2], [0.5, 0.1]]) // biome-ignore format: a matrix
    const curvature = await list(grad(slope)(w))
    const step = 1e-2
    for (let i = 0; i < 4; i++) {
      const moved = (by: number): Tensor =>
        w.add(tensor(Float32Array.from({ length: 4 }, (_, j) => (i === j ? by : 0)), { shape: [2, 2] })) // biome-ignore format: one line
      const rise = (await slope(moved(step)).item()) - (await slope(moved(-step)).item())
      expect(curvature[i]).toBeCloseTo(rise / (2 * step), 2)
    }
  })

  it('say what does not fit', () => {
    const layer = new LSTM(3, 4, { batchFirst: true })
    expect(() => layer.forward(randn([2, 5, 2]))).toThrow(
      heedError('shape', { mentions: ['LSTM', '(2, 5, 2)'] }),
    )
    expect(() => layer.forward(randn([2, 5, 3]), { state: [randn([1, 2, 4])] })).toThrow(
      heedError('shape', { mentions: ['LSTM', 'state', '(1, 2, 4)'] }),
    )
    expect(() => layer.forward(randn([2, 5, 3]), { lengths: [0, 5] })).toThrow(
      heedError('invalid-option', { key: 'lengths', value: 0, mentions: 'from 1 to 5' }),
    )
    expect(() => layer.forward(randn([2, 5, 3]), { lengths: [5] })).toThrow(
      heedError('shape', { mentions: ['(2)', '(1)'] }),
    )
    expect(() => new GRU(3, 4, { numLayers: 0 })).toThrow(
      heedError('invalid-option', { key: 'numLayers', value: 0 }),
    )
  })
})

describe('attention to states', () => {
  const states = (): Tensor => randn([2, 5, 4])
  const mask = tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]).ne(0) // biome-ignore format: rows

  it.each<[string, () => StateAttention]>([
    ['additive', () => new AdditiveAttention(3, 4, 6)],
    ['mlp', () => new MLPAttention(3, 4, 6)],
    ['dot', () => new DotAttention(3, { keySize: 4, scale: 0.5 })],
  ])('%s: weights of sum 1, of what may be seen', async (_name, make) => {
    const attention = make()
    const h = states()
    const { context, weights } = attention.forward(randn([2, 3, 3]), h, { mask })
    const rows = (await weights.tolist()) as number[][][]
    for (const row of rows.flat()) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
    for (const row of rows[1]) expect(row.slice(2)).toEqual([0, 0, 0])
    await expectWithin(context, weights.matmul(h))
    expect(new Set(rows[0].map((row) => row.join())).size).toBe(3)
  })

  it('additive is vᵀ·tanh(W·[h; s])', async () => {
    const attention = new AdditiveAttention(3, 4, 6)
    const [s, h] = [randn([2, 1, 3]), states()]
    const joined = cat([s.expand([2, 5, 3]), h], -1) // (B, S, Q + K)
    const W = cat([attention.query.weight, attention.key.weight], 1)
    const scores = joined.matmul(W.t()).tanh().matmul(attention.score.weight.t()).squeeze(-1)
    await expectWithin(attention.forward(s, h).weights.squeeze(1), scores.softmax(-1))
  })

  it('dot wants one size', () => {
    expect(() => new DotAttention(3).forward(randn([2, 1, 3]), states())).toThrow(
      heedError('shape', { remedy: '`keySize`' }),
    )
  })
})
