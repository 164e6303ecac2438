// A weight that many products use, as in each step of a recurrent network.
import { beforeEach, describe, expect, it } from 'vitest'
import { cat, manualSeed, Parameter, randn, type Tensor } from '../../src/index.ts'
import { expectWithin } from '../support/close.ts'

beforeEach(() => void manualSeed(5))

const grown = (w: Parameter, products: Tensor[]): Tensor => {
  const loss = products.map((y, i) => y.square().mul(i + 1).sum()).reduce((a, b) => a.add(b)) // biome-ignore format: one line
  loss.backward()
  const { grad } = w
  w.grad = null
  return grad as Tensor
}

describe('the gradient of a shared weight', () => {
  const steps = (batch: number[]): Tensor[] =>
    Array.from({ length: 6 }, () => randn([...batch, 2, 8]))

  it.each<[string, number[], number[], (x: Tensor, w: Tensor) => Tensor]>([
    ['x·W', [], [8, 9], (x, w) => x.matmul(w)],
    ['x·Wᵀ', [], [9, 8], (x, w) => x.matmul(w.t())],
    ['products in batches', [3], [3, 8, 9], (x, w) => x.matmul(w)],
  ])('%s is that of all steps side by side', async (_, batch, shape, product) => {
    const w = new Parameter(randn(shape))
    const xs = steps(batch)
    const joined = grown(w, xs.map((x) => product(x, w))) // biome-ignore format: one line
    const whole = product(cat(xs, -2), w)
    await expectWithin(joined, grown(w, whole.split(2, -2)), 1e-4)
  })

  it('is one product where that moves less, and a sum where not', () => {
    const w = new Parameter(randn([8, 9]))
    const op = (rows: number): string =>
      grown(w, [0, 1, 2].map(() => randn([rows, 8]).matmul(w))).node.op // biome-ignore format: one line
    expect(op(2)).toBe('matmul')
    expect(op(64)).toBe('add')
  })
})
