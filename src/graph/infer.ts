// Shape and dtype of the result of every operation, as one total table. A rule throws a ShapeError
// when the inputs do not fit; `make` adds the module path to the message.
import { type BlockFormat, blockLayouts } from '../util/block-formats.ts'
import { ShapeError } from '../util/errors.ts'
import { bytesOf, type DType, isFloat } from './dtype.ts'
import type { Form } from './node.ts'
import type { Binary, Op, OpAttrs, Unary } from './ops.ts'
import { broadcastShapes, countOf, type Shape, sameShape, showShape } from './shape.ts'

export type InferRule<O extends Op> = (inputs: readonly Form[], attrs: OpAttrs[O]) => Form | Form[]

const form = (shape: Shape, dtype: DType): Form => ({ shape, dtype })

/** The result has the shape and dtype of the first input. */
const same = ([x]: readonly Form[]): Form => x

const float =
  (op: string) =>
  ([x]: readonly Form[]): Form => {
    if (!isFloat(x.dtype)) throw notFloat(op, x)
    return x
  }

const broadcast =
  (op: string, result?: DType) =>
  ([a, b]: readonly Form[]): Form => {
    if (a.dtype !== b.dtype) throw dtypesDiffer(op, a, b)
    return form(broadcastShapes(a.shape, b.shape, op), result ?? a.dtype)
  }

/** Bitwise operations on integers, or logical operations on bool. */
const bitwise =
  (op: string) =>
  (inputs: readonly Form[]): Form => {
    if (inputs.some((x) => isFloat(x.dtype)))
      throw new ShapeError(`${op}: the inputs must be integers or bool, got f32`, {
        remedy: 'Convert them first: x.to("i32").',
      })
    return inputs.length === 1 ? inputs[0] : broadcast(op)(inputs)
  }

const reduce =
  (result?: DType) =>
  ([x]: readonly Form[], { axes }: { axes: readonly number[] }): Form =>
    form(
      x.shape.filter((_, i) => !axes.includes(i)),
      result ?? x.dtype,
    )

const unary: { [O in Unary]: InferRule<O> } = {
  neg: same,
  abs: same,
  sign: same,
  exp: float('exp'),
  log: float('log'),
  log1p: float('log1p'),
  expm1: float('expm1'),
  sqrt: float('sqrt'),
  rsqrt: float('rsqrt'),
  recip: float('recip'),
  sin: float('sin'),
  cos: float('cos'),
  tanh: float('tanh'),
  erf: float('erf'),
  sigmoid: float('sigmoid'),
  floor: same,
  ceil: same,
  round: same,
  trunc: same,
  not: bitwise('not'),
}

const binary: { [O in Binary]: InferRule<O> } = {
  add: broadcast('add'),
  sub: broadcast('sub'),
  mul: broadcast('mul'),
  div: broadcast('div'),
  pow: broadcast('pow'),
  mod: broadcast('remainder'),
  maximum: broadcast('maximum'),
  minimum: broadcast('minimum'),
  eq: broadcast('eq', 'bool'),
  ne: broadcast('ne', 'bool'),
  lt: broadcast('lt', 'bool'),
  le: broadcast('le', 'bool'),
  and: bitwise('bitwise and'),
  or: bitwise('bitwise or'),
  xor: bitwise('bitwise xor'),
  shl: bitwise('shift left'),
  shr: bitwise('shift right'),
}

/** Shape of all windows: (..., L1..Ld) -> (..., P1..Pd, K1..Kd), with d = kernel.length. */
function windowShape(
  shape: Shape,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Shape {
  const lead = shape.length - kernel.length
  if (lead < 0)
    throw new ShapeError(
      `window: the input must have ${kernel.length} or more dimensions, got shape ${showShape(shape)}`,
    )
  const positions = kernel.map((k, i) => {
    const room = shape[lead + i] - ((k - 1) * dilation[i] + 1)
    if (room < 0)
      throw new ShapeError(
        `window: the kernel must fit into size ${shape[lead + i]}, got kernel ${k} with dilation ${dilation[i]}`,
        { remedy: 'Use a smaller kernel or dilation, or pad the input.' },
      )
    return Math.floor(room / stride[i]) + 1
  })
  return [...shape.slice(0, lead), ...positions, ...kernel]
}

const sorted = (x: Form, last: number): Form[] => {
  const shape = [...x.shape.slice(0, -1), last]
  return [form(shape, x.dtype), form(shape, 'i32')]
}

function scatter(op: string, [base, index, source]: readonly Form[], axis: number): Form {
  const expected = [...base.shape.slice(0, axis), ...index.shape, ...base.shape.slice(axis + 1)]
  if (!sameShape(expected, source.shape))
    throw new ShapeError(
      `${op}: the source must have shape ${showShape(expected)}, got ${showShape(source.shape)}`,
    )
  checkIndex(op, index)
  if (base.dtype !== source.dtype) throw dtypesDiffer(op, base, source)
  return base
}

/** `source` has the shape of `target`, except that it may be shorter along `axis`. */
function within(op: string, target: Form, source: Form, axis: number): Form {
  const fits =
    target.dtype === source.dtype &&
    target.shape.length === source.shape.length &&
    target.shape.every((n, i) => (i === axis ? source.shape[i] <= n : source.shape[i] === n))
  if (!fits)
    throw new ShapeError(
      `${op}: the source must fit into ${showForm(target)} along axis ${axis}, got ${showForm(source)}`,
    )
  return target
}

function matmul([a, b]: readonly Form[]): Form {
  if (a.dtype !== 'f32' || b.dtype !== 'f32')
    throw new ShapeError(`matmul: the inputs must be f32, got ${a.dtype} and ${b.dtype}`, {
      remedy: TO_F32,
    })
  const [m, k] = a.shape.slice(-2)
  const [k2, n] = b.shape.slice(-2)
  if (a.shape.length < 2 || b.shape.length < 2 || k !== k2)
    throw new ShapeError(
      `matmul: the inner sizes must be equal, got ${showShape(a.shape)} x ${showShape(b.shape)}`,
      {
        remedy: `The last size of the left input (${k}) must equal the second-to-last size of the right input (${k2}).`,
      },
    )
  return form(
    [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul'), m, n],
    'f32',
  )
}

/** Shape after dequantisation: (..., bytes of blocks) -> (..., numbers). */
function dequantized({ shape, dtype }: Form, format: BlockFormat): Form {
  const { numbers, bytes } = blockLayouts[format]
  const length = shape.at(-1) ?? 0
  if (dtype !== 'u8' || shape.length === 0 || length % bytes !== 0)
    throw new ShapeError(
      `${format}: the blocks must be u8 with a multiple of ${bytes} bytes in each row, got ${showShape(shape)} ${dtype}`,
    )
  return form([...shape.slice(0, -1), (length / bytes) * numbers], 'f32')
}

function matmulQuantized([x, w]: readonly Form[], { format }: { format: BlockFormat }): Form {
  const [rows, columns] = quantizedMatrix(w, format)
  return matmul([x, form([columns, rows], 'f32')])
}

function matmulQuantizedInput([dy, w]: readonly Form[], { format }: { format: BlockFormat }): Form {
  return matmul([dy, form(quantizedMatrix(w, format), 'f32')])
}

function quantizedMatrix(w: Form, format: BlockFormat): Shape {
  const { shape } = dequantized(w, format)
  if (shape.length !== 2)
    throw new ShapeError(
      `matmul: weights in ${format} must be a matrix, got shape ${showShape(w.shape)}`,
    )
  return shape
}

function linearCrossEntropy(
  [states, w, target, share]: readonly Form[],
  { format }: { format: BlockFormat | null },
): Form[] {
  const matrix = format ? form(quantizedMatrix(w, format), 'f32') : w
  if (states.shape.length !== 2 || matrix.shape.length !== 2 || states.shape[1] !== matrix.shape[1])
    throw new ShapeError(
      `linearCrossEntropy: the states must be (N, C) and the weight (V, C), got ${showShape(states.shape)} and ${showShape(matrix.shape)}`,
    )
  const rows = states.shape.slice(0, 1)
  if (!sameShape(target.shape, rows) || target.dtype !== 'i32' || !sameShape(share.shape, rows))
    throw new ShapeError(
      `linearCrossEntropy: the targets must be i32 (${rows}), got ${showShape(target.shape)} ${target.dtype}`,
    )
  for (const x of [states, matrix, share])
    if (x.dtype !== 'f32') throw notFloat('linearCrossEntropy', x)
  const loss = form([], 'f32')
  return format ? [loss, states] : [loss, states, w]
}

/** Output shape of a convolution over images (B, C, H, W); its three forms share it. */
function convolution(x: Shape, w: Shape, attrs: OpAttrs['convolution']): Shape {
  const { stride, before, behind, dilation, groups } = attrs
  if (x.length !== 4 || w.length !== 4 || x[1] !== w[1] * groups || w[0] % groups !== 0)
    throw new ShapeError(
      `convolution: the input must be (B, C, H, W) and the weight (O, C / groups, Kh, Kw), got ${showShape(x)} and ${showShape(w)} with ${groups} groups`,
      { remedy: '`groups` must divide O and C.' },
    )
  const places = [0, 1].map((i) => {
    const room = x[2 + i] + before[i] + behind[i] - ((w[2 + i] - 1) * dilation[i] + 1)
    if (room < 0 || w[2 + i] < 1)
      throw new ShapeError(
        `convolution: the kernel must fit into size ${x[2 + i] + before[i] + behind[i]}, got kernel ${w[2 + i]} with dilation ${dilation[i]}`,
        { remedy: 'Use a smaller kernel or dilation, or more padding.' },
      )
    return Math.floor(room / stride[i]) + 1
  })
  return [x[0], w[0], ...places]
}

/** Checks that `dy` has the output shape of a convolution of these images and weights. */
function checkPlaces(x: Shape, w: Shape, dy: Form, attrs: OpAttrs['convolution']): void {
  const places = convolution(x, w, attrs)
  if (!sameShape(places, dy.shape))
    throw new ShapeError(
      `convolution: the gradient must have shape ${showShape(places)}, got ${showShape(dy.shape)}`,
    )
}

/** Output shape of pooling over images (B, C, H, W). */
function pooled(x: Shape, { kernel, stride, before, behind, dilation }: OpAttrs['maxPool']): Shape {
  if (x.length !== 4)
    throw new ShapeError(`maxPool: the input must be (B, C, H, W), got ${showShape(x)}`)
  const padded = x.map((n, i) => (i < 2 ? n : n + before[i - 2] + behind[i - 2]))
  return windowShape(padded, kernel, stride, dilation).slice(0, 4)
}

function attention(inputs: readonly Form[], attrs: OpAttrs['attention']): Form[] {
  const [q, k, v, ...options] = inputs
  const [b, h, t, d] = q.shape
  const [, hk, , dk] = k.shape
  const fits =
    q.shape.length === 4 &&
    k.shape.length === 4 &&
    v.shape.length === 4 &&
    d === dk &&
    h % hk === 0 &&
    k.shape[0] === b &&
    sameShape(k.shape.slice(0, 3), v.shape.slice(0, 3))
  if (!fits)
    throw new ShapeError(
      `attention: q must be (B, H, T, D), k (B, Hk, S, D) and v (B, Hk, S, Dv), got ${[q, k, v].map((x) => showShape(x.shape)).join(', ')}`,
      { remedy: 'Hk must divide H; B, S and D must be equal.' },
    )
  const mask = attrs.mask ? options[attrs.bias ? 1 : 0] : null
  if (![q, k, v].every((x) => isFloat(x.dtype)) || (mask && mask.dtype !== 'bool'))
    throw new ShapeError(
      `attention: q, k and v must be f32 and the mask bool, got ${inputs.map((x) => x.dtype).join(', ')}`,
    )
  return [form([b, h, t, v.shape[3]], 'f32'), form([b, h, t], 'f32')]
}

/** The rule of every operation. */
export const infer: { [O in Op]: InferRule<O> } = {
  ...unary,
  ...binary,
  where: ([c, a, b]) => {
    if (c.dtype !== 'bool')
      throw new ShapeError(`where: the condition must be bool, got ${c.dtype}`)
    const both = broadcast('where')([a, b])
    return form(broadcastShapes(c.shape, both.shape, 'where'), both.dtype)
  },
  cast: ([x], { dtype }) => form(x.shape, dtype),
  bitcast: ([x], { dtype }) => {
    if (bytesOf(x.dtype) !== bytesOf(dtype))
      throw new ShapeError(
        `bitcast: the dtypes must have the same element size, got ${x.dtype} and ${dtype}`,
      )
    return form(x.shape, dtype)
  },

  scalar: (_, { dtype }) => form([], dtype),
  constant: (_, { dtype }) => form([], dtype),
  iota: (_, { shape }) => form(shape, 'i32'),
  random: (_, { shape }) => form(shape, 'u32'),

  reshape: ([x], { shape }) => {
    if (countOf(shape) !== countOf(x.shape))
      throw new ShapeError(
        `reshape: ${showShape(shape)} must have the ${countOf(x.shape)} elements of ${showShape(x.shape)}, got ${countOf(shape)}`,
      )
    return form(shape, x.dtype)
  },
  permute: ([x], { order }) =>
    form(
      order.map((i) => x.shape[i]),
      x.dtype,
    ),
  expand: ([x], { shape }) => {
    if (!sameShape(broadcastShapes(x.shape, shape, 'expand'), shape))
      throw new ShapeError(
        `expand: the input must broadcast to ${showShape(shape)}, got ${showShape(x.shape)}`,
      )
    return form(shape, x.dtype)
  },
  slice: ([x], { sizes }) => form(sizes, x.dtype),
  flip: same,
  window: ([x], { kernel, stride, dilation }) =>
    form(windowShape(x.shape, kernel, stride, dilation), x.dtype),

  sum: reduce(),
  prod: reduce(),
  amax: reduce(),
  amin: reduce(),
  argmax: reduce('i32'),
  argmin: reduce('i32'),

  cumsum: same,
  cumprod: same,
  cummax: same,
  matmul,
  concat: (inputs, { axis }) => {
    const [first] = inputs
    let size = 0
    for (const x of inputs) {
      const fits =
        x.dtype === first.dtype &&
        x.shape.length === first.shape.length &&
        x.shape.every((n, i) => i === axis || n === first.shape[i])
      if (!fits)
        throw new ShapeError(
          `concat: the inputs must have the same dtype and differ only along axis ${axis}, got ${showForm(first)} and ${showForm(x)}`,
        )
      size += x.shape[axis]
    }
    return form(
      first.shape.map((n, i) => (i === axis ? size : n)),
      first.dtype,
    )
  },
  pad: ([x], { before, after }) =>
    form(
      x.shape.map((n, i) => n + before[i] + after[i]),
      x.dtype,
    ),
  foldWindow: ([x], { size, kernel }) =>
    form([...x.shape.slice(0, x.shape.length - 2 * kernel.length), ...size], x.dtype),
  take: ([x, index], { axis }) => {
    checkIndex('take', index)
    return form([...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)], x.dtype)
  },
  scatterAdd: (inputs, { axis }) => scatter('scatterAdd', inputs, axis),
  scatterSet: (inputs, { axis }) => scatter('scatterSet', inputs, axis),
  sliceAt: ([x], { axis, size }) =>
    form(
      x.shape.map((n, i) => (i === axis ? size : n)),
      x.dtype,
    ),
  updateAt: ([x, source], { axis }) => within('updateAt', x, source, axis),
  sort: ([x]) => sorted(x, x.shape.at(-1) as number),
  topk: ([x], { k }) => sorted(x, k),
  dequantize: ([x], { format }) => dequantized(x, format),

  buffer: (_, { shape, dtype }) => form(shape, dtype),
  pick: same, // not used: `pick` in build.ts passes the form itself
  assign: ([target, value]) => {
    if (target.dtype !== value.dtype || !sameShape(target.shape, value.shape))
      throw new ShapeError(`assign: the value must be ${showForm(target)}, got ${showForm(value)}`)
    return target
  },
  assignAt: ([target, value], { axis }) => within('assign', target, value, axis),
  stopGradient: same,
  barrier: same,
  customVjp: same,
  hostCall: (_, { shape, dtype }) => form(shape, dtype),

  gelu: float('gelu'),
  geluBackward: same,
  silu: float('silu'),
  siluBackward: same,
  softmax: float('softmax'),
  softmaxBackward: same,
  logSoftmax: float('logSoftmax'),
  logSoftmaxBackward: same,
  layerNorm: ([x, gamma, beta]) => {
    checkNorm('layerNorm', x, gamma)
    checkNorm('layerNorm', x, beta)
    const rows = form(x.shape.slice(0, -1), 'f32')
    return [x, rows, rows]
  },
  layerNormBackward: ([x, gamma]) => [x, gamma, gamma],
  rmsNorm: ([x, gamma]) => {
    checkNorm('rmsNorm', x, gamma)
    return [x, form(x.shape.slice(0, -1), 'f32')]
  },
  rmsNormBackward: ([x, gamma]) => [x, gamma],
  channelNorm: ([x, gamma, beta], { groups }) => {
    const [batch, channels] = x.shape
    if (x.shape.length !== 3 || (groups !== 0 && channels % groups !== 0))
      throw new ShapeError(
        `channelNorm: the input must be (B, C, P) with C divisible by ${groups} groups, got ${showShape(x.shape)}`,
      )
    const byChannel = { ...x, shape: [channels] }
    checkNorm('channelNorm', byChannel, gamma)
    checkNorm('channelNorm', byChannel, beta)
    const kept = form(groups === 0 ? [channels] : [batch, groups], 'f32')
    return [x, kept, kept]
  },
  channelNormBackward: ([x, gamma]) => [x, gamma, gamma],
  crossEntropy: ([logits, target]) => {
    if (logits.shape.length !== 2 || !sameShape(logits.shape.slice(0, 1), target.shape))
      throw new ShapeError(
        `crossEntropy: logits must be (N, classes) and targets (N), got ${showShape(logits.shape)} and ${showShape(target.shape)}`,
      )
    if (target.dtype !== 'i32' || logits.dtype !== 'f32')
      throw new ShapeError(
        `crossEntropy: logits must be f32 and targets i32, got ${logits.dtype} and ${target.dtype}`,
      )
    const rows = form(target.shape, 'f32')
    return [rows, rows]
  },
  crossEntropyBackward: same,
  linearCrossEntropy,
  attention,
  attentionBackward: ([q, k, v], { bias }) => {
    const scores = form([q.shape[0], q.shape[1], q.shape[2], k.shape[2]], 'f32')
    return bias ? [q, k, v, scores] : [q, k, v]
  },
  dropout: float('dropout'),
  convolution: (inputs, attrs) => {
    const [x, w] = inputs.map((input) => float('convolution')([input]))
    return form(convolution(x.shape, w.shape, attrs), 'f32')
  },
  convolutionInput: ([dy, w], attrs) => {
    const shape = [dy.shape[0], w.shape[1] * attrs.groups, ...attrs.size]
    checkPlaces(shape, w.shape, dy, attrs)
    return form(shape, 'f32')
  },
  convolutionWeight: ([x, dy], attrs) => {
    const shape = [dy.shape[1], x.shape[1] / attrs.groups, ...attrs.kernel]
    checkPlaces(x.shape, shape, dy, attrs)
    return form(shape, 'f32')
  },
  maxPool: ([x], attrs) => {
    const y = pooled(float('maxPool')([x]).shape, attrs)
    return [form(y, 'f32'), form(y, 'i32')]
  },
  maxPoolBackward: ([, dy], { size, ...attrs }) => {
    const x = [...dy.shape.slice(0, 2), ...size]
    if (!sameShape(pooled(x, attrs), dy.shape))
      throw new ShapeError(
        `maxPool: the gradient must have shape ${showShape(pooled(x, attrs))}, got ${showShape(dy.shape)}`,
      )
    return form(x, 'f32')
  },
  matmulQuantized,
  matmulQuantizedInput,
  adamw: ([p, , m, v]) => [p, m, v],
}

function checkNorm(op: string, x: Form, weight: Form): void {
  if (x.dtype !== 'f32') throw notFloat(op, x)
  if (weight.shape.length !== 1 || weight.shape[0] !== x.shape.at(-1))
    throw new ShapeError(
      `${op}: the weight must have shape (${x.shape.at(-1)}), got ${showShape(weight.shape)} for an input ${showShape(x.shape)}`,
    )
}

function checkIndex(op: string, index: Form): void {
  if (index.dtype !== 'i32')
    throw new ShapeError(`${op}: the index must be i32, got ${index.dtype}`, {
      remedy: 'Convert it first: index.to("i32").',
    })
}

const notFloat = (op: string, x: Form): ShapeError =>
  new ShapeError(`${op}: the input must be f32, got ${x.dtype}`, { remedy: TO_F32 })

const dtypesDiffer = (op: string, a: Form, b: Form): ShapeError =>
  new ShapeError(`${op}: the inputs must have the same dtype, got ${a.dtype} and ${b.dtype}`)

const showForm = ({ shape, dtype }: Form): string => `${showShape(shape)} ${dtype}`

const TO_F32 = 'Convert it first: x.to("f32").'
