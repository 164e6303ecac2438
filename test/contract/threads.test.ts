// Threads take tiles of a cut that depends on shapes alone: one or many, the bits are the same.
import { describe, expect, it } from 'vitest'
import { gradients } from '../../src/grad/backward.ts'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import { cpuDevices } from '../support/devices.ts'
import { evaluate, noise, variable } from '../support/evaluate.ts'

const none = {}

const graphs: [string, (x: Node) => Node[]][] = [
  ['sums', (x) => [g.sum(x, [0, 1]), g.sum(x, [0]), g.sum(x, [1]), g.mean(g.exp(x), [0, 1])]],
  [
    'products',
    (x) => [g.matmul(g.transpose(x), x), g.matmul(g.narrow(x, 0, 0, 3), noise([384, 1000]))],
  ],
  ['a sum of products', (x) => [g.sum(g.tanh(g.matmul(x, noise([384, 129]))), [0])]],
  [
    'norms',
    (x) => [
      ...g.outputs(g.make('layerNorm', [x, noise([384]), noise([384])], { eps: 1e-5 })),
      ...g.outputs(g.make('rmsNorm', [x, noise([384])], { eps: 1e-5 })),
    ],
  ],
  ['softmax', (x) => [g.make('softmax', [x], none), g.make('logSoftmax', [x], none)]],
  [
    'losses',
    (x) => {
      const target = g.leaf(
        Int32Array.from({ length: 517 }, (_, i) => (i * 7) % 384),
        [517],
        'i32',
      )
      return g.crossEntropy(x, target, { ignoreIndex: 3, labelSmoothing: 0.1 })
    },
  ],
  [
    'attention',
    (x) => {
      const cut = g.reshape(g.narrow(x, 0, 0, 510), [2, 255, 6, 64])
      const q = g.permute(cut, [0, 2, 1, 3])
      const [seed, draw] = [g.scalar(1, 'u32'), g.scalar(2, 'u32')]
      return g.attention({ q, k: q, v: q, seed, draw }, { causal: true, dropout: 0.1 })
    },
  ],
  [
    'convolutions',
    (x) => {
      const images = g.reshape(g.narrow(x, 0, 0, 512), [16, 64, 12, 16])
      const attrs = { stride: [1, 1], before: [1, 1], behind: [1, 1], dilation: [1, 1], groups: 1 }
      const deep = { ...attrs, stride: [2, 2], groups: 64 }
      return [
        g.make('convolution', [images, noise([24, 64, 3, 3])], attrs),
        g.make('convolution', [images, noise([64, 1, 3, 3])], deep),
      ]
    },
  ],
  ['scans', (x) => [g.make('cumsum', [x], { axis: 0 }), g.make('cumsum', [x], { axis: 1 })]],
  [
    'scattered sums',
    (x) => {
      const index = g.leaf(
        Int32Array.from({ length: 5000 }, (_, i) => (i * 31) % 517),
        [5000],
        'i32',
      )
      return [g.take(x, index, 0)]
    },
  ],
  ['drawn numbers', (x) => [g.mul(x, g.uniform(x.shape, g.scalar(1, 'u32'), g.scalar(2, 'u32')))]],
]

describe.each(cpuDevices)('on $name', ({ make }) => {
  it.each(graphs)('%s and their gradients', async (_, build) => {
    const x = variable([517, 384])
    const outputs = build(x)
    const seeds = outputs.map((node) => (node.tracked ? noise(node.shape) : null))
    const firsts = outputs.slice(0, 1)
    const slopes = gradients(firsts, seeds.slice(0, 1), [x]).filter((node) => node !== null)
    const nodes = [...outputs, ...slopes]
    const one = await evaluate(nodes, make({ threads: 1 }))
    for (const threads of [2, 3]) {
      const many = await evaluate(nodes, make({ threads }))
      many.forEach((values, i) => {
        expect(Buffer.from(values.buffer).equals(Buffer.from(one[i].buffer)), `output ${i}`).toBe(
          true,
        )
      })
    }
  })
})
