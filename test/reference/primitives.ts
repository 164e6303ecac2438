// Small cases of each primitive, worked out by hand: one total table.
import * as g from '../../src/graph/build.ts'
import type { DType } from '../../src/graph/dtype.ts'
import type { Node } from '../../src/graph/node.ts'
import type { Primitive } from '../../src/graph/ops.ts'
import type { Shape } from '../../src/graph/shape.ts'
import { threefry2x32 } from '../../src/util/threefry.ts'
import { array } from '../support/evaluate.ts'

type Sample = [node: Node, expected: number[]]

const none = {}
const NaN_ = Number.NaN
const inf = Number.POSITIVE_INFINITY

const f = (values: number[], shape: Shape = [values.length]): Node => array(values, shape)
const i = (values: number[], shape: Shape = [values.length]): Node => array(values, shape, 'i32')
const u = (values: number[], shape: Shape = [values.length]): Node => array(values, shape, 'u32')
const bytes = (values: number[]): Node => array(values, [values.length], 'u8')
const bool = (values: number[], shape: Shape = [values.length]): Node =>
  array(values, shape, 'bool')

const cast = (x: Node, dtype: DType): Node => g.make('cast', [x], { dtype })
const bitcast = (x: Node, dtype: DType): Node => g.make('bitcast', [x], { dtype })
const pick = (node: Node, index: number): Node => g.pick(node, index)

const MIN = -(2 ** 31)
const MAX_U32 = 2 ** 32 - 1

/** 0 1 2 … in this shape. */
function count(...shape: number[]): Node {
  const size = shape.reduce((a, b) => a * b, 1)
  return f(
    Array.from({ length: size }, (_, n) => n),
    shape,
  )
}

const sorted = (x: Node, descending: boolean): Node =>
  g.make('sort', [x], { axis: x.shape.length - 1, descending })

const topk = (x: Node, k: number, largest: boolean): Node =>
  g.make('topk', [x], { axis: x.shape.length - 1, k, largest })

const window = { kernel: [2], stride: [2], dilation: [1] }
const square = { kernel: [2, 2], stride: [1, 1], dilation: [1, 2] }

/** One as f16, then 32 numbers: 1 in the low bits, 9 in the high ones. */
const q4 = bytes([0, 0x3c, ...new Array(16).fill(0x91)])

export const samples: { [O in Primitive]: Sample[] } = {
  neg: [
    [g.neg(f([1, -2.5])), [-1, 2.5]],
    [g.neg(i([1, MIN])), [-1, MIN]],
    [g.neg(u([1, 0])), [MAX_U32, 0]],
    [g.neg(bytes([1, 0])), [255, 0]],
    [g.neg(bool([1, 0])), [1, 0]],
  ],
  abs: [
    [g.unary('abs', f([-1.5, 2, -inf])), [1.5, 2, inf]],
    [g.unary('abs', i([-3, MIN])), [3, MIN]],
  ],
  sign: [
    [g.unary('sign', f([-3, 0, 7, NaN_])), [-1, 0, 1, 0]],
    [g.unary('sign', u([0, MAX_U32])), [0, 1]],
  ],
  exp: [[g.exp(f([0, 1, -inf, 1000])), [1, Math.E, 0, inf]]],
  log: [[g.log(f([1, Math.E, 0, -1])), [0, 1, -inf, NaN_]]],
  log1p: [[g.unary('log1p', f([0, 1e-20, -1])), [0, 1e-20, -inf]]],
  expm1: [[g.unary('expm1', f([0, 1e-20, -inf])), [0, 1e-20, -1]]],
  sqrt: [[g.sqrt(f([4, 2, -1])), [2, Math.SQRT2, NaN_]]],
  rsqrt: [[g.rsqrt(f([4, 0])), [0.5, inf]]],
  recip: [[g.unary('recip', f([4, 0, -inf])), [0.25, inf, -0]]],
  sin: [[g.unary('sin', f([0, Math.PI / 2])), [0, 1]]],
  cos: [[g.unary('cos', f([0, Math.PI])), [1, -1]]],
  tanh: [[g.tanh(f([0, inf, -inf])), [0, 1, -1]]],
  erf: [[g.unary('erf', f([0, 1, -1])), [0, 0.8427007929497149, -0.8427007929497149]]],
  sigmoid: [[g.unary('sigmoid', f([0, -1000, 1000])), [0.5, 0, 1]]],
  floor: [
    [g.unary('floor', f([1.5, -1.5, 2])), [1, -2, 2]],
    [g.unary('floor', i([3])), [3]],
  ],
  ceil: [[g.unary('ceil', f([1.5, -1.5, 2])), [2, -1, 2]]],
  round: [
    [g.unary('round', f([0.5, 1.5, 2.5, -1.5, -2.5, 0.49, 1e20])), [0, 2, 2, -2, -2, 0, 1e20]],
  ],
  trunc: [[g.unary('trunc', f([1.9, -1.9])), [1, -1]]],
  not: [
    [g.unary('not', bool([1, 0])), [0, 1]],
    [g.unary('not', i([0, 5])), [-1, -6]],
    [g.unary('not', u([0])), [MAX_U32]],
    [g.unary('not', bytes([1])), [254]],
  ],

  add: [
    [g.add(f([1, 2, 3], [3, 1]), f([10, 20], [1, 2])), [11, 21, 12, 22, 13, 23]],
    [g.add(i([2 ** 31 - 1]), i([1])), [MIN]],
    [g.add(bytes([200]), bytes([100])), [44]],
    [g.add(bool([1, 1, 0]), bool([1, 0, 0])), [1, 1, 0]],
  ],
  sub: [
    [g.sub(f([1, 2], [2]), f([10], [])), [-9, -8]],
    [g.sub(u([0]), u([1])), [MAX_U32]],
  ],
  mul: [
    [g.mul(f([2, 3]), f([4, -1])), [8, -3]],
    [g.mul(i([65537]), i([65537])), [131073]], // (2^16 + 1)² without 2^32
    [g.mul(u([MAX_U32]), u([MAX_U32])), [1]],
  ],
  div: [
    [g.div(f([1, -1, 0]), f([2, 0, 0])), [0.5, -inf, NaN_]],
    [g.div(i([7, -7, 7, -7, 5, MIN]), i([2, 2, -2, -2, 0, -1])), [3, -4, -4, 3, 0, MIN]],
    [g.div(u([MAX_U32, 5]), u([2, 0])), [2 ** 31 - 1, 0]],
  ],
  pow: [
    [g.binary('pow', f([2, 0, -2, 9, -8]), f([10, 0, 3, 0.5, 1 / 3])), [1024, 1, -8, 3, NaN_]],
    [g.binary('pow', f([1, -1, NaN_]), f([NaN_, inf, 0])), [1, 1, 1]],
    [g.binary('pow', i([3, -2, 2, 2, -1]), i([4, 3, 31, -1, -3])), [81, -8, MIN, 0, -1]],
    [g.binary('pow', i([7, 10]), i([11, 10])), [7 ** 11, 1410065408]],
  ],
  mod: [
    [g.binary('mod', f([7, -7, 7, -7, 5]), f([2, 2, -2, -2, 0])), [1, 1, -1, -1, NaN_]],
    [g.binary('mod', f([5.5, -1]), f([2, inf])), [1.5, inf]],
    [g.binary('mod', i([7, -7, 7, -7, 5]), i([2, 2, -2, -2, 0])), [1, 1, -1, -1, 0]],
  ],
  maximum: [[g.binary('maximum', f([1, NaN_, 2]), f([3, 1, NaN_])), [3, NaN_, NaN_]]],
  minimum: [
    [g.binary('minimum', f([1, NaN_, 2]), f([3, 1, NaN_])), [1, NaN_, NaN_]],
    [g.binary('minimum', u([MAX_U32]), u([1])), [1]],
  ],
  eq: [[g.binary('eq', f([1, NaN_, 0]), f([1, NaN_, -0])), [1, 0, 1]]],
  ne: [[g.binary('ne', f([1, NaN_]), f([1, NaN_])), [0, 1]]],
  lt: [
    [g.binary('lt', f([1, 2, NaN_]), f([2, 2, 2])), [1, 0, 0]],
    [g.binary('lt', u([MAX_U32]), u([1])), [0]],
  ],
  le: [[g.binary('le', i([1, 2, 3]), i([2])), [1, 1, 0]]],
  and: [
    [g.binary('and', i([6, -1]), i([3, 8])), [2, 8]],
    [g.binary('and', bool([1, 1]), bool([1, 0])), [1, 0]],
  ],
  or: [[g.binary('or', u([2 ** 31]), u([1])), [2 ** 31 + 1]]],
  xor: [[g.binary('xor', u([MAX_U32]), u([1])), [MAX_U32 - 1]]],
  shl: [
    [g.binary('shl', i([1, 3]), i([31, 1])), [MIN, 6]],
    [g.binary('shl', u([1]), u([31])), [2 ** 31]],
  ],
  shr: [
    [g.binary('shr', i([-8, 8]), i([1, 2])), [-4, 2]],
    [g.binary('shr', u([MAX_U32]), u([28])), [15]],
  ],
  where: [
    [g.where(bool([1, 0]), f([1, 2], [2, 1]), f([9], [])), [1, 9, 2, 9]],
    [g.where(bool([0], []), i([1]), i([2])), [2]],
  ],
  cast: [
    [cast(f([1.9, -1.9, NaN_, 3e9, -3e9]), 'i32'), [1, -1, 0, 2 ** 31 - 1, MIN]],
    [cast(f([1.9, -1.9, NaN_, 5e9, 3e9]), 'u32'), [1, 0, 0, MAX_U32, 3e9]],
    [cast(f([300.5, -1, 1e12]), 'u8'), [44, 255, 255]],
    [cast(f([0, -0, 0.5, NaN_]), 'bool'), [0, 0, 1, 1]],
    [cast(i([-1, 256]), 'u32'), [MAX_U32, 256]],
    [cast(u([MAX_U32]), 'i32'), [-1]],
    [cast(i([-1, 257]), 'u8'), [255, 1]],
    [cast(i([256, 0]), 'bool'), [1, 0]],
    [cast(u([MAX_U32]), 'f32'), [MAX_U32]],
    [cast(bool([1, 0]), 'f32'), [1, 0]],
  ],
  bitcast: [
    [bitcast(f([1, -0]), 'i32'), [0x3f800000, MIN]],
    [bitcast(u([0x40490fdb]), 'f32'), [Math.fround(Math.PI)]],
    [bitcast(i([-1]), 'u32'), [MAX_U32]],
    [bitcast(bytes([0, 7]), 'bool'), [0, 1]],
  ],

  scalar: [
    [g.scalar(2.5), [2.5]],
    [g.scalar(-1, 'u32'), [MAX_U32]],
    [g.scalar(7, 'bool'), [1]],
  ],
  constant: [
    [g.constant(1), [1]],
    [g.constant(-1, 'i32'), [-1]],
    [g.constant(0, 'bool'), [0]],
  ],
  iota: [
    [g.iota([2, 3], 1), [0, 1, 2, 0, 1, 2]],
    [g.iota([2, 3], 0), [0, 0, 0, 1, 1, 1]],
    [g.iota([1, 2, 1, 2], 1), [0, 0, 1, 1]],
    [g.iota([0, 2], 1), []],
  ],
  random: [
    [
      g.make('random', [g.scalar(5, 'u32'), g.scalar(MAX_U32, 'u32')], { shape: [1, 5] }),
      bits(5, MAX_U32, 5),
    ],
  ],

  reshape: [[g.reshape(count(2, 3), [3, 2]), [0, 1, 2, 3, 4, 5]]],
  permute: [
    [g.permute(count(2, 3), [1, 0]), [0, 3, 1, 4, 2, 5]],
    [g.permute(count(2, 1, 2, 2), [3, 1, 0, 2]), [0, 2, 4, 6, 1, 3, 5, 7]],
  ],
  expand: [
    [g.expand(f([1, 2], [2, 1]), [2, 2, 2]), [1, 1, 2, 2, 1, 1, 2, 2]],
    [g.expand(f([7], []), [3]), [7, 7, 7]],
    [g.expand(f([7], [1]), [0]), []],
  ],
  slice: [
    [g.slice(count(3, 4), [1, 0], [2, 2], [1, 3]), [4, 7, 8, 11]],
    [g.slice(count(5), [4], [1]), [4]],
    [g.slice(count(5), [5], [0]), []],
  ],
  flip: [
    [g.flip(count(2, 3), [1]), [2, 1, 0, 5, 4, 3]],
    [g.flip(count(2, 3), [0, 1]), [5, 4, 3, 2, 1, 0]],
    [g.flip(count(0, 2), [0]), []],
  ],
  window: [
    [g.make('window', [count(5)], window), [0, 1, 2, 3]],
    [g.make('window', [count(2, 4)], square), [0, 2, 4, 6, 1, 3, 5, 7]],
  ],

  sum: [
    [g.sum(count(2, 3), [1]), [3, 12]],
    [g.sum(count(2, 3), [0]), [3, 5, 7]],
    [g.sum(count(2, 3, 2), [0, 2]), [14, 22, 30]],
    [g.sum(f([], [2, 0]), [1]), [0, 0]],
    [g.sum(i([2 ** 31 - 1, 1]), [0]), [MIN]],
    [g.sum(u([MAX_U32, 2]), [0]), [1]],
    [g.sum(bool([1, 1, 0, 0], [2, 2]), [1]), [1, 0]],
  ],
  prod: [
    [g.reduce('prod', f([2, 3, 4, 5], [2, 2]), [0]), [8, 15]],
    [g.reduce('prod', f([], [0]), [0]), [1]],
    [g.reduce('prod', i([65537, 65537]), [0]), [131073]],
  ],
  amax: [
    [g.reduce('amax', f([1, 5, 3, NaN_, 2, 9], [2, 3]), [1]), [5, NaN_]],
    [g.reduce('amax', f([], [1, 0]), [1]), [-inf]],
    [g.reduce('amax', u([1, MAX_U32]), [0]), [MAX_U32]],
  ],
  amin: [[g.reduce('amin', f([1, 5, NaN_, 2], [2, 2]), [0]), [NaN_, 2]]],
  argmax: [
    [g.reduce('argmax', f([1, 5, 5, 0, 7, 2], [2, 3]), [1]), [1, 1]],
    [g.reduce('argmax', f([1, 5, 5, 0, 7, 2], [2, 3]), [0, 1]), [4]],
    [g.reduce('argmax', f([1, NaN_, 5, NaN_]), [0]), [1]],
    [g.reduce('argmax', count(2, 2, 2), [0, 2]), [3, 3]],
  ],
  argmin: [
    [g.reduce('argmin', f([3, 1, 1]), [0]), [1]],
    [g.reduce('argmin', f([3, NaN_, -inf]), [0]), [1]],
    [g.reduce('argmin', u([MAX_U32, 0]), [0]), [1]],
  ],

  cumsum: [
    [g.make('cumsum', [count(2, 3)], { axis: 1 }), [0, 1, 3, 3, 7, 12]],
    [g.make('cumsum', [count(2, 3)], { axis: 0 }), [0, 1, 2, 3, 5, 7]],
    [g.make('cumsum', [u([MAX_U32, 2])], { axis: 0 }), [MAX_U32, 1]],
    [g.make('cumsum', [f([], [0, 2])], { axis: 0 }), []],
    [g.make('cumsum', [f([3], [])], { axis: 0 }), [3]],
  ],
  cumprod: [
    [g.make('cumprod', [f([2, 3, 0, 5])], { axis: 0 }), [2, 6, 0, 0]],
    [g.make('cumprod', [i([65537, 65537])], { axis: 0 }), [65537, 131073]],
  ],
  dequantize: [[g.dequantize(q4, 'q4_0'), [...new Array(16).fill(-7), ...new Array(16).fill(1)]]],
  cummax: [
    [g.make('cummax', [f([2, 1, 3, NaN_, 9])], { axis: 0 }), [2, 2, 3, NaN_, NaN_]],
    [g.make('cummax', [u([5, MAX_U32, 1])], { axis: 0 }), [5, MAX_U32, MAX_U32]],
  ],
  matmul: [
    [g.matmul(count(2, 3), count(3, 2)), [10, 13, 28, 40]],
    [g.matmul(count(1, 5), count(5, 1)), [30]],
    [g.matmul(count(2, 1, 1, 2), count(2, 2, 1)), [1, 3, 3, 13]],
    [g.matmul(f([], [2, 0]), f([], [0, 2])), [0, 0, 0, 0]],
    [g.matmul(f([], [0, 3]), count(3, 2)), []],
    [g.matmul(f([0, 1], [1, 2]), f([inf, 1], [2, 1])), [NaN_]],
  ],
  concat: [
    [g.concat([count(2, 1), count(2, 2)], 1), [0, 0, 1, 1, 2, 3]],
    [g.concat([i([1]), i([]), i([2, 3])], 0), [1, 2, 3]],
  ],
  pad: [
    [g.pad(count(2, 2), [0, 1], [1, 0]), [0, 0, 1, 0, 2, 3, 0, 0, 0]],
    [g.pad(f([], [0]), [1], [1]), [0, 0]],
  ],
  foldWindow: [
    [g.make('foldWindow', [count(2, 2)], { ...window, size: [5] }), [0, 1, 2, 3, 0]],
    [
      g.make('foldWindow', [f([1, 2, 3, 4], [2, 2])], { ...window, stride: [1], size: [3] }),
      [1, 5, 4],
    ],
    [
      g.make('foldWindow', [count(1, 2, 2, 2)], { ...square, size: [2, 4] }),
      [0, 4, 1, 5, 2, 6, 3, 7],
    ],
  ],
  take: [
    [g.take(count(3, 2), i([2, 0, 2]), 0), [4, 5, 0, 1, 4, 5]],
    [g.take(count(2, 3), i([1, 0], [2, 1]), 1), [1, 0, 4, 3]],
    [g.take(count(2, 3), i([2], []), 1), [2, 5]],
    [g.take(bytes([7, 8]), i([1]), 0), [8]],
    [g.take(count(2, 3), i([]), 0), []],
  ],
  scatterAdd: [
    [g.scatter('scatterAdd', f([1, 1, 1]), i([2, 0, 2]), f([10, 20, 30]), 0), [21, 1, 41]],
    [g.scatter('scatterAdd', count(2, 2), i([1], []), f([10, 20]), 1), [0, 11, 2, 23]],
  ],
  scatterSet: [
    [g.scatter('scatterSet', f([1, 1, 1]), i([2, 0, 2]), f([10, 20, 30]), 0), [20, 1, 30]],
  ],
  sliceAt: [
    [g.make('sliceAt', [count(2, 4), i([2])], { axis: 1, size: 2 }), [2, 3, 6, 7]],
    [g.make('sliceAt', [count(3), i([3], [])], { axis: 0, size: 0 }), []],
  ],
  updateAt: [
    [g.make('updateAt', [count(2, 3), f([8, 9], [2, 1]), i([1])], { axis: 1 }), [0, 8, 2, 3, 9, 5]],
  ],
  sort: [
    [pick(sorted(f([3, NaN_, 1, 2]), false), 0), [1, 2, 3, NaN_]],
    [pick(sorted(f([3, NaN_, 1, 3]), true), 0), [NaN_, 3, 3, 1]],
    [pick(sorted(f([3, NaN_, 1, 3]), true), 1), [1, 0, 3, 2]],
    [pick(sorted(i([2, 1, 2, 1], [2, 2]), false), 1), [1, 0, 1, 0]],
    [pick(sorted(f([inf, -inf, 0]), false), 1), [1, 2, 0]],
    [pick(sorted(f([], [2, 0]), false), 0), []],
  ],
  topk: [
    [pick(topk(f([1, 4, 2, 4, 0, 9], [2, 3]), 2, true), 0), [4, 2, 9, 4]],
    [pick(topk(f([4, 1, 4, 4]), 2, true), 1), [0, 2]],
    [pick(topk(f([4, 1, NaN_]), 2, false), 0), [1, 4]],
    [pick(topk(f([4, 1]), 0, false), 0), []],
  ],

  buffer: [
    [f([1, 2]), [1, 2]],
    [u([MAX_U32]), [MAX_U32]],
  ],
  pick: [[pick(topk(f([1, 2]), 1, true), 1), [1]]],
  assign: [[g.make('assign', [f([1, 2]), f([3, 4])], none), [3, 4]]],
  assignAt: [[g.make('assignAt', [f([1, 2, 3]), f([9]), i([1])], { axis: 0 }), [1, 9, 3]]],
  stopGradient: [[g.stopGradient(f([1])), [1]]],
  barrier: [[g.barrier(f([1]), [f([2])]), [1]]],
  customVjp: [[g.make('customVjp', [f([1]), f([2])], none), [1]]],
  hostCall: [[doubledByHost(), [2, 4]]],
}

function doubledByHost(): Node {
  const node = g.make('hostCall', [f([1, 2])], { shape: [2], dtype: 'f32' })
  node.host = ([x]) => x.map((v) => 2 * v)
  return node
}

/** Block by block: element i is word i & 1 of the block with counter i >> 1. */
function bits(seed: number, draw: number, length: number): number[] {
  const block = new Uint32Array(2)
  return Array.from({ length }, (_, n) => {
    threefry2x32(seed, draw, n >> 1, 0, block)
    return block[n & 1]
  })
}
