// What the composites mean, by properties that hold whatever the numbers are.
import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import { decompose } from '../../src/graph/decompose.ts'
import type { Node } from '../../src/graph/node.ts'
import { type Composite, compositeOps, type OpAttrs } from '../../src/graph/ops.ts'
import type { Shape } from '../../src/graph/shape.ts'
import { erf } from '../../src/runtime/reference/erf.ts'
import { expectWithin } from '../support/close.ts'
import { array, evaluate, noise, numbers } from '../support/evaluate.ts'
import { heedError } from '../support/heed-error.ts'

const none = {}

/** The values of a node, computed in double precision. */
async function expectNode(node: Node, want: Node | number[], tolerance = 1e-13): Promise<void> {
  await expectWithin(
    await numbers(node),
    Array.isArray(want) ? want : await numbers(want),
    tolerance,
  )
}

describe('softmax', () => {
  it.each([[[3, 5]], [[2, 1, 7]], [[4]]])(
    'of shape (%s) has rows that sum to one',
    async (shape) => {
      const y = g.make('softmax', [noise(shape, -50, 50)], none)
      for (const total of await numbers(g.sum(y, [shape.length - 1])))
        expect(total).toBeCloseTo(1, 14)
    },
  )

  it('does not overflow, and does not care about a constant', async () => {
    const x = noise([2, 4])
    const y = g.make('softmax', [x], none)
    await expectNode(g.make('softmax', [g.shift(x, 1e4)], none), y, 1e-11)
    await expectNode(g.log(y), g.make('logSoftmax', [x], none))
    const far = g.make('logSoftmax', [array([0, 1e4], [2])], none)
    expect(await numbers(far)).toEqual([-1e4, 0])
  })
})

describe('activations', () => {
  const x = noise([50], -6, 6)

  it('gelu is x·Φ(x), and its tanh form is near', async () => {
    const values = await numbers(x)
    const exact = values.map((v) => (v * (1 + erf(v / Math.SQRT2))) / 2)
    await expectNode(g.make('gelu', [x], { tanh: false }), exact)
    await expectNode(g.make('gelu', [x], { tanh: true }), exact, 1e-3)
  })

  it('silu is x·sigmoid(x)', async () => {
    await expectNode(
      g.make('silu', [x], none),
      (await numbers(x)).map((v) => v / (1 + Math.exp(-v))),
    )
  })
})

describe('norms', () => {
  it('layerNorm gives mean 0 and variance 1, and keeps what its backward needs', async () => {
    const x = noise([3, 64], 5, 9)
    const [y, mean, rstd] = g.outputs(
      g.make('layerNorm', [x, g.filled(1, [64]), g.filled(0, [64])], { eps: 0 }),
    )
    await expectNode(g.mean(y, [1]), [0, 0, 0])
    await expectNode(g.mean(g.square(y), [1]), [1, 1, 1])
    await expectNode(mean, g.mean(x, [1]))
    const spread = g.mean(g.square(g.sub(x, g.reshape(mean, [3, 1]))), [1])
    await expectNode(rstd, g.rsqrt(spread))
  })

  it('rmsNorm gives a mean square of 1', async () => {
    const x = noise([3, 64])
    const [y] = g.outputs(g.make('rmsNorm', [x, g.filled(1, [64])], { eps: 0 }))
    await expectNode(g.mean(g.square(y), [1]), [1, 1, 1])
  })
})

describe('crossEntropy', () => {
  const attrs = { ignoreIndex: -100, labelSmoothing: 0 }
  const logits = noise([4, 6], -30, 30)
  const target = array([5, 0, -100, 3], [4], 'i32')

  it('is minus the log of the softmax at the target, and 0 where the target is ignored', async () => {
    const [loss, lse] = g.crossEntropy(logits, target, attrs)
    const logs = await numbers(g.make('logSoftmax', [logits], none))
    await expectNode(loss, [-logs[5], -logs[6], 0, -logs[18 + 3]])
    await expectNode(lse, g.log(g.sum(g.exp(logits), [1])))
  })

  it('smoothed is the mean over soft targets', async () => {
    const [loss] = g.crossEntropy(logits, target, { ...attrs, labelSmoothing: 0.3 })
    const logs = g.make('logSoftmax', [logits], none)
    const hit = g.cast(g.binary('eq', g.iota([4, 6], 1), g.reshape(target, [4, 1])), 'f32')
    const soft = g.shift(g.scale(hit, 0.7), 0.3 / 6)
    const kept = g.cast(g.binary('ne', target, g.scalar(-100, 'i32')), 'f32')
    await expectNode(loss, g.mul(kept, g.neg(g.sum(g.mul(soft, logs), [1]))))
  })

  it('names an impossible target as the look-up that fails', async () => {
    const [loss] = g.crossEntropy(logits, array([0, 0, 0, 70], [4], 'i32'), attrs)
    await expect(evaluate([loss])).rejects.toThrow(
      heedError('invalid-data', { mentions: ['take', 'index 88', 'axis 0', 'size 24'] }),
    )
  })
})

describe('attention', () => {
  const sizes: Shape = [2, 2, 3, 4]
  const [q, k, v] = [noise(sizes), noise(sizes), noise(sizes)]
  const minusInfinity = Number.NEGATIVE_INFINITY

  it('is softmax(q·kᵀ/√d)·v', async () => {
    const scores = g.scale(g.matmul(q, g.transpose(k)), 1 / 2)
    const [out, lse] = g.attention({ q, k, v })
    await expectNode(out, g.matmul(g.make('softmax', [scores], none), v))
    await expectNode(lse, g.log(g.sum(g.exp(scores), [3])))
  })

  it('causal equals a bias of -inf above the diagonal, and a mask', async () => {
    const [out, lse] = g.attention({ q, k, v }, { causal: true })
    const triangle = [1, 0, 0, 1, 1, 0, 1, 1, 1]
    const bias = array(
      triangle.map((x) => (x ? 0 : minusInfinity)),
      [3, 3],
    )
    const mask = array(triangle, [3, 3], 'bool')
    for (const other of [g.attention({ q, k, v, bias }), g.attention({ q, k, v, mask })]) {
      await expectNode(out, other[0])
      await expectNode(lse, other[1])
    }
  })

  it('causal lines up the last query with the last key that is used', async () => {
    const long = { k: noise([2, 2, 7, 4]), v: noise([2, 2, 7, 4]) }
    const cut = (x: Node): Node => g.narrow(x, 2, 0, 5)
    const [short] = g.attention({ q, k: cut(long.k), v: cut(long.v) }, { causal: true })
    const length = g.scalar(5, 'i32')
    const [used] = g.attention({ q, ...long, length }, { causal: true })
    await expectNode(used, short)
    const [last] = g.attention({ q: g.narrow(q, 2, 2, 1), k: cut(long.k), v: cut(long.v) })
    await expectNode(g.narrow(used, 2, 2, 1), last)
  })

  it('sees the first `length` keys only', async () => {
    const length = array([2], [1], 'i32')
    const cut = (x: Node): Node => g.narrow(x, 2, 0, 2)
    const [out] = g.attention({ q, k, v, length })
    await expectNode(out, g.attention({ q, k: cut(k), v: cut(v) })[0])
  })

  it('with grouped heads equals repeated heads', async () => {
    const [few, fewer] = [noise([2, 2, 5, 4]), noise([2, 2, 5, 3])]
    const many = noise([2, 6, 3, 4])
    const repeated = (x: Node): Node => {
      const [b, h, s, d] = x.shape
      return g.reshape(g.expand(g.reshape(x, [b, h, 1, s, d]), [b, h, 3, s, d]), [b, 6, s, d])
    }
    const [out] = g.attention({ q: many, k: few, v: fewer })
    await expectNode(out, g.attention({ q: many, k: repeated(few), v: repeated(fewer) })[0])
  })

  it('gives 0 and a log-sum-exp of -inf where nothing is seen', async () => {
    const mask = array([0, 0, 0, 1, 1, 1, 0, 1, 0], [3, 3], 'bool')
    const [out, lse] = g.attention({ q, k, v, mask })
    expect(await numbers(g.narrow(out, 2, 0, 1))).toEqual(new Array(16).fill(0))
    expect(await numbers(g.narrow(lse, 2, 0, 1))).toEqual(new Array(4).fill(minusInfinity))
    await expectNode(g.narrow(out, 2, 2, 1), g.narrow(v, 2, 1, 1))
  })

  it('sees nothing when there are no keys', async () => {
    const empty: Shape = [2, 2, 0, 4]
    const [out, lse] = g.attention({ q, k: noise(empty), v: noise(empty) })
    expect(await numbers(out)).toEqual(new Array(48).fill(0))
    expect(new Set(await numbers(lse))).toEqual(new Set([minusInfinity]))
  })

  it('drops probabilities after the softmax: the expectation stays', async () => {
    const draws = 400
    const same = (x: Node): Node => g.expand(x, [draws, 2, 3, 4])
    const one = [q, k, v].map((x) => g.narrow(x, 0, 0, 1))
    const [seed, draw] = [g.scalar(1, 'u32'), g.scalar(2, 'u32')]
    const [many] = g.attention(
      { q: same(one[0]), k: same(one[1]), v: same(one[2]), seed, draw },
      { dropout: 0.2 },
    )
    const [plain] = g.attention({ q: one[0], k: one[1], v: one[2] })
    await expectNode(g.mean(many, [0], true), plain, 0.15)
  })
})

describe('dropout', () => {
  const x = g.filled(1, [100, 100])
  const dropped = (seed: number, draw: number, p = 0.25): Node =>
    g.make('dropout', [x, g.scalar(seed, 'u32'), g.scalar(draw, 'u32')], { p })

  it('keeps the expectation: what stays is scaled by 1/(1-p)', async () => {
    const y = await numbers(dropped(1, 2))
    expect(new Set(y)).toEqual(new Set([0, 1 / 0.75]))
    expect(y.reduce((a, b) => a + b) / y.length).toBeCloseTo(1, 2)
  })

  it('repeats with its seed and draw, and with no other', async () => {
    const [a, again, otherDraw, otherSeed] = await evaluate([
      dropped(1, 2),
      dropped(1, 2),
      dropped(1, 3),
      dropped(2, 2),
    ])
    expect(again).toEqual(a)
    expect(otherDraw).not.toEqual(a)
    expect(otherSeed).not.toEqual(a)
  })

  it('of 0 keeps all, of 1 nothing', async () => {
    expect(new Set(await numbers(dropped(1, 2, 0)))).toEqual(new Set([1]))
    expect(new Set(await numbers(dropped(1, 2, 1)))).toEqual(new Set([0]))
  })
})

it('adamw is one step of PyTorch, from its formulas', async () => {
  const settings = {
    lr: 0.1,
    b1: 0.9,
    b2: 0.99,
    eps: 1e-8,
    decay: 0.01,
    c1: 0.19,
    c2: 0.0199,
    scale: 0.5,
  }
  const [p, grad, m, v] = [1, -4, 0.3, 0.2]
  const inputs = [p, grad, m, v].map((x) => array([x], [1]))
  const { lr, b1, b2, eps, decay, c1, c2, scale } = settings
  const node = g.make(
    'adamw',
    [...inputs, ...Object.values(settings).map((x) => g.scalar(x))],
    none,
  )
  const d = grad * scale
  const [m2, v2] = [m + (1 - b1) * (d - m), b2 * v + (1 - b2) * d * d]
  const p2 = p * (1 - lr * decay) - ((lr / c1) * m2) / (Math.sqrt(v2) / Math.sqrt(c2) + eps)
  const [a, b, c] = g.outputs(node)
  await expectNode(a, [p2])
  await expectNode(b, [m2])
  await expectNode(c, [v2])
})

describe('a decomposition', () => {
  const x = noise([2, 3])
  const weight = noise([3])
  const lines = noise([2, 3, 4])
  const row = noise([2])
  const heads = noise([1, 2, 3, 4])
  const lse = noise([1, 2, 3])
  const scalars = Array.from({ length: 8 }, () => noise([]))
  const draws = [g.scalar(1, 'u32'), g.scalar(2, 'u32')]
  const target = array([0, 1], [2], 'i32')
  const plain = { scale: 1, causal: true, bias: false, mask: false, length: false, dropout: 0 }
  const [images, kernels, convolved] = [
    noise([2, 4, 4, 5]),
    noise([6, 2, 2, 3]),
    noise([2, 6, 2, 5]),
  ]
  const plane = { stride: [2, 1], before: [0, 1], behind: [1, 1], dilation: [1, 1], groups: 2 }
  const { groups: _, ...window } = plane
  const pool = { ...window, kernel: [2, 3] }
  const chosen = array(new Array(80).fill(1), [2, 4, 2, 5], 'i32')
  const entropy = { ignoreIndex: -100, labelSmoothing: 0 }

  const samples: { [C in Composite]: [Node[], OpAttrs[C]] } = {
    gelu: [[x], { tanh: false }],
    geluBackward: [[x, x], { tanh: true }],
    silu: [[x], none],
    siluBackward: [[x, x], none],
    softmax: [[x], none],
    softmaxBackward: [[x, x], none],
    logSoftmax: [[x], none],
    logSoftmaxBackward: [[x, x], none],
    layerNorm: [[x, weight, weight], { eps: 1e-5 }],
    layerNormBackward: [[x, weight, row, row, x], none],
    rmsNorm: [[x, weight], { eps: 1e-5 }],
    rmsNormBackward: [[x, weight, row, x], none],
    channelNorm: [[lines, weight, weight], { eps: 1e-5, groups: 3 }],
    channelNormBackward: [[lines, weight, weight, weight, lines], { eps: 1e-5, groups: 0 }],
    crossEntropy: [[x, target], entropy],
    crossEntropyBackward: [[x, target, row, row], entropy],
    linearCrossEntropy: [[x, noise([7, 3]), target, row], { ...entropy, format: null, rows: 2 }],
    attention: [[heads, heads, heads], plain],
    attentionBackward: [[heads, heads, heads, heads, lse, heads], plain],
    dropout: [[x, ...draws], { p: 0.5 }],
    matmulQuantized: [
      [noise([2, 32]), array(new Array(3 * 18).fill(7), [3, 18], 'u8')],
      { format: 'q4_0' },
    ],
    matmulQuantizedInput: [
      [noise([2, 3]), array(new Array(3 * 18).fill(7), [3, 18], 'u8')],
      { format: 'q4_0' },
    ],
    convolution: [[images, kernels], plane],
    convolutionInput: [[convolved, kernels], { ...plane, size: [4, 5] }],
    convolutionWeight: [[images, convolved], { ...plane, kernel: [2, 3] }],
    maxPool: [[images], pool],
    maxPoolBackward: [[chosen, noise([2, 4, 2, 5])], { ...pool, size: [4, 5] }],
    adamw: [[x, x, x, x, ...scalars], none],
  }

  it.each(Object.keys(samples) as Composite[])('of %s has the forms that the node has', (op) => {
    const [inputs, attrs] = samples[op]
    const node = g.make(op, inputs, attrs)
    const rule = decompose[op] as (inputs: Node[], attrs: unknown) => Node[]
    const form = ({ shape, dtype }: { shape: Shape; dtype: string }): unknown => [shape, dtype]
    expect(rule(inputs, attrs).map(form)).toEqual((node.forms ?? [node]).map(form))
    expect(compositeOps.has(op)).toBe(true)
  })
})
