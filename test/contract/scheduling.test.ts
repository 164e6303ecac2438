// What scheduling may do to a graph, fuse it, write it in place, straight into a slice or over old
// state, must not show.
import { describe, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import { expectAgreement, expectAgreementWithGradients } from './agreement.ts'
import { Grower } from './grower.ts'
import { property } from './sampler.ts'

const close = { tolerance: 3e-5, floor: 1 }
const small = { min: 1, max: 3, limit: 120 }

describe('random graphs', () => {
  it('of element-wise operations with reductions behind', () =>
    property(80, async (draw) => {
      const grower = new Grower(draw, draw.filledShape({ min: 1, max: 4, limit: 700 }))
      grower.grow(draw.whole(5, 60), ['pointwise', 'pointwise', 'pointwise', 'reduction'])
      await expectAgreement(grower.outputs(), close)
    })())

  it('of joins, views and paddings', () =>
    property(200, async (draw) => {
      const grower = new Grower(draw, draw.filledShape(small))
      grower.grow(draw.whole(2, 14), ['join', 'join', 'view', 'pointwise'])
      await expectAgreement(grower.outputs(), close)
    })())

  it('of everything', () =>
    property(200, async (draw) => {
      const grower = new Grower(draw, draw.filledShape(small))
      grower.grow(draw.whole(3, 30), ['pointwise', 'view', 'join', 'reduction', 'kernel'])
      await expectAgreement(grower.outputs(), close)
    })())

  it('of everything, and their gradients', () =>
    property(100, async (draw) => {
      const grower = new Grower(draw, draw.filledShape(small))
      grower.grow(draw.whole(2, 10), ['pointwise', 'view', 'join', 'reduction', 'kernel'])
      await expectAgreementWithGradients(grower.outputs(), draw.leaves, { ...close, floor: 30 })
    })())

  it('with state that is assigned in between', () =>
    property(500, async (draw) => {
      const shape = draw.filledShape(small)
      const grower = new Grower(draw, shape)
      for (let i = draw.whole(1, 2); i > 0; i--) grower.addState(shape)
      grower.grow(draw.whole(2, 16), ['pointwise', 'join', 'view', 'assignment', 'assignment'])
      await expectAgreement(grower.outputs(), close)
    })())

  it('of everything, with state', () =>
    property(300, async (draw) => {
      const shape = draw.filledShape(small)
      const grower = new Grower(draw, shape)
      grower.addState(shape)
      grower.grow(draw.whole(4, 24), ['pointwise', 'join', 'view', 'kernel', 'assignment'])
      await expectAgreement(grower.outputs(), close)
    })())
})

describe('state that is assigned a concatenation', () => {
  const leaf = (count: number): Node =>
    g.leaf(
      Float32Array.from({ length: count }, (_, i) => 0.3 * i - 0.4),
      [count],
      'f32',
    )

  it('is not overwritten by its first part while the old value is still read', async () => {
    const [state, other] = [leaf(4), leaf(2)]
    const first = g.unary('sin', other)
    const read = g.sum(g.exp(state), [0]) // comes between the parts
    const next = g.concat([first, g.unary('cos', other)], 0)
    await expectAgreement([g.make('assign', [state, next], {}), read])
  })

  it('may be made of itself', async () => {
    const state = leaf(6)
    const shifted = g.concat([g.narrow(state, 0, 2, 4), g.exp(g.narrow(state, 0, 0, 2))], 0)
    const next = g.make('assign', [state, shifted], {})
    const turned = g.concat([g.exp(g.narrow(next, 0, 3, 3)), g.narrow(next, 0, 0, 3)], 0)
    await expectAgreement([g.make('assign', [next, turned], {})])
  })
})

describe('state that is assigned a reshaped result', () => {
  const leaf = (shape: number[]): Node =>
    g.leaf(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      shape,
      'f32',
    )
  const normed = (x: Node): Node => g.reshape(g.make('softmax', [x], {}), [12])

  it('of another value', async () => {
    const [state, x] = [leaf([12]), leaf([3, 4])]
    await expectAgreement([g.make('assign', [state, normed(x)], {}), g.exp(state)])
  })

  it('that others read in its own shape', async () => {
    const [state, x] = [leaf([12]), leaf([3, 4])]
    const result = g.make('softmax', [x], {})
    const next = g.make('assign', [state, g.reshape(result, [12])], {})
    await expectAgreement([next, g.sum(result, [0]), g.exp(next)])
  })

  it('of its own old value, in another order', async () => {
    const state = leaf([12])
    const turned = g.transpose(g.reshape(state, [4, 3]))
    await expectAgreement([g.make('assign', [state, normed(turned)], {})])
  })
})

describe('a long expression', () => {
  const row = (i: number): Node =>
    g.leaf(Float32Array.of(0.1 * i, 1 - 0.1 * i, 0.5, 0.25), [4], 'f32')

  // Each step of these brings two or three operands of its own into one kernel.
  it('of choices', async () => {
    let x = row(0)
    for (let i = 0; i < 40; i++) {
      const draws = g.uniform([4], g.scalar(i, 'u32'), g.scalar(i + 1, 'u32'))
      x = g.where(g.binary('lt', draws, row(i % 7)), x, row(i % 11))
      x = g.where(g.leaf(Uint8Array.of(i & 1, 1, 0, 1), [4], 'bool'), x, row(i % 5))
    }
    await expectAgreement([x, g.sum(g.square(x), [0])])
  })

  it('of integers, whose steps take many instructions each', async () => {
    let x = g.leaf(Uint8Array.of(3, 1, 0, 255), [4], 'u8')
    let y = g.leaf(Int32Array.of(3, -1, 0, 77), [4], 'i32')
    for (let i = 0; i < 30; i++) {
      const power = g.leaf(Uint8Array.of(i % 5, 1, 0, 3), [4], 'u8')
      x = g.binary('pow', g.add(x, power), power)
      y = g.binary(
        'pow',
        g.add(y, g.cast(x, 'i32')),
        g.leaf(Int32Array.of(i, -i, 2, 3), [4], 'i32'),
      )
    }
    await expectAgreement([x, y])
  })
})

describe('reductions', () => {
  it('of numbers that are made on the spot', async () => {
    const index = g.iota([3, 5], 1)
    const half = g.scale(g.cast(index, 'f32'), 0.5)
    await expectAgreement([g.reduce('amax', index, [0, 1], false), g.sum(half, [0])], close)
    await expectAgreement([g.reduce('sum', g.iota([4, 2], 0), [0], true)], close)
  })
})
