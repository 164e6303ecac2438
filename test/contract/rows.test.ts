// Kernels that work row by row, at every width around the size of a vector.
import { describe, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import { expectAgreement, expectAgreementWithGradients } from './agreement.ts'
import { property, type Sampler } from './sampler.ts'

const how = { tolerance: 1e-5, floor: 3 }
const none = {}

function normed(draw: Sampler, width: number): Node[] {
  const x = draw.operand([draw.whole(1, 4), width])
  const [gamma, beta] = [draw.operand([width]), draw.operand([width])]
  return [
    ...g.outputs(g.make('layerNorm', [x, gamma, beta], { eps: 1e-2 })).slice(0, 1),
    ...g.outputs(g.make('rmsNorm', [x, gamma], { eps: 1e-2 })).slice(0, 1),
    g.make('softmax', [x], none),
    g.make('logSoftmax', [x], none),
  ]
}

describe('rows', () => {
  it('of widths from 1 to 257 are normed', () =>
    property(60, async (draw) => {
      const outputs = normed(draw, draw.whole(1, 257))
      await expectAgreementWithGradients(outputs, draw.leaves, how)
    })())

  it('of large numbers that are near each other are normed', async () => {
    const data = Float32Array.from({ length: 4 * 200 }, (_, i) => 1000 + Math.sin(i))
    const x = g.leaf(data, [4, 200], 'f32')
    const row = g.filled(1, [200])
    const [y] = g.outputs(g.make('layerNorm', [x, row, row], { eps: 1e-5 }))
    await expectAgreement([y], { tolerance: 1e-4 })
  })

  it('of many sizes are reduced, scanned and sorted', () =>
    property(60, async (draw) => {
      const [n, m] = [draw.whole(1, 300), draw.whole(1, 9)]
      const x = draw.operand(draw.chance() ? [n, m] : [m, n])
      await expectAgreement(
        [
          g.sum(x, [0]),
          g.sum(x, [1]),
          g.reduce('amax', x, [0]),
          g.reduce('argmin', x, [1]),
          g.reduce('argmax', x, [0]),
          g.reduce('argmax', x, [0, 1]),
          g.make('cumsum', [x], { axis: 0 }),
          g.make('cumsum', [x], { axis: 1 }),
          g.make('cummax', [x], { axis: 0 }),
          ...g.outputs(g.make('sort', [x], { axis: 1, descending: draw.chance() })),
          ...g.outputs(
            g.make('topk', [x], { axis: 1, k: draw.whole(1, x.shape[1]), largest: true }),
          ),
        ],
        { floor: 10 },
      )
    })())

  it.each([2, 3, 15, 16, 17, 100, 1000])('of %i classes lose', (classes) =>
    property(8, async (draw) => {
      const n = draw.whole(1, 12)
      const attrs = { ignoreIndex: draw.one([-100, 1]), labelSmoothing: draw.one([0, 0.2]) }
      const target = Int32Array.from({ length: n }, () =>
        draw.chance(0.3) ? attrs.ignoreIndex : draw.whole(0, classes - 1),
      )
      const logits = draw.operand([n, classes], 'f32', -20, 20)
      const [loss] = g.crossEntropy(logits, g.leaf(target, [n], 'i32'), attrs)
      await expectAgreementWithGradients([loss], draw.leaves, how)
    })(),
  )

  it('of many elements are reduced as exactly as pairwise sums are', async () => {
    const data = Float32Array.from({ length: 300_001 }, (_, i) => 1 + 0.5 * Math.sin(i * i))
    const x = g.leaf(data, [data.length], 'f32')
    await expectAgreement([g.sum(x, [0]), g.sum(g.flip(x, [0]), [0]), g.mean(g.square(x), [0])], {
      tolerance: 1e-6,
    })
  })
})
