// Products in every layout that reaches the kernel: transposed, strided, batched, broadcast, biased.
import { describe, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import { expectAgreement, expectAgreementWithGradients } from './agreement.ts'
import { property, type Sampler } from './sampler.ts'

const edges = [1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 48, 65]
const how = { tolerance: 1e-5, floor: 1 }

/** (..., rows, columns) as it stands, transposed, with gaps, reversed, or cut out of something larger. */
function matrix(draw: Sampler, batch: readonly number[], rows: number, columns: number): Node {
  const wanted = [...batch, rows, columns]
  const kind = draw.one(['plain', 'transposed', 'columns', 'heads', 'any'] as const)
  switch (kind) {
    case 'plain':
      return draw.leaf(wanted)
    case 'transposed':
      return g.transpose(draw.leaf([...batch, columns, rows]))
    case 'columns': {
      const wide = draw.leaf([...batch, rows, columns + 5])
      return g.narrow(wide, wanted.length - 1, draw.whole(0, 5), columns)
    }
    case 'heads': {
      if (batch.length === 0) return draw.leaf(wanted)
      const order = wanted.map((_, i) => i)
      const last = batch.length - 1
      ;[order[last], order[last + 1]] = [last + 1, last] // (..., T, H, D) -> (..., H, T, D)
      return g.permute(draw.leaf(order.map((i) => wanted[i])), order)
    }
    case 'any':
      return draw.operand(wanted)
  }
}

describe('matmul', () => {
  it('of any layout', () =>
    property(150, async (draw) => {
      const batch = draw.chance(0.6) ? draw.filledShape({ max: 2, limit: 9 }) : []
      const [m, k, n] = [draw.one(edges), draw.one(edges), draw.one(edges)]
      const a = matrix(draw, draw.broadcastable(batch), m, k)
      const b = matrix(draw, draw.chance() ? batch : draw.broadcastable(batch), k, n)
      await expectAgreementWithGradients([g.matmul(a, b)], draw.leaves, how)
    })())

  it('with a bias, an activation and a residual', () =>
    property(80, async (draw) => {
      const [b, t] = [draw.whole(1, 3), draw.one(edges)]
      const [k, n] = [draw.one(edges), draw.one(edges)]
      const x = matrix(draw, draw.chance() ? [b] : [], t, k)
      const w = matrix(draw, [], k, n)
      const bias = draw.operand([n])
      const product = g.matmul(x, w)
      const flat = g.reshape(product, [product.shape.slice(0, -1).reduce((p, q) => p * q, 1), n])
      const sum = draw.one([
        () => g.add(product, bias),
        () => g.add(bias, flat),
        () => g.add(g.transpose(product), draw.operand([product.shape.at(-2) as number])),
        () => g.add(product, g.expand(bias, product.shape)),
      ])()
      const then = draw.one([
        () => sum,
        () => g.make('gelu', [sum], { tanh: true }),
        () => g.add(g.tanh(sum), sum),
        () => g.concat([sum, g.neg(sum)], draw.axis(sum.shape)),
      ])()
      const kept = draw.chance(0.2) ? [product, then] : [then]
      await expectAgreementWithGradients(kept, draw.leaves, how)
    })())

  it.each([
    [130, 257, 129],
    [1, 1000, 1000],
    [1000, 1, 70],
    [300, 700, 1],
    [67, 2049, 5],
    [1, 90, 5003],
    [2, 2051, 257],
    [3, 513, 700],
    [7, 300, 1029],
    [8, 1201, 131],
    [50, 801, 451],
    [90, 1601, 129],
    [200, 769, 65],
  ])('of large sizes (%i, %i, %i)', async (m, k, n) => {
    const make = (rows: number, columns: number): Node =>
      g.leaf(
        Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 0.7)),
        [rows, columns],
        'f32',
      )
    const products = [
      g.matmul(make(m, k), make(k, n)),
      g.matmul(g.transpose(make(k, m)), make(k, n)),
      g.matmul(make(m, k), g.transpose(make(n, k))),
      g.matmul(g.transpose(make(k, m)), g.transpose(make(n, k))),
    ]
    await expectAgreement(products)
  })
})
