// NaN, infinities, both zeros, huge and tiny numbers: each element is held to its own size.
import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { TypedArray } from '../../src/graph/dtype.ts'
import type { Node } from '../../src/graph/node.ts'
import type { Binary, Reduction, Unary } from '../../src/graph/ops.ts'
import { cpuDevices, onEach } from '../support/devices.ts'
import { evaluate } from '../support/evaluate.ts'

const inf = Number.POSITIVE_INFINITY
const special = [
  ...[0, 1, 0.5, 2, 1e-6, 1e-20, 1.2e-38, 3e38, 88, 104, 709, 1e4, 1e9, 2.5, 1.5, 3, inf],
  ...[0.7, 5.9, 0.9999999, 1.0000001, 8388609, 2147483648, 4294967296, 16777216],
].flatMap((x) => [x, -x])
const values = Float32Array.from([...special, Number.NaN])

const unary: Unary[] = [
  ...(['neg', 'abs', 'sign', 'exp', 'log', 'log1p', 'expm1', 'sqrt', 'rsqrt', 'recip'] as const),
  ...(['sin', 'cos', 'tanh', 'erf', 'sigmoid', 'floor', 'ceil', 'round', 'trunc'] as const),
]
const binary: Binary[] = [
  ...(['add', 'sub', 'mul', 'div', 'pow', 'mod', 'maximum', 'minimum'] as const),
  ...(['eq', 'ne', 'lt', 'le'] as const),
]
const reductions: Reduction[] = ['sum', 'prod', 'amax', 'amin', 'argmax', 'argmin']
const composites: [string, (x: Node) => Node][] = [
  ['gelu', (x) => g.make('gelu', [x], { tanh: false })],
  ['gelu of tanh', (x) => g.make('gelu', [x], { tanh: true })],
  ['silu', (x) => g.make('silu', [x], {})],
]

const leaf = (data: TypedArray, shape: number[] = [data.length]): Node => g.leaf(data, shape, 'f32')

onEach(cpuDevices, (device) => {
  /** Each within a few units of its last place; `absolute` is what may be lost by cancellation. */
  async function expectEach(
    node: Node,
    describeInput: (i: number) => string,
    { relative = 2e-6, absolute = 2 ** -126 } = {},
  ): Promise<void> {
    const [[wanted], [found]] = [await evaluate([node]), await evaluate([node], device())]
    const wrong: string[] = []
    wanted.forEach((exact, i) => {
      const x = node.dtype === 'f32' ? Math.fround(exact) : exact
      const same = Object.is(found[i], x) || found[i] === x
      const near = Math.abs(found[i] - x) <= absolute + relative * Math.abs(x)
      if (!same && !(near && Number.isFinite(x)))
        wrong.push(`${node.op}(${describeInput(i)}) is ${found[i]}, not ${x}`)
    })
    expect(wrong).toEqual([])
  }

  describe('special values', () => {
    it.each(unary)('of %s', async (op) => {
      const small = values.filter((x) => !(Math.abs(x) > 1e5 && Number.isFinite(x)))
      const list = op === 'sin' || op === 'cos' ? small : values
      await expectEach(g.unary(op, leaf(list)), (i) => `${list[i]}`, { absolute: 3e-7 })
    })

    it.each(['neg', 'abs', 'sqrt', 'floor', 'ceil', 'trunc', 'round', 'recip'] as const)(
      'keep the sign of zero in %s',
      async (op) => {
        const node = g.unary(op, leaf(Float32Array.of(0, -0, inf, -inf, -0.25, 0.25)))
        const [[wanted], [found]] = [await evaluate([node]), await evaluate([node], device())]
        expect([...found]).toEqual([...Float32Array.from(wanted)])
      },
    )

    it.each(binary)('of %s', async (op) => {
      const [n, list] = [values.length, values]
      const node = g.binary(op, leaf(list, [n, 1]), leaf(list, [1, n]))
      await expectEach(node, (i) => `${list[Math.floor(i / n)]}, ${list[i % n]}`, {
        relative: 1e-5,
      })
    })

    it.each(composites)('of %s', async (_, make) => {
      const list = values.filter((x) => Math.abs(x) < 1e10)
      await expectEach(make(leaf(list)), (i) => `${list[i]}`, { absolute: 2e-6 })
    })

    it.each(['i32', 'u32', 'u8', 'bool'] as const)('cast to %s', async (dtype) => {
      await expectEach(g.cast(leaf(values), dtype), (i) => `${values[i]}`)
    })

    it.each(reductions)('reduced by %s', async (op) => {
      const rows = [
        [1, Number.NaN, 2, Number.NaN, 3],
        [inf, -inf, 0, 1, 2],
        [-inf, -inf, -inf, -inf, -inf],
        [inf, 1, inf, -1, 0],
        [0, -0, 0, -0, 0],
        [-5, -5, -7, -7, -6],
      ]
      for (const length of [5, 40]) {
        const flat = rows.flatMap((row) => Array.from({ length }, (_, i) => row[i % 5]))
        const wide = leaf(Float32Array.from(flat), [rows.length, length])
        await expectEach(g.reduce(op, wide, [1]), (i) => `${rows[i]}`)
        await expectEach(g.reduce(op, g.transpose(wide), [1]), (i) => `column ${i}`)
        await expectEach(g.reduce(op, wide, [0]), (i) => `all at ${i}`)
      }
    })

    it.each(['softmax', 'logSoftmax'] as const)('in rows of %s', async (op) => {
      const rows = [
        [0, -inf, 1],
        [1e4, 0, -1e4],
        [3e38, 3e38, 0],
        [Number.NaN, 1, 2],
        [-1e30, -1e30, -1e30],
      ]
      const x = leaf(Float32Array.from(rows.flat()), [rows.length, 3])
      await expectEach(g.make(op, [x], {}), (i) => `${rows[Math.floor(i / 3)]}`)
    })

    it.each(['cumsum', 'cumprod', 'cummax'] as const)('along %s', async (op) => {
      const x = leaf(Float32Array.of(1, 2, inf, 3, -inf, Number.NaN, 2, 5))
      await expectEach(g.make(op, [x], { axis: 0 }), (i) => `at ${i}`)
    })

    it.each([
      ['sort', false],
      ['sort', true],
      ['topk', false],
      ['topk', true],
    ] as const)('in the order of %s (%s)', async (op, down) => {
      const data = Float32Array.of(3, Number.NaN, -0, 0, inf, 3, -inf, Number.NaN, 0, 3, 1e-40, -3)
      const x = leaf(Float32Array.from([...data, ...data.slice().reverse()]), [2, 12])
      const node =
        op === 'sort'
          ? g.make('sort', [x], { axis: 1, descending: down })
          : g.make('topk', [x], { axis: 1, k: 7, largest: down })
      const outputs = g.outputs(node)
      const [wanted, found] = [await evaluate(outputs), await evaluate(outputs, device())]
      expect([...found[1]]).toEqual([...wanted[1]])
      expect([...found[0]]).toEqual([...Float32Array.from(wanted[0])])
    })

    it('make a matrix product NaN only where they are', async () => {
      const a = leaf(Float32Array.of(1, Number.NaN, 2, 3, inf, 1, 0, 0), [4, 2])
      const b = leaf(Float32Array.of(1, 0, 2, 3), [2, 2])
      await expectEach(g.matmul(a, b), (i) => `row ${Math.floor(i / 2)}`)
    })
  })
})
