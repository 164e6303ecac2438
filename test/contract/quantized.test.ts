// Products with weights in blocks, and the blocks as numbers, against the reference device.
//
// The kernels round few rows of x to bytes, with one scale for 32 numbers. Rows that such bytes hold exactly must
// agree as all products do; others within what the rounding may cost, 1/254 of the largest of the 32 numbers.
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
import { expectGradients } from '../grad/finite-differences.ts'
import { cpuDevices } from '../support/devices.ts'
import { evaluate, noise, variable } from '../support/evaluate.ts'
import { expectAgreement } from './agreement.ts'
import { property, type Sampler } from './sampler.ts'

/** Any bits; the scales, which are f16, of ordinary size. */
function blocks(draw: Sampler, format: BlockFormat, shape: Shape): Node {
  const { numbers, bytes } = blockLayouts[format]
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const count = (rows * (shape.at(-1) as number)) / numbers
  const data = Uint8Array.from({ length: count * bytes }, () => draw.whole(0, 255))
  const halves = { q8_0: [0], q4_0: [0], q4_1: [0, 2], q4_k: [0, 2], q6_k: [208] }[format]
  for (let block = 0; block < count; block++)
    for (const at of halves) data[block * bytes + at + 1] = draw.one([0x2c, 0x30, 0xb1, 0x34])
  const last = ((shape.at(-1) as number) / numbers) * bytes
  return g.leaf(data, [...shape.slice(0, -1), last], 'u8')
}

/** Numbers of which 32 are whole multiples of their largest, divided by 127. */
function exact(draw: Sampler, shape: Shape): Node {
  const count = shape.reduce((a, b) => a * b, 1)
  const data = Float32Array.from({ length: count }, (_, i) =>
    i % 32 === 7 ? -127 : draw.whole(-127, 127),
  )
  for (let i = 0; i < count; i++) data[i] *= 2 ** ((i >> 5) % 5)
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

  it('times few rows that bytes hold exactly', () =>
    property(20, async (draw) => {
      await expectAgreement([product(draw, format, exact, draw.whole(1, 8))], { tolerance: 1e-5 })
    })())

  it('times few rows', () =>
    property(10, async (draw) => {
      const any = (_: Sampler, shape: Shape): Node => noise(shape)
      await expectAgreement([product(draw, format, any, draw.whole(1, 8))], { tolerance: 1e-2 })
    })())

  it('times many rows', () =>
    property(10, async (draw) => {
      const any = (_: Sampler, shape: Shape): Node => noise(shape)
      const m = draw.one([9, 17, 63, 130])
      await expectAgreement([product(draw, format, any, m)], { tolerance: 1e-5 })
    })())

  it.each([1, 40])('times %i rows that lie apart or turned', (m) =>
    property(5, async (draw) => {
      const w = blocks(draw, format, [20, numbers])
      const wide = exact(draw, [2, m, 2 * numbers])
      const apart = g.narrow(wide, 2, numbers, numbers)
      const turned = g.transpose(exact(draw, [numbers, m]))
      const many = m > 8 || { tolerance: 1e-2 }
      await expectAgreement([g.matmulQuantized(apart, w, format)], { tolerance: 1e-5 })
      await expectAgreement([g.matmulQuantized(turned, w, format)], many === true ? {} : many)
    })(),
  )

  it('has the gradient of a product', async () => {
    const draw = { one: (list: unknown[]) => list[0], whole: () => 17 } as unknown as Sampler
    const x = variable([2, numbers])
    const y = g.matmulQuantized(x, blocks(draw, format, [3, numbers]), format)
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
      [1, 7, 40].map((m) => g.matmulQuantized(noise([m, 768]), weights(format), format)),
    )
    const one = await evaluate(nodes, make({ threads: 1 }))
    const three = await evaluate(nodes, make({ threads: 3 }))
    three.forEach((values, i) => {
      expect(values, `output ${i}`).toEqual(one[i])
    })
  })

  it.each([1, 20])('what is not finite in one of %i rows reaches its products alone', async (m) => {
    const data = new Float32Array(m * 64).fill(1)
    data[5] = Number.NaN
    const bytes = Uint8Array.from({ length: 2 * 34 }, (_, i) => (i % 34 === 1 ? 0x3c : 1))
    bytes[0] = bytes[34] = 0
    const w = g.leaf(bytes, [1, 68], 'u8')
    const [y] = await evaluate([g.matmulQuantized(g.leaf(data, [m, 64], 'f32'), w, 'q8_0')], make())
    const sum = dequantizeBlocks('q8_0', bytes).reduce((a, b) => a + b)
    expect(y[0]).toBeNaN()
    for (let i = 1; i < m; i++) expect(y[i]).toBeCloseTo(sum, 3)
  })
})
