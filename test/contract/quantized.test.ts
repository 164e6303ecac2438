// Products with weights in blocks, and the blocks as numbers, against the reference device.
//
// The kernels round up to 32 rows of x to 16 bits. Rows that such numbers hold exactly must agree as all products do;
// others within what the rounding may cost, 1/65278 of the row's largest number.
import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import type { Shape } from '../../src/graph/shape.ts'
import {
  type BlockFormat,
  blockFormats,
  blockLayouts,
  dequantizeBlocks,
} from '../../src/util/block-formats.ts'
import { randomUniform } from '../../src/util/random.ts'
import { expectGradients } from '../grad/finite-differences.ts'
import { cpuDevices } from '../support/devices.ts'
import { evaluate, noise, variable } from '../support/evaluate.ts'
import { expectAgreement } from './agreement.ts'
import { property, type Sampler } from './sampler.ts'

/** Where in a block its f16 numbers are. */
const halves: Record<BlockFormat, number[]> = {
  q8_0: [0],
  q4_0: [0],
  q4_1: [0, 2],
  q5_0: [0],
  q5_1: [0, 2],
  iq4_nl: [0],
  q3_k: [108],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
}

/** The same draws each time, for tests that are not properties. */
function drawsOf(seed: number): Draws {
  let count = 0
  const whole = (min: number, max: number): number =>
    min + Math.floor((max - min + 1) * randomUniform(seed, 0, count++))
  return { whole, one: (list) => list[whole(0, list.length - 1)] }
}

type Draws = Pick<Sampler, 'whole' | 'one'>

/** Any bits; the scales, which are f16, of ordinary size. */
function blocks(draw: Draws, format: BlockFormat, shape: Shape): Node {
  const { numbers, bytes } = blockLayouts[format]
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const count = (rows * (shape.at(-1) as number)) / numbers
  const data = Uint8Array.from({ length: count * bytes }, () => draw.whole(0, 255))
  for (let block = 0; block < count; block++)
    for (const at of halves[format])
      data[block * bytes + at + 1] = draw.one([0x2c, 0x30, 0xb1, 0x34])
  const last = ((shape.at(-1) as number) / numbers) * bytes
  return g.leaf(data, [...shape.slice(0, -1), last], 'u8')
}

/** Rows of whole multiples of their largest number, divided by the largest that the kernels round to. */
function exact(draw: Sampler, shape: Shape): Node {
  const count = shape.reduce((a, b) => a * b, 1)
  const data = Float32Array.from({ length: count }, (_, i) =>
    i % 32 === 7 ? -32639 : draw.whole(-32639, 32639),
  )
  const width = shape.at(-1) as number
  for (let i = 0; i < count; i++) data[i] *= 2 ** (Math.floor(i / width) % 5)
  return g.leaf(data, shape, 'f32')
}

const product = (draw: Sampler, format: BlockFormat, make: typeof exact, m: number): Node => {
  const k = blockLayouts[format].numbers * draw.one([1, 2, 3, 4, 5, 7, 9])
  const n = draw.one([1, 2, 3, 5, 8, 17, 33, 65, 300])
  const x = make(draw, draw.chance() ? [m, k] : [1, m, k])
  const y = g.matmulQuantized(x, blocks(draw, format, [n, k]), format)
  return draw.chance() ? g.add(y, noise([n])) : y
}

describe.each(blockFormats)('%s', (format) => {
  const { numbers } = blockLayouts[format]

  it('as numbers, in any layout', () =>
    property(20, async (draw) => {
      const shape = [draw.whole(1, 3), draw.whole(1, 9), numbers * draw.whole(1, 3)]
      const whole = blocks(draw, format, shape)
      const picked = g.take(whole, g.leaf(Int32Array.of(0, shape[1] - 1), [2], 'i32'), 1)
      await expectAgreement(
        [whole, picked, g.permute(whole, [1, 0, 2])].map((x) => g.dequantize(x, format)),
      )
    })())

  it('times few rows that 16 bits hold exactly', () =>
    property(20, async (draw) => {
      await expectAgreement([product(draw, format, exact, draw.whole(1, 32))], { tolerance: 1e-5 })
    })())

  it('times few rows', () =>
    property(10, async (draw) => {
      const any = (_: Sampler, shape: Shape): Node => noise(shape)
      await expectAgreement([product(draw, format, any, draw.whole(1, 32))], { tolerance: 2e-4 })
    })())

  it('times many rows', () =>
    property(10, async (draw) => {
      const any = (_: Sampler, shape: Shape): Node => noise(shape)
      const m = draw.one([33, 47, 63, 130])
      await expectAgreement([product(draw, format, any, m)], { tolerance: 1e-5 })
    })())

  it.each([1, 40])('times %i rows that lie apart or turned', (m) =>
    property(5, async (draw) => {
      const w = blocks(draw, format, [20, numbers])
      const wide = exact(draw, [2, m, 2 * numbers])
      const apart = g.narrow(wide, 2, numbers, numbers)
      const turned = g.transpose(exact(draw, [numbers, m]))
      await expectAgreement([g.matmulQuantized(apart, w, format)], { tolerance: 1e-5 })
      await expectAgreement([g.matmulQuantized(turned, w, format)], { tolerance: 2e-4 })
    })(),
  )

  it('times gradients of any layout', () =>
    property(20, async (draw) => {
      const k = numbers * draw.one([1, 2, 3, 5])
      const n = draw.one([1, 2, 17, 33, 300, 800])
      const m = draw.one([1, 2, 31, 33, 130])
      const w = blocks(draw, format, [n, k])
      const wide = noise([2, m, 2 * n])
      const dy = draw.one([noise([m, n]), g.narrow(wide, 2, n, n), g.transpose(noise([n, m]))])
      await expectAgreement([g.matmulQuantizedInput(dy, w, format)], { tolerance: 1e-5 })
    })())

  it('gives the loss and the gradient of states', () =>
    property(5, async (draw) => {
      const [n, v, rows] = [draw.whole(1, 80), 97, draw.one([1, 7, 40, 80])]
      const target = Int32Array.from({ length: n }, () => draw.one([-100, draw.whole(0, v - 1)]))
      const w = blocks(draw, format, [v, numbers])
      const inputs = [noise([n, numbers]), w, g.leaf(target, [n], 'i32'), noise([n])] as const
      const attrs = { ignoreIndex: -100, labelSmoothing: 0.1, format, rows }
      await expectAgreement(g.linearCrossEntropy(inputs, attrs), { tolerance: 1e-3 })
    })())

  it('has the gradient of a gradient', async () => {
    const dy = variable([2, 3])
    const w = blocks(drawsOf(1), format, [3, numbers])
    await expectGradients({ wrt: [dy], outputs: [g.matmulQuantizedInput(dy, w, format)] })
  })

  it('has the gradient of a product', async () => {
    const x = variable([2, numbers])
    const y = g.matmulQuantized(x, blocks(drawsOf(1), format, [3, numbers]), format)
    await expectGradients({ wrt: [x], outputs: [y] })
  })
})

describe.each(cpuDevices)('on $name', ({ make }) => {
  const weights = (format: BlockFormat): Node => {
    const { numbers, bytes } = blockLayouts[format]
    const data = Uint8Array.from({ length: (768 / numbers) * bytes * 515 }, (_, i) => (i * 29) % 60)
    return g.leaf(data, [515, (768 / numbers) * bytes], 'u8')
  }

  it('any number of threads gives the same bits', async () => {
    const nodes = blockFormats.flatMap((format) =>
      [1, 7, 29, 40].flatMap((m) => [
        g.matmulQuantized(noise([m, 768]), weights(format), format),
        g.matmulQuantizedInput(noise([m, 515]), weights(format), format),
      ]),
    )
    const one = await evaluate(nodes, make({ threads: 1 }))
    const three = await evaluate(nodes, make({ threads: 3 }))
    three.forEach((values, i) => {
      expect(values, `output ${i}`).toEqual(one[i])
    })
  })

  // 7 blocks of 32: four at a time, where processors can, and the rest one by one. 37 columns: streams, and a rest.
  it.each(blockFormats)(
    '%s: each of 1 to 32 rows has the bits of the row alone',
    async (format) => {
      const k = Math.max(blockLayouts[format].numbers * 2, 224)
      const [x, w] = [noise([32, k]), blocks(drawsOf(7), format, [37, k])]
      const bias = noise([37])
      const y = (from: number, rows: number): Node =>
        g.add(g.matmulQuantized(g.narrow(x, 0, from, rows), w, format), bias)
      const rows = Array.from({ length: 32 }, (_, i) => i)
      const device = make()
      const alone = await evaluate(
        rows.map((row) => y(row, 1)),
        device,
      )
      const ends = await evaluate(
        rows.map((row) => y(row, 32 - row)), // 32 to 1 rows
        device,
      )
      ends.forEach((values, from) => {
        const expected = alone.slice(from).flatMap((row) => Array.from(row))
        expect(Array.from(values), `${32 - from} rows`).toEqual(expected)
      })
    },
  )

  it.each([1, 20, 40])(
    'what is not finite in one of %i rows reaches its products alone',
    async (m) => {
      const data = new Float32Array(m * 64).fill(1)
      data[5] = Number.NaN
      const bytes = Uint8Array.from({ length: 2 * 34 }, (_, i) => (i % 34 === 1 ? 0x3c : 1))
      bytes[0] = bytes[34] = 0
      const w = g.leaf(bytes, [1, 68], 'u8')
      const [y] = await evaluate(
        [g.matmulQuantized(g.leaf(data, [m, 64], 'f32'), w, 'q8_0')],
        make(),
      )
      const sum = dequantizeBlocks('q8_0', bytes).reduce((a, b) => a + b)
      expect(y[0]).toBeNaN()
      for (let i = 1; i < m; i++) expect(y[i]).toBeCloseTo(sum, 3)
    },
  )
})
