// The vector-Jacobian product of every primitive, as one total table. A rule receives the node and the
// gradient of each of its outputs, and returns one gradient (or null) for each input. Nodes that are
// not used are never computed, so a rule simply builds all gradients.
import * as g from '../graph/build.ts'
import { isFloat } from '../graph/dtype.ts'
import type { Node } from '../graph/node.ts'
import type { Op, Primitive } from '../graph/ops.ts'
import type { Shape } from '../graph/shape.ts'
import { gatherBackward, pairProducts, prodBackward, tieShare, undoSlice } from './helpers.ts'

export type Rule<O extends Op> = (
  node: Node<O>,
  dy: Node,
  grads: (Node | null)[],
) => (Node | null)[]

const blocked = (): (Node | null)[] => []

/** Gradients of an element-wise operation, summed over the axes that broadcasting repeated. */
function broadcasting<O extends Op>(rule: (node: Node<O>, dy: Node) => (Node | null)[]): Rule<O> {
  return (node, dy) => rule(node, dy).map((grad, i) => grad && g.sumTo(grad, node.inputs[i].shape))
}

export const primitiveRules: { [O in Primitive]: Rule<O> } = {
  neg: (_, dy) => [g.neg(dy)],
  abs: ({ inputs: [x] }, dy) => [g.mul(dy, g.unary('sign', x))],
  exp: (y, dy) => [g.mul(dy, y)],
  log: ({ inputs: [x] }, dy) => [g.div(dy, x)],
  log1p: ({ inputs: [x] }, dy) => [g.div(dy, g.shift(x, 1))],
  expm1: (y, dy) => [g.mul(dy, g.shift(y, 1))],
  sqrt: (y, dy) => [g.div(g.scale(dy, 0.5), y)],
  // d x^(-1/2) = -x^(-3/2)/2 dx
  rsqrt: (y, dy) => [g.mul(g.scale(dy, -0.5), g.mul(y, g.square(y)))],
  // d(1/x) = -dx/x²
  recip: (y, dy) => [g.neg(g.mul(dy, g.square(y)))],
  sin: ({ inputs: [x] }, dy) => [g.mul(dy, g.unary('cos', x))],
  cos: ({ inputs: [x] }, dy) => [g.neg(g.mul(dy, g.unary('sin', x)))],
  tanh: (y, dy) => [g.mul(dy, g.sub(g.constant(1), g.square(y)))],
  // d erf(x) = 2/√π · exp(-x²) dx
  erf: ({ inputs: [x] }, dy) => [
    g.mul(dy, g.scale(g.exp(g.neg(g.square(x))), 2 / Math.sqrt(Math.PI))),
  ],
  sigmoid: (y, dy) => [g.mul(dy, g.mul(y, g.sub(g.constant(1), y)))],
  sign: blocked,
  floor: blocked,
  ceil: blocked,
  round: blocked,
  trunc: blocked,
  not: blocked,

  add: broadcasting((_, dy) => [dy, dy]),
  sub: broadcasting((_, dy) => [dy, g.neg(dy)]),
  mul: broadcasting(({ inputs: [a, b] }, dy) => [g.mul(dy, b), g.mul(dy, a)]),
  div: broadcasting((y, dy) => {
    const da = g.div(dy, y.inputs[1])
    return [da, g.neg(g.mul(da, y))]
  }),
  // d aᵇ = b·a^(b-1) da + aᵇ·ln a db; as in PyTorch, da is 0 for b = 0, and db is 0 for a = 0
  pow: broadcasting((y, dy) => {
    const [a, b] = y.inputs
    const zero = g.constant(0)
    const slope = g.mul(b, g.binary('pow', a, g.shift(b, -1)))
    const da = g.where(g.binary('eq', b, zero), zero, g.mul(dy, slope))
    const flat = g.binary('eq', a, zero)
    const logA = g.where(flat, zero, g.log(g.where(flat, g.constant(1), a)))
    return [da, g.mul(dy, g.mul(y, logA))]
  }),
  // a mod b = a - b·floor(a/b)
  mod: broadcasting(({ inputs: [a, b] }, dy) => [
    dy,
    g.neg(g.mul(dy, g.unary('floor', g.div(a, b)))),
  ]),
  maximum: broadcasting(({ inputs: [a, b] }, dy) => [
    g.mul(dy, tieShare(g.binary('lt', b, a), a, b)),
    g.mul(dy, tieShare(g.binary('lt', a, b), a, b)),
  ]),
  minimum: broadcasting(({ inputs: [a, b] }, dy) => [
    g.mul(dy, tieShare(g.binary('lt', a, b), a, b)),
    g.mul(dy, tieShare(g.binary('lt', b, a), a, b)),
  ]),
  eq: blocked,
  ne: blocked,
  lt: blocked,
  le: blocked,
  and: blocked,
  or: blocked,
  xor: blocked,
  shl: blocked,
  shr: blocked,
  where: broadcasting(({ inputs: [condition] }, dy) => [
    null,
    g.where(condition, dy, g.constant(0)),
    g.where(condition, g.constant(0), dy),
  ]),
  cast: ({ inputs: [x] }, dy) => [isFloat(x.dtype) ? dy : null],
  bitcast: blocked,

  scalar: blocked,
  constant: blocked,
  iota: blocked,
  random: blocked,

  reshape: ({ inputs: [x] }, dy) => [g.reshape(dy, x.shape)],
  permute: ({ attrs: { order } }, dy) => {
    const inverse = new Array<number>(order.length)
    order.forEach((axis, i) => {
      inverse[axis] = i
    })
    return [g.permute(dy, inverse)]
  },
  expand: ({ inputs: [x] }, dy) => [g.sumTo(dy, x.shape)],
  slice: ({ inputs: [x], attrs }, dy) => [undoSlice(dy, x.shape, attrs)],
  flip: ({ attrs: { axes } }, dy) => [g.flip(dy, axes)],
  window: ({ inputs: [x], attrs }, dy) => {
    const size = x.shape.slice(x.shape.length - attrs.kernel.length)
    return [g.make('foldWindow', [dy], { ...attrs, size })]
  },
  foldWindow: ({ attrs: { kernel, stride, dilation } }, dy) => [
    g.make('window', [dy], { kernel, stride, dilation }),
  ],

  sum: ({ inputs: [x], attrs: { axes } }, dy) => [g.expand(g.unsqueeze(dy, axes), x.shape)],
  prod: ({ inputs: [x], attrs: { axes } }, dy) => [prodBackward(x, axes, dy)],
  // As in PyTorch, equal elements share the gradient.
  amax: (y, dy) => [sharedByTies(y, dy, y.attrs.axes)],
  amin: (y, dy) => [sharedByTies(y, dy, y.attrs.axes)],
  argmax: blocked,
  argmin: blocked,

  cumsum: ({ attrs: { axis } }, dy) => [
    g.flip(g.make('cumsum', [g.flip(dy, [axis])], { axis }), [axis]),
  ],
  cumprod: ({ inputs: [x], attrs: { axis } }, dy) => [pairProducts(x, axis, dy)],
  cummax: (y, dy) => {
    const [x] = y.inputs
    const { axis } = y.attrs
    const place = g.cast(g.iota(x.shape, axis), 'f32')
    const reached = g.where(g.binary('eq', x, y), place, g.constant(0))
    const source = g.cast(g.make('cummax', [reached], { axis }), 'i32')
    return [gatherBackward(x.shape, source, axis, dy)]
  },

  // C = A·B:  dA = dC·Bᵀ,  dB = Aᵀ·dC
  matmul: ({ inputs: [a, b] }, dy) => [
    g.sumTo(g.matmul(dy, g.transpose(b)), a.shape),
    g.sumTo(g.matmul(g.transpose(a), dy), b.shape),
  ],
  concat: ({ inputs, attrs: { axis } }, dy) => {
    let start = 0
    return inputs.map((x) => {
      start += x.shape[axis]
      return g.narrow(dy, axis, start - x.shape[axis], x.shape[axis])
    })
  },
  pad: ({ inputs: [x], attrs: { before } }, dy) => [g.slice(dy, before, x.shape)],
  take: ({ inputs: [x, index], attrs: { axis } }, dy) => [
    g.scatter('scatterAdd', g.zerosLike(x), index, dy, axis),
    null,
  ],
  scatterAdd: ({ inputs: [, index], attrs: { axis } }, dy) => [dy, null, g.take(dy, index, axis)],
  scatterSet: ({ inputs: [, index, source], attrs: { axis } }, dy) => [
    g.scatter('scatterSet', dy, index, g.zerosLike(source), axis),
    null,
    g.take(dy, index, axis),
  ],
  sliceAt: ({ inputs: [x, offset], attrs: { axis } }, dy) => [
    g.make('updateAt', [g.zerosLike(x), dy, offset], { axis }),
    null,
  ],
  updateAt: ({ inputs: [, source, offset], attrs: { axis } }, dy) => [
    g.make('updateAt', [dy, g.zerosLike(source), offset], { axis }),
    g.make('sliceAt', [dy, offset], { axis, size: source.shape[axis] }),
    null,
  ],
  sort: (node, _, grads) => [sortBackward(node, grads[0])],
  topk: (node, _, grads) => [sortBackward(node, grads[0])],
  dequantize: blocked,

  buffer: blocked,
  pick: blocked, // `propagate` in backward.ts handles it
  assign: (_, dy) => [null, dy],
  // Like updateAt: the rest of the target, which an earlier assignment wrote, keeps its gradient.
  assignAt: ({ inputs: [, value, offset], attrs: { axis } }, dy) => [
    g.make('updateAt', [dy, g.zerosLike(value), offset], { axis }),
    g.make('sliceAt', [dy, offset], { axis, size: value.shape[axis] }),
    null,
  ],
  stopGradient: blocked,
  barrier: (_, dy) => [dy],
  customVjp: (node, _, grads) => (node.rule ? node.rule(node, grads) : []),
  hostCall: blocked,
}

function sharedByTies(y: Node, dy: Node, axes: readonly number[]): Node {
  const [x] = y.inputs
  const equal = g.cast(g.binary('eq', x, g.unsqueeze(y, axes)), 'f32')
  const share = g.div(g.unsqueeze(dy, axes), g.sum(equal, axes, true))
  return g.mul(equal, share)
}

function sortBackward(node: Node, dy: Node | null): Node | null {
  if (!dy) return null
  const shape: Shape = node.inputs[0].shape
  return gatherBackward(shape, g.pick(node, 1), shape.length - 1, dy)
}
