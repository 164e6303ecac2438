// What each operation's gradient is tested on: one total table, so that an operation without cases
// does not compile.
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import type { Binary, Op, Reduction, Unary } from '../../src/graph/ops.ts'
import type { Shape } from '../../src/graph/shape.ts'
import { array, variable } from '../support/evaluate.ts'
import type { Graph } from './finite-differences.ts'

/** Makes a fresh graph, so that no case sees another's nodes. */
export type Case = () => Graph

const none = {}

/** The node itself when it has one output, else all of them. */
const graph = (wrt: Node[], node: Node): Graph => ({ wrt, outputs: g.outputs(node) })

/** As `graph`, and with the first output alone: backward passes are another path then. */
const both = (build: () => [Node[], Node]): Case[] => [
  () => graph(...build()),
  () => {
    const [wrt, node] = build()
    return { wrt, outputs: [g.pick(node, 0)] }
  },
]

/** One variable, through one function. */
const through =
  (shape: Shape, build: (x: Node) => Node, low = -2, high = 2): Case =>
  () => {
    const x = variable(shape, low, high)
    return graph([x], build(x))
  }

const unary = (op: Unary, low = -2, high = 2): Case[] =>
  [[2, 3], [1], [], [3, 1, 5]].map((shape) => through(shape, (x) => g.unary(op, x), low, high))

const pairs: [Shape, Shape][] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 2]],
  [
    [1, 3, 1],
    [2, 1, 5],
  ],
  [[3, 1], [1]],
]

function binary(op: Binary, a: [number, number] = [-2, 2], b: [number, number] = a): Case[] {
  const apart = pairs.map(([left, right]) => (): Graph => {
    const [x, y] = [variable(left, ...a), variable(right, ...b)]
    return graph([x, y], g.binary(op, x, y))
  })
  return apart
}

/** The same node on both sides. */
const twice = (op: Binary, low = -2, high = 2): Case =>
  through([2, 3], (x) => g.binary(op, x, x), low, high)

const reduction = (op: Reduction): Case[] =>
  (
    [
      [[5], [0]],
      [[2, 3], [0]],
      [[2, 3], [1]],
      [
        [2, 3, 4],
        [0, 2],
      ],
      [
        [2, 3],
        [0, 1],
      ],
      [[2, 1], [1]],
      [[3, 2, 2], [1]],
    ] as const
  ).map(([shape, axes]) => through(shape, (x) => g.reduce(op, x, axes)))

const withZeros =
  (op: 'prod' | 'cumprod', values: number[], shape: Shape): Case =>
  () => {
    const x = array(values, shape)
    x.tracked = true
    return graph([x], op === 'prod' ? g.reduce(op, x, [1]) : g.make(op, [x], { axis: 1 }))
  }

const scan = (op: 'cumsum' | 'cumprod' | 'cummax'): Case[] => [
  through([5], (x) => g.make(op, [x], { axis: 0 })),
  through([3, 4], (x) => g.make(op, [x], { axis: 0 })),
  through([2, 3, 2], (x) => g.make(op, [x], { axis: 1 })),
  through([2, 1], (x) => g.make(op, [x], { axis: 1 })),
]

const windows = [
  { lead: [2], size: [7], kernel: [3], stride: [2], dilation: [1] },
  { lead: [], size: [8], kernel: [2], stride: [3], dilation: [2] },
  { lead: [2], size: [5, 4], kernel: [3, 2], stride: [1, 2], dilation: [2, 1] },
  { lead: [1, 2], size: [3], kernel: [3], stride: [1], dilation: [1] },
]

const product =
  (a: Shape, b: Shape): Case =>
  () => {
    const [x, y] = [variable(a), variable(b)]
    return graph([x, y], g.matmul(x, y))
  }

const ints = (values: number[], shape: Shape = [values.length]): Node => array(values, shape, 'i32')

const scatter = (op: 'scatterAdd' | 'scatterSet', places: number[]): Case[] => [
  () => {
    const [base, source] = [variable([5, 2]), variable([places.length, 2])]
    return graph([base, source], g.scatter(op, base, ints(places), source, 0))
  },
  () => {
    const [base, source] = [variable([2, 5]), variable([2, 1, places.length])]
    return graph([base, source], g.scatter(op, base, ints(places, [1, places.length]), source, 1))
  },
]

const rows: Shape[] = [[2, 3], [4], [2, 1, 5], [3, 1]]

const overRows = (op: 'softmax' | 'logSoftmax'): Case[] =>
  rows.map((shape) => through(shape, (x) => g.make(op, [x], none)))

const rowsBackward = (op: 'softmaxBackward' | 'logSoftmaxBackward'): Case[] =>
  rows.map((shape) => () => {
    const [y, dy] = [variable(shape), variable(shape)]
    return graph([y, dy], g.make(op, [y, dy], none))
  })

const activation = (build: (x: Node) => Node): Case[] =>
  [[2, 3], [], [5, 1]].map((shape) => through(shape, build))

const activationBackward = (build: (x: Node, dy: Node) => Node): Case[] =>
  [[2, 3], [1]].map((shape) => () => {
    const [x, dy] = [variable(shape), variable(shape)]
    return graph([x, dy], build(x, dy))
  })

const entropies = [
  { ignoreIndex: -100, labelSmoothing: 0 },
  { ignoreIndex: -100, labelSmoothing: 0.1 },
  { ignoreIndex: 2, labelSmoothing: 0.2 },
]

interface AttentionCase {
  /** B, H, Hk, T, S, D, Dv */
  sizes: [number, number, number, number, number, number, number]
  causal?: boolean
  bias?: Shape
  mask?: number[]
  length?: number
  dropout?: number
}

const attentions: AttentionCase[] = [
  { sizes: [2, 2, 2, 3, 3, 2, 2] },
  { sizes: [1, 2, 1, 3, 4, 3, 2], causal: true },
  { sizes: [1, 4, 2, 2, 5, 1, 3], bias: [1, 4, 2, 5] },
  { sizes: [2, 1, 1, 2, 3, 2, 1], bias: [1, 1, 3], mask: [1, 1, 0, 0, 1, 1] },
  { sizes: [1, 1, 1, 2, 5, 2, 2], causal: true, length: 3 },
  { sizes: [1, 2, 2, 3, 3, 2, 2], causal: true, dropout: 0.3, bias: [2, 1, 3] },
]

function attentionInputs({ sizes, bias, mask, length, dropout }: AttentionCase) {
  const [b, h, hk, t, s, d, dv] = sizes
  return {
    q: variable([b, h, t, d]),
    k: variable([b, hk, s, d]),
    v: variable([b, hk, s, dv]),
    bias: bias && variable(bias),
    mask: mask && array(mask, [1, 1, t, s], 'bool'),
    length: length === undefined ? undefined : g.scalar(length, 'i32'),
    seed: dropout ? g.scalar(3, 'u32') : undefined,
    draw: dropout ? g.scalar(4, 'u32') : undefined,
  }
}

const attention =
  (options: AttentionCase, outputs: 1 | 2): Case =>
  () => {
    const inputs = attentionInputs(options)
    const { q, k, v, bias } = inputs
    const wrt = [q, k, v, ...(bias ? [bias] : [])]
    return { wrt, outputs: g.attention(inputs, options).slice(0, outputs) }
  }

function attentionBackward(options: AttentionCase): Graph {
  const { q, k, v, bias, mask, length, seed, draw } = attentionInputs(options)
  const [b, h, , t, s, , dv] = options.sizes
  const scores = [b, h, t, s]
  const [out, lse, dout] = [
    variable([b, h, t, dv]),
    variable([b, h, t], 2, 3),
    variable([b, h, t, dv]),
  ]
  const rest = [bias && g.expand(bias, scores), mask && g.expand(mask, scores), length, seed, draw]
  const node = g.make(
    'attentionBackward',
    [q, k, v, out, lse, dout, ...rest.filter((x) => x !== undefined)],
    {
      scale: 0.7,
      causal: options.causal ?? false,
      bias: bias !== undefined,
      mask: mask !== undefined,
      length: length !== undefined,
      dropout: options.dropout ?? 0,
    },
  )
  return graph([q, k, v, out, lse, dout, ...(bias ? [bias] : [])], node)
}

const planar = { stride: [1, 1], before: [0, 0], behind: [0, 0], dilation: [1, 1], groups: 1 }

const convolutions = [
  { x: [2, 2, 3, 4], w: [3, 2, 2, 3], y: [2, 3, 2, 2], attrs: planar },
  { x: [1, 3, 2, 3], w: [2, 3, 1, 1], y: [1, 2, 2, 3], attrs: planar },
  {
    x: [1, 4, 5, 4],
    w: [4, 2, 3, 2],
    y: [1, 4, 3, 2],
    attrs: { ...planar, stride: [2, 3], before: [1, 0], behind: [1, 1], groups: 2 },
  },
  {
    x: [2, 3, 6, 3],
    w: [3, 1, 2, 2],
    y: [2, 3, 2, 3],
    attrs: {
      ...planar,
      stride: [3, 1],
      before: [0, 1],
      behind: [1, 2],
      dilation: [2, 3],
      groups: 3,
    },
  },
]

/** Cases, or why there is no gradient to test. */
export const cases: { [O in Op]: Case[] | string } = {
  neg: unary('neg'),
  abs: unary('abs'),
  sign: 'constant but for a jump',
  exp: unary('exp'),
  log: unary('log', 0.3, 3),
  log1p: unary('log1p', -0.7, 3),
  expm1: unary('expm1'),
  sqrt: unary('sqrt', 0.3, 3),
  rsqrt: unary('rsqrt', 0.3, 3),
  recip: [...unary('recip', 0.5, 3), ...unary('recip', -3, -0.5)],
  sin: unary('sin'),
  cos: unary('cos'),
  tanh: unary('tanh'),
  erf: unary('erf'),
  sigmoid: unary('sigmoid'),
  floor: 'constant but for jumps',
  ceil: 'constant but for jumps',
  round: 'constant but for jumps',
  trunc: 'constant but for jumps',
  not: 'not for floats',

  add: [...binary('add'), twice('add')],
  sub: [...binary('sub'), twice('sub')],
  mul: [...binary('mul'), twice('mul')],
  div: [...binary('div', [-2, 2], [0.5, 2]), twice('div', 1, 2)],
  pow: [...binary('pow', [0.5, 2], [-2, 3]), twice('pow', 0.5, 2), ...wholePowers()],
  mod: [...binary('mod', [-4, 4], [1, 2]), ...binary('mod', [-4, 4], [-2, -1])],
  maximum: [...binary('maximum'), twice('maximum')],
  minimum: [...binary('minimum'), twice('minimum')],
  eq: 'gives bool',
  ne: 'gives bool',
  lt: 'gives bool',
  le: 'gives bool',
  and: 'not for floats',
  or: 'not for floats',
  xor: 'not for floats',
  shl: 'not for floats',
  shr: 'not for floats',
  where: [[2, 3] as const, [3] as const].map((shape) => () => {
    const [yes, no] = [variable(shape), variable([2, 1])]
    return graph([yes, no], g.where(array([1, 0, 0], [3], 'bool'), yes, no))
  }),
  cast: [through([2, 2], (x) => g.make('cast', [x], { dtype: 'f32' }))],
  bitcast: 'bits have no slope',

  scalar: 'no inputs',
  constant: 'no inputs',
  iota: 'no inputs',
  random: 'gives u32',

  reshape: [
    through([2, 3], (x) => g.reshape(x, [3, 1, 2])),
    through([1], (x) => g.reshape(x, [])),
    through([4], g.alias),
  ],
  permute: [
    through([2, 3, 4], (x) => g.permute(x, [2, 0, 1])),
    through([2, 3], (x) => g.permute(x, [1, 0])),
  ],
  expand: [
    through([3], (x) => g.expand(x, [2, 3])),
    through([2, 1, 3], (x) => g.expand(x, [4, 2, 5, 3])),
    through([], (x) => g.expand(x, [2, 2])),
    through([1, 1], (x) => g.expand(x, [1, 1, 3])),
  ],
  slice: [
    through([5], (x) => g.slice(x, [1], [3])),
    through([7, 4], (x) => g.slice(x, [1, 0], [3, 2], [2, 3])),
    through([7], (x) => g.slice(x, [0], [3], [3])),
    through([8], (x) => g.slice(x, [2], [2], [3])),
    through([5, 3], (x) => g.slice(x, [4, 1], [1, 2])),
    splitInThree,
    overlappingSlices,
  ],
  flip: [through([2, 3], (x) => g.flip(x, [1])), through([2, 3, 2], (x) => g.flip(x, [0, 2]))],
  window: windows.map(({ lead, size, ...attrs }) =>
    through([...lead, ...size], (x) => g.make('window', [x], attrs)),
  ),

  sum: reduction('sum'),
  prod: [
    ...reduction('prod'),
    withZeros('prod', [2, 0, 3, 0, 0.5, 0, 1, 2, 3], [3, 3]),
    through([1, 3], (x) => g.reduce('prod', x, [0])),
  ],
  amax: reduction('amax'),
  amin: reduction('amin'),
  argmax: 'gives i32',
  argmin: 'gives i32',

  cumsum: scan('cumsum'),
  cumprod: [...scan('cumprod'), withZeros('cumprod', [2, 0, 3, 0, 0, 1.5, 1, 2, 3], [3, 3])],
  cummax: scan('cummax'),
  matmul: [
    product([2, 3], [3, 4]),
    product([1, 1], [1, 1]),
    product([2, 1, 3, 2], [4, 2, 3]),
    product([3, 2], [2, 2, 1]),
    product([2, 3, 5], [5, 1]),
    through([3, 3], (x) => g.matmul(x, x)),
    through([3, 2], (x) => g.matmul(x, g.transpose(x))),
  ],
  concat: [
    () => {
      const [a, b] = [variable([2, 3]), variable([2, 1])]
      return graph([a, b], g.concat([a, b, a], 1))
    },
    () => {
      const [a, b, c] = [variable([1, 2]), variable([3, 2]), variable([0, 2])]
      return graph([a, b, c], g.concat([a, c, b], 0))
    },
  ],
  pad: [through([2, 3], (x) => g.pad(x, [1, 0], [0, 2])), through([3], (x) => g.pad(x, [2], [0]))],
  foldWindow: windows.map(({ lead, size, ...attrs }) => () => {
    const probe = g.make('window', [variable([...lead, ...size])], attrs)
    const x = variable(probe.shape)
    return graph([x], g.make('foldWindow', [x], { ...attrs, size }))
  }),
  take: [
    through([4, 2], (x) => g.take(x, ints([3, 0, 3]), 0)),
    through([2, 4, 3], (x) => g.take(x, ints([1, 1, 0, 3], [2, 2]), 1)),
    through([3, 2], (x) => g.take(x, ints([1], []), 1)),
    through([3, 4], (x) => g.gather(x, ints([0, 3, 3, 1, 2, 2], [3, 2]), 1)),
    through([3, 4], (x) => g.gather(x, ints([2, 2, 0, 1], [1, 4]), 0)),
  ],
  scatterAdd: scatter('scatterAdd', [4, 1, 4]),
  scatterSet: scatter('scatterSet', [4, 1, 2]),
  sliceAt: [
    through([5, 2], (x) => g.make('sliceAt', [x, ints([2], [])], { axis: 0, size: 3 })),
    through([2, 4], (x) => g.make('sliceAt', [x, ints([0], [1])], { axis: 1, size: 1 })),
  ],
  updateAt: [
    () => {
      const [x, source] = [variable([5, 2]), variable([3, 2])]
      return graph([x, source], g.make('updateAt', [x, source, ints([2], [])], { axis: 0 }))
    },
    () => {
      const [x, source] = [variable([2, 3]), variable([2, 1])]
      return graph([x, source], g.make('updateAt', [x, source, ints([1], [])], { axis: 1 }))
    },
  ],
  sort: [false, true].flatMap((descending) =>
    [[5], [2, 4], [3, 1]].map(
      (shape): Case =>
        () => {
          const x = variable(shape)
          return {
            wrt: [x],
            outputs: [g.pick(g.make('sort', [x], { axis: shape.length - 1, descending }), 0)],
          }
        },
    ),
  ),
  topk: [true, false].map((largest) => () => {
    const x = variable([3, 5])
    return { wrt: [x], outputs: [g.pick(g.make('topk', [x], { axis: 1, k: 2, largest }), 0)] }
  }),

  buffer: 'a leaf',
  pick: 'tested with every operation that has several outputs',
  assign: [
    () => {
      const [target, value] = [array([1, 2, 3], [3]), variable([3])]
      return graph([value], g.make('assign', [target, g.square(value)], none))
    },
  ],
  assignAt: [
    () => {
      const [target, value] = [array([1, 2, 3, 4], [4]), variable([2])]
      return graph(
        [value],
        g.make('assignAt', [target, g.square(value), ints([1], [])], { axis: 0 }),
      )
    },
    // Two parts of a cache, one after the other: the second must not hide the first.
    () => {
      const [target, a, b] = [array([1, 2, 3, 4], [4]), variable([2]), variable([1])]
      const first = g.make('assignAt', [target, a, ints([0], [])], { axis: 0 })
      return graph([a, b], g.make('assignAt', [first, b, ints([2], [])], { axis: 0 }))
    },
  ],
  stopGradient: 'that is what it is for',
  barrier: [
    () => {
      const [x, y] = [variable([2]), variable([2])]
      return graph([x, y], g.mul(y, g.barrier(g.square(x), [y])))
    },
  ],
  customVjp: [
    through([3], (x) => {
      const value = g.stopGradient(g.mul(x, g.square(x)))
      const node = g.make('customVjp', [value, x], none)
      node.rule = ({ inputs }, [dy]) => [null, dy && g.mul(dy, g.scale(g.square(inputs[1]), 3))]
      return node
    }),
  ],
  hostCall: 'JavaScript has no gradient',

  gelu: [false, true].flatMap((tanh) => activation((x) => g.make('gelu', [x], { tanh }))),
  geluBackward: [false, true].flatMap((tanh) =>
    activationBackward((x, dy) => g.make('geluBackward', [x, dy], { tanh })),
  ),
  silu: activation((x) => g.make('silu', [x], none)),
  siluBackward: activationBackward((x, dy) => g.make('siluBackward', [x, dy], none)),
  softmax: overRows('softmax'),
  softmaxBackward: rowsBackward('softmaxBackward'),
  logSoftmax: overRows('logSoftmax'),
  logSoftmaxBackward: rowsBackward('logSoftmaxBackward'),
  layerNorm: [[2, 5], [2, 1, 3], [4]].flatMap((shape) =>
    both(() => {
      const last = shape.at(-1) as number
      const [x, gamma, beta] = [variable(shape), variable([last]), variable([last])]
      return [[x, gamma, beta], g.make('layerNorm', [x, gamma, beta], { eps: 1e-3 })]
    }),
  ),
  layerNormBackward: [[2, 5], [4]].flatMap((shape) =>
    both(() => {
      const [x, gamma, dy] = [variable(shape), variable(shape.slice(-1)), variable(shape)]
      const [mean, rstd] = [variable(shape.slice(0, -1)), variable(shape.slice(0, -1), 0.5, 1)]
      const inputs = [x, gamma, mean, rstd, dy]
      return [inputs, g.make('layerNormBackward', inputs, none)]
    }),
  ),
  channelNorm: [0, 1, 2].flatMap((groups) =>
    both(() => {
      const [x, gamma, beta] = [variable([3, 4, 2]), variable([4]), variable([4])]
      return [[x, gamma, beta], g.make('channelNorm', [x, gamma, beta], { eps: 1e-3, groups })]
    }),
  ),
  channelNormBackward: [0, 2].flatMap((groups) =>
    both(() => {
      const kept = groups === 0 ? [4] : [3, groups]
      const [x, gamma, dy] = [variable([3, 4, 2]), variable([4]), variable([3, 4, 2])]
      const inputs = [x, gamma, variable(kept), variable(kept, 0.5, 1), dy]
      return [inputs, g.make('channelNormBackward', inputs, { eps: 1e-3, groups })]
    }),
  ),
  rmsNorm: [[2, 5], [2, 1, 3], [4]].flatMap((shape) =>
    both(() => {
      const [x, gamma] = [variable(shape), variable(shape.slice(-1))]
      return [[x, gamma], g.make('rmsNorm', [x, gamma], { eps: 1e-3 })]
    }),
  ),
  rmsNormBackward: [[2, 5], [4]].flatMap((shape) =>
    both(() => {
      const [x, gamma, dy] = [variable(shape), variable(shape.slice(-1)), variable(shape)]
      const inputs = [x, gamma, variable(shape.slice(0, -1), 0.5, 1), dy]
      return [inputs, g.make('rmsNormBackward', inputs, none)]
    }),
  ),
  crossEntropy: entropies.flatMap((attrs) =>
    both(() => {
      const logits = variable([4, 3])
      return [[logits], g.make('crossEntropy', [logits, ints([2, 0, 1, 2])], attrs)]
    }),
  ),
  crossEntropyBackward: entropies.map((attrs) => () => {
    const [logits, lse, dloss] = [variable([3, 4]), variable([3], 2, 3), variable([3])]
    const node = g.make('crossEntropyBackward', [logits, ints([2, 0, 3]), lse, dloss], attrs)
    return graph([logits, lse, dloss], node)
  }),
  linearCrossEntropy: entropies.flatMap((attrs) =>
    [1, 2, 3].flatMap((rows) =>
      [variable([3]), array([0.5, -1, 2], [3])].flatMap((share) =>
        both(() => {
          const [states, w] = [variable([3, 2]), variable([4, 2])]
          const node = g.make('linearCrossEntropy', [states, w, ints([2, 0, 3]), share], {
            ...attrs,
            format: null,
            rows,
          })
          return [[states, w, share].filter((x) => x.tracked), node]
        }),
      ),
    ),
  ),
  attention: attentions.flatMap((options) => [attention(options, 1), attention(options, 2)]),
  attentionBackward: attentions.map((options) => () => attentionBackward(options)),
  dequantize: 'blocks are bytes, which have no gradient',
  matmulQuantized: 'see contract/quantized.test.ts',
  matmulQuantizedInput: 'see contract/quantized.test.ts',
  dropout: [0, 0.4].map((p) =>
    through([5, 3], (x) => g.make('dropout', [x, g.scalar(1, 'u32'), g.scalar(2, 'u32')], { p })),
  ),
  convolution: convolutions.map(({ x, w, attrs }) => () => {
    const inputs = [variable(x), variable(w)]
    return graph(inputs, g.make('convolution', inputs, attrs))
  }),
  convolutionInput: convolutions.map(({ x, w, y, attrs }) => () => {
    const inputs = [variable(y), variable(w)]
    return graph(inputs, g.make('convolutionInput', inputs, { ...attrs, size: x.slice(2) }))
  }),
  convolutionWeight: convolutions.map(({ x, w, y, attrs }) => () => {
    const inputs = [variable(x), variable(y)]
    return graph(inputs, g.make('convolutionWeight', inputs, { ...attrs, kernel: w.slice(2) }))
  }),
  maxPool: convolutions.map(({ x, w, attrs: { groups: _, ...window } }) => () => {
    const images = variable(x)
    const attrs = { ...window, kernel: w.slice(2) }
    return { wrt: [images], outputs: [g.pick(g.make('maxPool', [images], attrs), 0)] }
  }),
  maxPoolBackward: convolutions.map(({ x, w, y, attrs: { groups: _, ...window } }) => () => {
    const shape = [...x.slice(0, 2), ...y.slice(2)]
    const count = shape.reduce((n, size) => n * size, 1)
    const places = Int32Array.from({ length: count }, (_, i) => (i * 5) % (w[2] * w[3]))
    const dy = variable(shape)
    const attrs = { ...window, kernel: w.slice(2), size: x.slice(2) }
    return graph([dy], g.make('maxPoolBackward', [g.leaf(places, shape, 'i32'), dy], attrs))
  }),
  adamw: [
    () => {
      const [p, grad, m, v] = [variable([3]), variable([3]), variable([3]), variable([3], 0.5, 2)]
      const settings = Array.from({ length: 8 }, () => variable([], 0.2, 0.8))
      return graph(
        [p, grad, m, v, ...settings],
        g.make('adamw', [p, grad, m, v, ...settings], none),
      )
    },
  ],
}

/** Negative bases with whole exponents, which are no variables. */
function wholePowers(): Case[] {
  return [2, 3, -1, 1].map((n) => through([2, 3], (x) => g.binary('pow', x, g.scalar(n)), -2, -0.5))
}

/** Slices that tile an axis: their gradients are laid side by side. */
function splitInThree(): Graph {
  const x = variable([2, 6])
  const parts = [0, 1, 2].map((i) => g.narrow(x, 1, 2 * i, 2))
  return { wrt: [x], outputs: [g.mul(g.mul(parts[0], parts[1]), parts[2])] }
}

function overlappingSlices(): Graph {
  const x = variable([6])
  const parts = [
    [0, 4],
    [2, 4],
    [0, 4],
  ].map(([start, size]) => g.narrow(x, 0, start, size))
  return { wrt: [x], outputs: parts.map((part, i) => g.scale(g.square(part), i + 2)) }
}
