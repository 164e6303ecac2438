// A random graph around each operation: one total table, so that an operation without one does not
// compile.
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import type {
  Binary,
  ConvolutionAttrs,
  Op,
  PoolAttrs,
  Reduction,
  Unary,
} from '../../src/graph/ops.ts'
import type { Shape } from '../../src/graph/shape.ts'
import type { Sampler } from './sampler.ts'

/** Outputs to compare. */
export type RandomGraph = (draw: Sampler) => Node[]

const none = {}

const float =
  (op: Unary, low = -3, high = 3): RandomGraph =>
  (draw) => [g.unary(op, draw.operand(draw.shape(), 'f32', low, high))]

const anyUnary =
  (op: Unary): RandomGraph =>
  (draw) => [g.unary(op, draw.any(draw.shape(), draw.dtype()))]

const wholeOnly = ['i32', 'u32', 'u8', 'bool'] as const

function pair(draw: Sampler): [Shape, Shape] {
  const shape = draw.shape()
  const other = draw.broadcastable(shape)
  return draw.chance() ? [shape, other] : [other, shape]
}

const binary =
  (op: Binary, ranges: [number, number, number, number] = [-2, 2, -2, 2]): RandomGraph =>
  (draw) => {
    const [left, right] = pair(draw)
    const dtype = draw.dtype()
    if (dtype !== 'f32')
      return [g.binary(op, draw.integers(left, dtype), draw.integers(right, dtype))]
    const [a, b, c, d] = ranges
    return [g.binary(op, draw.operand(left, dtype, a, b), draw.operand(right, dtype, c, d))]
  }

const bitwise =
  (op: Binary): RandomGraph =>
  (draw) => {
    const [left, right] = pair(draw)
    const dtype = draw.one(wholeOnly)
    return [g.binary(op, draw.integers(left, dtype), draw.integers(right, dtype))]
  }

const shift =
  (op: 'shl' | 'shr'): RandomGraph =>
  (draw) => {
    const [left, right] = pair(draw)
    const dtype = draw.one(['i32', 'u32', 'u8'] as const)
    const by = draw.operand(right, dtype, 0, dtype === 'u8' ? 8 : 32)
    return [g.binary(op, draw.integers(left, dtype), by)]
  }

/** Results of views are read by a kernel, alone and within an expression. */
const view =
  (build: (x: Node, draw: Sampler) => Node): RandomGraph =>
  (draw) => {
    const y = build(draw.any(draw.shape({ min: 1 }), draw.dtype()), draw)
    return y.dtype === 'f32' ? [y, g.unary('sin', y)] : [y]
  }

const reduction =
  (op: Reduction): RandomGraph =>
  (draw) => {
    const dtype = draw.dtype()
    const shape = op === 'sum' || op === 'prod' ? draw.shape() : draw.filledShape()
    const x = draw.any(shape, dtype)
    const axes = draw.axes(x.shape)
    const steep = op === 'prod' && dtype === 'f32' && axes.reduce((n, a) => n * shape[a], 1) > 65
    const y = steep ? g.make('tanh', [x], none) : x
    const fused = dtype === 'f32' && draw.chance() ? g.mul(y, draw.operand(shape)) : y
    return [axes.length === 0 ? g.make(op, [fused], { axes }) : g.reduce(op, fused, axes)]
  }

const scan =
  (op: 'cumsum' | 'cumprod' | 'cummax'): RandomGraph =>
  (draw) => {
    const x = draw.any(draw.shape({ min: 1, limit: 800 }), draw.one(['f32', 'i32', 'u32'] as const))
    return [g.make(op, [x], { axis: draw.axis(x.shape) })]
  }

function windowAttrs(draw: Sampler): {
  size: number[]
  attrs: { kernel: number[]; stride: number[]; dilation: number[] }
} {
  const each = Array.from({ length: draw.whole(1, 2) }, () => ({
    kernel: draw.whole(1, 4),
    stride: draw.whole(1, 3),
    dilation: draw.whole(1, 3),
    extra: draw.whole(0, 6),
  }))
  const size = each.map(({ kernel, dilation, extra }) => (kernel - 1) * dilation + 1 + extra)
  const { kernel, stride, dilation } = {
    kernel: each.map((x) => x.kernel),
    stride: each.map((x) => x.stride),
    dilation: each.map((x) => x.dilation),
  }
  return { size, attrs: { kernel, stride, dilation } }
}

/** Indices below `limit`, with repeats. */
const indices = (draw: Sampler, shape: Shape, limit: number): Node =>
  draw.operand(shape, 'i32', 0, limit)

/** Each at most once. */
function distinct(draw: Sampler, limit: number, count: number): Node {
  const places = Int32Array.from(draw.order(limit).slice(0, count))
  return g.leaf(places, [places.length], 'i32')
}

const around = (shape: Shape, axis: number, middle: Shape): number[] => [
  ...shape.slice(0, axis),
  ...middle,
  ...shape.slice(axis + 1),
]

const rows =
  (op: 'softmax' | 'logSoftmax'): RandomGraph =>
  (draw) => [g.make(op, [draw.operand(draw.shape({ min: 1 }), 'f32', -6, 6)], none)]

const rowsBackward =
  (op: 'softmaxBackward' | 'logSoftmaxBackward'): RandomGraph =>
  (draw) => {
    const shape = draw.shape({ min: 1 })
    return [g.make(op, [draw.operand(shape), draw.operand(shape)], none)]
  }

const leaf = (op: Op): string => `${op} is a leaf of every other graph`

/** A graph, or why there is none. */
export const graphs: { [O in Op]: RandomGraph | string } = {
  neg: anyUnary('neg'),
  abs: anyUnary('abs'),
  sign: anyUnary('sign'),
  exp: float('exp'),
  log: float('log', 0.01, 9),
  log1p: float('log1p', -0.9, 9),
  expm1: float('expm1'),
  sqrt: float('sqrt', 0.01, 9),
  rsqrt: float('rsqrt', 0.1, 9),
  recip: float('recip', 0.1, 9),
  sin: float('sin', -20, 20),
  cos: float('cos', -20, 20),
  tanh: float('tanh', -12, 12),
  erf: float('erf', -5, 5),
  sigmoid: float('sigmoid', -20, 20),
  floor: anyUnary('floor'),
  ceil: anyUnary('ceil'),
  round: anyUnary('round'),
  trunc: anyUnary('trunc'),
  not: (draw) => [g.unary('not', draw.integers(draw.shape(), draw.one(wholeOnly)))],

  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div', [-2, 2, 0.5, 2]),
  pow: (draw) => {
    const [left, right] = pair(draw)
    const dtype = draw.dtype()
    if (dtype === 'f32')
      return [g.binary('pow', draw.operand(left, dtype, 0.2, 3), draw.operand(right, dtype, -3, 3))]
    return [
      g.binary(
        'pow',
        draw.integers(left, dtype),
        draw.operand(right, dtype, dtype === 'i32' ? -4 : 0, 40),
      ),
    ]
  },
  mod: binary('mod', [-4, 4, 0.5, 2]),
  maximum: binary('maximum'),
  minimum: binary('minimum'),
  eq: binary('eq'),
  ne: binary('ne'),
  lt: binary('lt'),
  le: binary('le'),
  and: bitwise('and'),
  or: bitwise('or'),
  xor: bitwise('xor'),
  shl: shift('shl'),
  shr: shift('shr'),
  where: (draw) => {
    const shape = draw.shape()
    const dtype = draw.dtype()
    const condition = draw.operand(draw.broadcastable(shape), 'bool')
    const yes = draw.any(shape, dtype)
    return [g.where(condition, yes, draw.any(draw.broadcastable(shape), dtype))]
  },
  cast: (draw) => {
    const from = draw.dtype()
    const shape = draw.shape()
    const x = from === 'f32' ? draw.operand(shape, from, -300, 300) : draw.integers(shape, from)
    return [g.make('cast', [x], { dtype: draw.dtype() })]
  },
  bitcast: (draw) => {
    const same = draw.one([
      ['f32', 'i32', 'u32'],
      ['u8', 'bool'],
    ] as const)
    const x = draw.any(draw.shape(), draw.one(same))
    return [g.make('bitcast', [x], { dtype: draw.one(same) })]
  },

  scalar: (draw) => {
    const x = draw.operand(draw.shape())
    return [g.mul(x, g.scalar(1.7)), g.expand(g.scalar(-3, 'i32'), x.shape)]
  },
  constant: (draw) => {
    const dtype = draw.dtype()
    const shape = draw.shape()
    const one = g.constant(1, dtype)
    return [g.expand(one, shape), g.sub(draw.any(shape, dtype), one)]
  },
  iota: (draw) => {
    const shape = draw.shape({ min: 1 })
    const count = g.iota(shape, draw.axis(shape))
    const x = draw.operand([...draw.shape({ max: 2, limit: 10 }), ...shape], 'i32')
    return [count, g.add(x, count), g.reduce('sum', g.add(x, count), draw.axes(x.shape))]
  },
  random: (draw) => {
    const shape = draw.shape()
    const [seed, step] = [g.scalar(draw.whole(0, 9), 'u32'), g.scalar(draw.whole(0, 9), 'u32')]
    const bits = g.make('random', [seed, step], { shape })
    return [bits, g.binary('xor', bits, draw.integers(shape, 'u32'))]
  },

  reshape: view((x, draw) => g.reshape(x, draw.regrouped(x.shape))),
  permute: view((x, draw) => g.permute(x, draw.order(x.shape.length))),
  expand: view((x, draw) => g.expand(x, [draw.whole(0, 3), ...x.shape])),
  slice: view((x, draw) => {
    const sizes = x.shape.map((n) => draw.whole(0, n))
    const steps = x.shape.map((n, i) => (sizes[i] > 1 ? draw.whole(1, Math.ceil(n / sizes[i])) : 1))
    const starts = x.shape.map((n, i) => {
      const used = sizes[i] === 0 ? 0 : (sizes[i] - 1) * steps[i] + 1
      if (used > n) steps[i] = 1
      return draw.whole(0, n - (used > n ? sizes[i] : used))
    })
    return g.slice(x, starts, sizes, steps)
  }),
  flip: view((x, draw) => g.flip(x, draw.axes(x.shape))),
  window: (draw) => {
    const { size, attrs } = windowAttrs(draw)
    const x = draw.operand([...draw.shape({ max: 2, limit: 20 }), ...size])
    return [g.make('window', [x], attrs)]
  },

  sum: reduction('sum'),
  prod: reduction('prod'),
  amax: reduction('amax'),
  amin: reduction('amin'),
  argmax: reduction('argmax'),
  argmin: reduction('argmin'),

  cumsum: scan('cumsum'),
  cumprod: scan('cumprod'),
  cummax: scan('cummax'),
  matmul: (draw) => {
    const batch = draw.shape({ max: 2, limit: 12 })
    const [m, k, n] = [draw.whole(1, 40), draw.whole(0, 40), draw.whole(1, 40)]
    const a = draw.operand([...draw.broadcastable(batch), m, k])
    const b = draw.operand([...batch, k, n])
    return [g.matmul(a, b)]
  },
  concat: (draw) => {
    const shape = draw.shape({ min: 1, limit: 500 })
    const axis = draw.axis(shape)
    const dtype = draw.dtype()
    const parts = Array.from({ length: draw.whole(1, 4) }, () =>
      draw.any(around(shape, axis, [draw.whole(0, 4)]), dtype),
    )
    if (draw.chance()) parts.push(draw.one(parts))
    return [g.make('concat', parts, { axis })]
  },
  pad: (draw) => {
    const x = draw.any(draw.shape({ limit: 300 }), draw.dtype())
    const amounts = (): number[] => x.shape.map(() => draw.whole(0, 2))
    return [g.make('pad', [x], { before: amounts(), after: amounts() })]
  },
  foldWindow: (draw) => {
    const { size, attrs } = windowAttrs(draw)
    const probe = g.make(
      'window',
      [draw.leaf([...draw.shape({ max: 2, limit: 20 }), ...size])],
      attrs,
    )
    return [g.make('foldWindow', [draw.operand(probe.shape)], { ...attrs, size })]
  },
  take: (draw) => {
    const x = draw.any(draw.filledShape({ min: 1 }), draw.dtype())
    const axis = draw.axis(x.shape)
    const places = draw.shape({ max: 2, limit: 20 })
    return [g.take(x, indices(draw, places, x.shape[axis]), axis)]
  },
  scatterAdd: (draw) => {
    const shape = draw.filledShape({ min: 1, limit: 600 })
    const axis = draw.axis(shape)
    const places = draw.shape({ max: 2, limit: 20 })
    const dtype = draw.one(['f32', 'i32', 'u32'] as const)
    const index = indices(draw, places, shape[axis])
    const source = draw.any(around(shape, axis, places), dtype)
    return [g.scatter('scatterAdd', draw.any(shape, dtype), index, source, axis)]
  },
  // Of repeated places only one is kept, and which one is not said: none repeats here.
  scatterSet: (draw) => {
    const shape = draw.filledShape({ min: 1, limit: 600 })
    const axis = draw.axis(shape)
    const dtype = draw.dtype()
    const index = distinct(draw, shape[axis], draw.whole(0, shape[axis]))
    const source = draw.any(around(shape, axis, index.shape), dtype)
    return [g.scatter('scatterSet', draw.any(shape, dtype), index, source, axis)]
  },
  sliceAt: (draw) => {
    const x = draw.any(draw.filledShape({ min: 1 }), draw.dtype())
    const axis = draw.axis(x.shape)
    const size = draw.whole(1, x.shape[axis])
    const offset = g.scalar(draw.whole(0, x.shape[axis] - size), 'i32')
    return [g.make('sliceAt', [x, offset], { axis, size })]
  },
  updateAt: (draw) => {
    const x = draw.any(draw.filledShape({ min: 1 }), draw.dtype())
    const axis = draw.axis(x.shape)
    const size = draw.whole(1, x.shape[axis])
    const source = draw.any(around(x.shape, axis, [size]), x.dtype)
    const offset = g.scalar(draw.whole(0, x.shape[axis] - size), 'i32')
    return [g.make('updateAt', [x, source, offset], { axis })]
  },
  sort: (draw) => {
    const x = draw.any(draw.filledShape({ min: 1 }), draw.one(['f32', 'i32', 'u32', 'u8'] as const))
    const last = x.shape.length - 1
    return g.outputs(g.make('sort', [x], { axis: last, descending: draw.chance() }))
  },
  topk: (draw) => {
    const x = draw.any(draw.filledShape({ min: 1 }), draw.one(['f32', 'i32', 'u32', 'u8'] as const))
    const last = x.shape.length - 1
    const k = draw.whole(0, x.shape[last])
    return g.outputs(g.make('topk', [x], { axis: last, k, largest: draw.chance() }))
  },

  buffer: leaf('buffer'),
  pick: 'a part of every operation with several outputs',
  assign: 'see assignments.test.ts',
  assignAt: 'see assignments.test.ts',
  stopGradient: (draw) => [g.stopGradient(draw.operand(draw.shape()))],
  barrier: (draw) => {
    const x = draw.operand(draw.shape())
    return [g.mul(x, g.barrier(g.exp(x), [g.neg(x)]))]
  },
  customVjp: (draw) => {
    const x = draw.operand(draw.shape())
    return [g.make('customVjp', [g.stopGradient(g.exp(x)), x], none)]
  },
  hostCall: 'runs in JavaScript, see the tests of the tensor',

  gelu: (draw) => [
    g.make('gelu', [draw.operand(draw.shape(), 'f32', -6, 6)], { tanh: draw.chance() }),
  ],
  geluBackward: (draw) => {
    const shape = draw.shape()
    const inputs = [draw.operand(shape, 'f32', -6, 6), draw.operand(shape)]
    return [g.make('geluBackward', inputs, { tanh: draw.chance() })]
  },
  silu: (draw) => [g.make('silu', [draw.operand(draw.shape(), 'f32', -9, 9)], none)],
  siluBackward: (draw) => {
    const shape = draw.shape()
    return [g.make('siluBackward', [draw.operand(shape, 'f32', -9, 9), draw.operand(shape)], none)]
  },
  softmax: rows('softmax'),
  softmaxBackward: rowsBackward('softmaxBackward'),
  logSoftmax: rows('logSoftmax'),
  logSoftmaxBackward: rowsBackward('logSoftmaxBackward'),
  layerNorm: (draw) => {
    const { x, row } = normInputs(draw)
    return g
      .outputs(g.make('layerNorm', [x, row(), row()], { eps: 1e-3 }))
      .slice(0, draw.whole(1, 3))
  },
  layerNormBackward: (draw) => {
    const { x, row, lead } = normInputs(draw)
    const rstd = draw.operand(lead, 'f32', 0.5, 2)
    const inputs = [x, row(), draw.operand(lead), rstd, draw.operand(x.shape)]
    return g.outputs(g.make('layerNormBackward', inputs, none))
  },
  rmsNorm: (draw) => {
    const { x, row } = normInputs(draw)
    return g.outputs(g.make('rmsNorm', [x, row()], { eps: 1e-3 })).slice(0, draw.whole(1, 2))
  },
  rmsNormBackward: (draw) => {
    const { x, row, lead } = normInputs(draw)
    const inputs = [x, row(), draw.operand(lead, 'f32', 0.5, 2), draw.operand(x.shape)]
    return g.outputs(g.make('rmsNormBackward', inputs, none))
  },
  channelNorm: (draw) => {
    const { x, weight, groups } = channelInputs(draw)
    return g
      .outputs(g.make('channelNorm', [x, weight(), weight()], { eps: 1e-3, groups }))
      .slice(0, draw.whole(1, 3))
  },
  channelNormBackward: (draw) => {
    const { x, weight, kept, groups } = channelInputs(draw)
    const variance = draw.operand(kept, 'f32', 0.5, 2)
    const inputs = [x, weight(), draw.operand(kept), variance, draw.operand(x.shape)]
    return g.outputs(g.make('channelNormBackward', inputs, { eps: 1e-3, groups }))
  },
  crossEntropy: (draw) => {
    const { logits, target, attrs } = entropyInputs(draw)
    return g.crossEntropy(logits, target, attrs).slice(0, draw.whole(1, 2))
  },
  crossEntropyBackward: (draw) => {
    const { logits, target, attrs } = entropyInputs(draw)
    const [lse, dloss] = [draw.operand(target.shape, 'f32', 6, 8), draw.operand(target.shape)]
    return [g.make('crossEntropyBackward', [logits, target, lse, dloss], attrs)]
  },
  linearCrossEntropy: (draw) => {
    const { logits, target, attrs } = entropyInputs(draw)
    const [count, classes] = logits.shape
    const [states, w] = [draw.operand([count, 5]), draw.operand([classes, 5])]
    const rows = draw.whole(1, count + 1)
    const inputs = [states, w, target, draw.operand([count])] as const
    return g.linearCrossEntropy(inputs, { ...attrs, format: null, rows })
  },
  dequantize: 'see quantized.test.ts',
  matmulQuantized: 'see quantized.test.ts',
  matmulQuantizedInput: 'see quantized.test.ts',
  attention: 'see attention.test.ts',
  attentionBackward: 'see attention.test.ts',
  dropout: (draw) => {
    const seeds = [g.scalar(draw.whole(0, 99), 'u32'), g.scalar(draw.whole(0, 99), 'u32')]
    return [
      g.make('dropout', [draw.operand(draw.shape()), ...seeds], {
        p: draw.one([0, 0.1, 0.5, 0.9]),
      }),
    ]
  },
  convolution: (draw) => {
    const { x, w, attrs } = convolved(draw)
    return [g.make('convolution', [draw.operand(x), draw.operand(w)], attrs)]
  },
  convolutionInput: (draw) => {
    const { x, w, y, attrs } = convolved(draw)
    const inputs = [draw.operand(y), draw.operand(w)]
    return [g.make('convolutionInput', inputs, { ...attrs, size: x.slice(2) })]
  },
  convolutionWeight: (draw) => {
    const { x, w, y, attrs } = convolved(draw)
    const inputs = [draw.operand(x), draw.operand(y)]
    return [g.make('convolutionWeight', inputs, { ...attrs, kernel: w.slice(2) })]
  },
  maxPool: (draw) => {
    const { x, attrs } = pooledOver(draw)
    return g.outputs(g.make('maxPool', [draw.operand(x)], attrs))
  },
  maxPoolBackward: (draw) => {
    const { x, y, attrs } = pooledOver(draw)
    const taps = indices(draw, y, attrs.kernel[0] * attrs.kernel[1])
    const inputs = [taps, draw.operand(y)]
    return [g.make('maxPoolBackward', inputs, { ...attrs, size: x.slice(2) })]
  },
  adamw: (draw) => {
    const shape = draw.shape()
    const state = [draw.operand(shape), draw.operand(shape), draw.operand(shape)]
    const v = draw.operand(shape, 'f32', 0.1, 2)
    const numbers = Array.from({ length: 8 }, () => g.scalar(draw.whole(1, 9) / 10))
    return g.outputs(g.make('adamw', [...state, v, ...numbers], none))
  },
}

/** Shapes that fit each other: now and then one of a kernel of its own (depth-wise, of one place). */
function convolved(draw: Sampler): {
  x: number[]
  w: number[]
  y: number[]
  attrs: ConvolutionAttrs
} {
  const deep = draw.chance(0.3)
  const groups = draw.one([1, 1, 2, 5])
  const [inner, outer] = deep
    ? [1, draw.one([1, 2, 5])]
    : [draw.one([draw.whole(1, 9), 37]), draw.one([draw.whole(1, 17), 40])]
  const axis = () => {
    const [kernel, dilation] = [draw.one([1, 2, 3, 3, 4]), draw.one([1, 1, 2, 3])]
    const [before, behind] = [draw.whole(0, 2), draw.whole(0, 2)]
    const stride = draw.one([1, 1, 2, 3, 4])
    const reach = (kernel - 1) * dilation + 1
    const size = Math.max(1, reach - before - behind) + draw.one([0, 1, 5, 9, 17])
    const places = Math.floor((size + before + behind - reach) / stride) + 1
    return { kernel, dilation, before, behind, stride, size, places }
  }
  const axes = [axis(), axis()]
  const each = (name: keyof (typeof axes)[0]): number[] => axes.map((a) => a[name])
  const batch = draw.one([0, 1, 2, 3, 7])
  return {
    x: [batch, groups * inner, ...each('size')],
    w: [groups * outer, inner, ...each('kernel')],
    y: [batch, groups * outer, ...each('places')],
    attrs: {
      stride: each('stride'),
      before: each('before'),
      behind: each('behind'),
      dilation: each('dilation'),
      groups,
    },
  }
}

function pooledOver(draw: Sampler): { x: number[]; y: number[]; attrs: PoolAttrs } {
  const { x, w, y, attrs } = convolved(draw)
  const { groups: _, ...window } = attrs
  return { x, y: [...x.slice(0, 2), ...y.slice(2)], attrs: { ...window, kernel: w.slice(2) } }
}

function normInputs(draw: Sampler): { x: Node; row: () => Node; lead: number[] } {
  const shape = draw.filledShape({ min: 1 })
  return {
    x: draw.operand(shape),
    row: () => draw.operand(shape.slice(-1), 'f32', 0.5, 2),
    lead: shape.slice(0, -1),
  }
}

function channelInputs(draw: Sampler): {
  x: Node
  weight: () => Node
  kept: number[]
  groups: number
} {
  const [batch, groups] = [draw.whole(1, 7), draw.one([0, 0, 1, 2, 5])]
  const channels = Math.max(groups, 1) * draw.one([1, 2, 3, 7])
  return {
    x: draw.operand([batch, channels, draw.one([2, 3, 15, 17, 49, 64, 300])]),
    weight: () => draw.operand([channels], 'f32', 0.5, 2),
    kept: groups === 0 ? [channels] : [batch, groups],
    groups,
  }
}

function entropyInputs(draw: Sampler): {
  logits: Node
  target: Node
  attrs: { ignoreIndex: number; labelSmoothing: number }
} {
  const [n, classes] = [draw.whole(1, 20), draw.one([2, 3, 17, 65, 300])]
  const attrs = { ignoreIndex: draw.one([-100, 0, 1]), labelSmoothing: draw.one([0, 0.1]) }
  const target = Int32Array.from({ length: n }, () =>
    draw.chance(0.2) ? attrs.ignoreIndex : draw.whole(0, classes - 1),
  )
  const logits = draw.operand([n, classes], 'f32', -5, 5)
  return { logits, target: g.leaf(target, [n], 'i32'), attrs }
}
