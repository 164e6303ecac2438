// Where finite differences say nothing: ties, zeros, infinities and blocked paths.
import { describe, expect, it } from 'vitest'
import { gradients, variablesOf } from '../../src/grad/backward.ts'
import { recompute } from '../../src/grad/recompute.ts'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import type { Shape } from '../../src/graph/shape.ts'
import { array, evaluate, noise, numbers, variable } from '../support/evaluate.ts'
import { heedError } from '../support/heed-error.ts'

const none = {}

function tracked(values: number[], shape: Shape = [values.length]): Node {
  const leaf = array(values, shape)
  leaf.tracked = true
  return leaf
}

/** Gradients of Σ output. */
const slopes = (output: Node, ...wrt: Node[]): (Node | null)[] =>
  gradients([output], [g.filled(1, output.shape)], wrt)

async function slope(output: Node, x: Node): Promise<number[]> {
  const [grad] = slopes(output, x)
  return numbers(grad as Node)
}

describe('ties', () => {
  it('share the gradient of maximum and minimum half and half', async () => {
    const [a, b] = [tracked([1, 2, 3]), tracked([1, 3, 2])]
    expect(await slope(g.binary('maximum', a, b), a)).toEqual([0.5, 0, 1])
    expect(await slope(g.binary('maximum', a, b), b)).toEqual([0.5, 1, 0])
    expect(await slope(g.binary('minimum', a, b), a)).toEqual([0.5, 1, 0])
  })

  it('share the gradient of amax and amin evenly', async () => {
    const x = tracked([4, 1, 4, 1, 1, 0], [2, 3])
    expect(await slope(g.reduce('amax', x, [1]), x)).toEqual([0.5, 0, 0.5, 0.5, 0.5, 0])
    expect(await slope(g.reduce('amin', x, [0, 1]), x)).toEqual([0, 0, 0, 0, 0, 1])
  })

  it('give the gradient of cummax to the last of equals', async () => {
    const x = tracked([1, 3, 3, 2, 5])
    const y = g.mul(g.make('cummax', [x], { axis: 0 }), array([1, 2, 4, 8, 16], [5]))
    expect(await slope(y, x)).toEqual([1, 2, 12, 0, 16])
  })

  it('give the gradient of sort and topk to the first of equals', async () => {
    const x = tracked([2, 1, 2])
    const weights = array([10, 20, 30], [3])
    const sorted = g.pick(g.make('sort', [x], { axis: 0, descending: true }), 0)
    expect(await slope(g.mul(sorted, weights), x)).toEqual([10, 30, 20])
    const top = g.pick(g.make('topk', [x], { axis: 0, k: 1, largest: true }), 0)
    expect(await slope(top, x)).toEqual([1, 0, 0])
  })
})

describe('zeros', () => {
  it('of pow are as in PyTorch: 0 for a zero exponent, and 0 for the exponent of a zero base', async () => {
    const [a, b] = [tracked([0, 0, 0, 2]), tracked([0, 1, 2, 0])]
    const y = g.binary('pow', a, b)
    expect(await slope(y, a)).toEqual([0, 1, 0, 0])
    const [, grad] = slopes(y, a, b)
    const [exact] = await evaluate([grad as Node])
    expect([...exact].slice(0, 3)).toEqual([0, 0, 0])
    expect(exact[3]).toBeCloseTo(Math.log(2), 14)
  })

  it('leave sizes of zero alone', async () => {
    const x = variable([2, 0])
    for (const op of ['sum', 'prod'] as const)
      expect(await slope(g.reduce(op, x, [1]), x)).toEqual([])
    expect(await slope(g.concat([x, x], 1), x)).toEqual([])
    expect(await slope(g.make('cumsum', [x], { axis: 1 }), x)).toEqual([])
    expect(await slope(g.make('cumprod', [x], { axis: 1 }), x)).toEqual([])
    expect(await slope(g.matmul(g.transpose(x), x), x)).toEqual([])
    const [a, b] = [variable([2, 0]), variable([0, 3])]
    expect(await slope(g.matmul(a, b), b)).toEqual([])
  })
})

describe('infinities', () => {
  const hidden = Number.NEGATIVE_INFINITY

  it('in softmax and logSoftmax do not spoil the gradient of the others', async () => {
    const x = tracked([0, hidden, 0])
    const first = array([1, 0, 0], [3])
    const y = g.make('softmax', [x], none)
    expect(await slope(g.mul(y, first), x)).toEqual([0.25, -0, -0.25])
    const [value] = slopes(g.narrow(g.make('logSoftmax', [x], none), 0, 0, 1), x)
    expect(await numbers(value as Node)).toEqual([0.5, 0, -0.5])
  })

  it.each(['mask', 'bias'] as const)(
    'of rows that see nothing (%s) give 0, never NaN',
    async (by) => {
      const [q, k, v] = [variable([1, 1, 2, 3]), variable([1, 1, 2, 3]), variable([1, 1, 2, 3])]
      const scores: Shape = [1, 1, 2, 2]
      const options =
        by === 'mask'
          ? { mask: array([0, 0, 1, 0], scores, 'bool') }
          : { bias: array([hidden, hidden, 0, hidden], scores) }
      const [out, lse] = g.attention({ q, k, v, ...options })
      const [outValue, lseValue] = await evaluate([out, lse])
      expect([...outValue].slice(0, 3)).toEqual([0, 0, 0])
      expect(lseValue[0]).toBe(hidden)
      const visible = g.where(array([0, 1], [1, 1, 2], 'bool'), lse, g.constant(0))
      for (const loss of [
        g.sum(out, [0, 1, 2, 3]),
        g.add(g.sum(out, [0, 1, 2, 3]), g.sum(visible, [0, 1, 2])),
      ]) {
        const grads = slopes(loss, q, k, v) as Node[]
        const values = await evaluate(grads)
        expect([...values[0]].slice(0, 3)).toEqual([0, 0, 0])
        for (const grad of values) expect([...grad].every(Number.isFinite)).toBe(true)
        const again = gradients(
          grads,
          grads.map((x) => noise(x.shape)),
          [q, k, v],
        ) as Node[]
        for (const grad of await evaluate(again.filter((x) => x !== null)))
          expect([...grad].every(Number.isFinite)).toBe(true)
      }
    },
  )

  it('of where stay on the side that is not chosen', async () => {
    const x = tracked([0, 4])
    const safe = g.where(array([0, 1], [2], 'bool'), x, g.constant(1))
    expect(await slope(g.sqrt(safe), x)).toEqual([0, 0.25])
  })
})

it('a row of crossEntropy that is ignored has no gradient', async () => {
  const logits = variable([2, 3])
  const attrs = { ignoreIndex: -100, labelSmoothing: 0.1 }
  const [loss] = g.crossEntropy(logits, array([-100, 1], [2], 'i32'), attrs)
  expect((await numbers(loss))[0]).toBe(0)
  expect((await slope(loss, logits)).slice(0, 3)).toEqual([0, 0, 0])
})

describe('paths', () => {
  it('end at stopGradient, at steps, and where there is none', () => {
    const [x, other] = [variable([2]), variable([2])]
    expect(slopes(g.stopGradient(g.exp(x)), x)).toEqual([null])
    expect(slopes(g.unary('floor', x), x)).toEqual([null])
    expect(slopes(g.cast(g.cast(x, 'i32'), 'f32'), x)).toEqual([null])
    expect(slopes(g.exp(x), other)).toEqual([null])
    expect(slopes(g.exp(noise([2])), x)).toEqual([null])
  })

  it('are walked no further than the nodes that are asked for', async () => {
    const x = tracked([3])
    const middle = g.square(x)
    const end = g.square(middle)
    expect(await slope(end, middle)).toEqual([18])
    expect(await slope(end, x)).toEqual([108])
    const [behind, inner] = slopes(end, x, middle)
    expect(behind).toBeNull() // what lies behind `middle` is not looked at
    expect(await numbers(inner as Node)).toEqual([18])
    expect(await slope(x, x)).toEqual([1])
  })

  it('that meet again are added up, and split ones laid side by side', async () => {
    const x = tracked([1, 2, 3, 4])
    expect(await slope(g.add(g.mul(x, x), x), x)).toEqual([3, 5, 7, 9])
    const halves = [g.narrow(x, 0, 0, 2), g.narrow(x, 0, 2, 2)]
    const [grad] = slopes(g.mul(halves[0], halves[1]), x)
    expect((grad as Node).op).toBe('concat')
    expect(await numbers(grad as Node)).toEqual([3, 4, 1, 2])
  })

  it('are as long as they like', async () => {
    const x = tracked([1])
    let y: Node = x
    for (let i = 0; i < 20_000; i++) y = g.neg(y)
    expect(await slope(y, x)).toEqual([1])
  })

  it('that were freed are told of', () => {
    const x = variable([2])
    const y = g.exp(x)
    const z = g.sum(y, [0])
    z.release()
    z.tracked = true
    expect(() => slopes(z, x)).toThrow(
      heedError('invalid-state', { mentions: '(at sum)', remedy: 'backward()' }),
    )
  })

  it('lead to variables in the order of their making', () => {
    const [a, b] = [variable([2]), variable([2])]
    a.variable = {}
    b.variable = {}
    expect(variablesOf(g.mul(g.exp(b), a))).toEqual([a, b])
  })

  it('carry a scope that says that this is the way back', () => {
    const x = variable([2])
    const y = g.exp(x)
    Object.assign(y, { scope: 'h.3.mlp' })
    expect(slopes(y, x)[0]?.scope).toBe('h.3.mlp (backward)')
  })
})

describe('recompute', () => {
  it('gives the gradients of what it computes again, for inputs and for what it captures', async () => {
    const [x, w] = [variable([2, 3]), variable([3, 3])]
    const seeds = [g.scalar(1, 'u32'), g.scalar(2, 'u32')]
    const block = (input: Node): Node =>
      g.make(
        'dropout',
        [g.make('gelu', [g.matmul(g.mul(input, input), w)], { tanh: false }), ...seeds],
        { p: 0.3 },
      )
    const plain = slopes(block(x), x, w) as Node[]
    const again = slopes(recompute(block(x), [x]), x, w) as Node[]
    const [a, b, c, d] = await evaluate([...plain, ...again])
    expect([...c]).toEqual([...a])
    expect([...d]).toEqual([...b])
  })

  it('does not lose the gradient through a value that was read before the backward pass', async () => {
    const x = tracked([1, 2])
    const middle = g.square(x)
    const out = recompute(g.square(middle), [x])
    middle.data = Float64Array.of(1, 4)
    const [grad] = slopes(out, x)
    expect(await numbers(grad as Node)).toEqual([4, 32])
  })
})
