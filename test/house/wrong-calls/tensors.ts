// `heed`: making tensors, functions of tensors, `F`, and the methods of tensors.
import * as heed from '../../../src/index.ts'
import { type Argument, arg, type Call, definition, make, type Sample } from './damage.ts'

const { tensor, F } = heed
const x = tensor([
  [1, 2],
  [3, 4],
])
const v = tensor([1, 2, 3])
const index = tensor([[0, 1]], { dtype: 'i32' })
const image = heed.ones([1, 2, 4, 4])
const line = heed.ones([1, 2, 4])
const mask = x.gt(1)
const classes = tensor([0, 1], { dtype: 'i32' })
const heads = heed.ones([1, 1, 2, 2])
const blocks = tensor(new Uint8Array(34), { shape: [1, 34] })
const {
  shape,
  size,
  number,
  tensor: t,
  options,
  axis,
  flag,
  word,
  list,
  maybeTensor,
  maybeNumber,
} = arg
const generator = { value: heed.defaultGenerator(), wrong: [null, 3, 'x', {}] }
const dtype = word('f32')
const f = arg.function

/** Of everything that `heed` exports: the arguments of a well-formed call. */
export const functions: Record<string, readonly Argument[]> = {
  accumulate: [t(x.sum())],
  arange: [arg.number(3)],
  bernoulli: [{ value: 0.5, wrong: [undefined, null, 'x', 2, {}] }, shape([2]), generator],
  cat: [arg.tensors([x, x]), axis(0)],
  cdist: [t(x), t(x), maybeNumber(2)],
  checkpoint: [f((y: heed.Tensor) => y), t(x)],
  chromeTrace: [list([])],
  customVjp: [f(() => x), f(() => [])],
  device: [{ value: 'reference', wrong: [undefined, null, 'no such device', 3, {}] }],
  einsum: [{ value: 'ij->ji', wrong: [undefined, null, 3, 'i->', '->->'] }, t(x)],
  eye: [size(2), arg.maybeSize(2)],
  fromPieces: [shape([1]), arg.object(pieces())],
  full: [
    shape([2]),
    number(1).value === 1 ? { ...number(1), wrong: [undefined, null, 'x', {}, [1]] } : number(1),
    dtype,
  ],
  fullLike: [t(x), { value: 1, wrong: [undefined, null, 'x', {}] }],
  grad: [f((y: heed.Tensor) => y.sum())],
  valueAndGrad: [f((y: heed.Tensor) => y.sum())],
  hold: [f(() => [x])],
  hostCall: [f(() => new Float32Array(4)), arg.tensors([x]), shape([2, 2]), dtype],
  linspace: [number(0), number(1), size(3)],
  manualSeed: [size(1)],
  meshgrid: [arg.tensors([v, v]), options({})],
  multinomial: [t(x), size(1), options({})],
  noGrad: [f(() => x)],
  normal: [shape([2]), maybeNumber(0), maybeNumber(1), generator],
  oneHot: [t(classes), size(2)],
  ones: [shape([2]), dtype],
  onesLike: [t(x)],
  profile: [f(async () => {})],
  rand: [shape([2]), generator],
  randLike: [t(x), generator],
  randint: [{ value: 0, wrong: [undefined, null, 'x', 1.5] }, arg.size(5), shape([2]), generator],
  randn: [shape([2]), generator],
  randnLike: [t(x), generator],
  randperm: [size(3), generator],
  realize: [arg.tensors([x])],
  registerDevice: [
    definition(
      { name: 'wrong-calls', speed: 'slow', create: () => heed.defaultDevice() },
      { optional: ['speed'] },
    ),
  ],
  runtimeScalar: [{ value: 1, wrong: [undefined, null, 'x', {}] }, dtype],
  searchsorted: [t(v), t(v), options({})],
  setDefaultDevice: [
    { value: heed.defaultDevice(), wrong: [undefined, null, 3, {}, 'no such device'] },
  ],
  stack: [arg.tensors([x, x]), axis(0)],
  stopGradient: [t(x)],
  tensor: [
    { value: [1], wrong: [undefined, null, 'x', {}, [undefined], ['x'], [[1], 2]] },
    options({}),
  ],
  uniform: [shape([2]), maybeNumber(0), maybeNumber(1), generator],
  where: [t(mask), arg.operand(1), arg.operand(2)],
  zeros: [shape([2]), dtype],
  zerosLike: [t(x)],
}

/** Classes, with the arguments of their constructors. */
export const classes_: Record<string, readonly Argument[]> = {
  Generator: [{ value: 1, wrong: [null, 'x', -1, 1.5] }],
  ModuleBuffer: [t(x), options({})],
  Parameter: [t(x)],
}

export const functional: Record<string, readonly Argument[]> = {
  adaptiveAvgPool1d: [t(line), size(2)],
  adaptiveAvgPool2d: [t(image), size(2)],
  avgPool1d: [t(line), size(2), options({})],
  avgPool2d: [t(image), size(2), options({})],
  batchNorm: [t(x), options({ mean: tensor([1, 2]), variance: tensor([1, 2]) })],
  batchNormOfBatch: [t(x)],
  batchStatistics: [t(x)],
  bceWithLogits: [t(x), t(x), word('mean')],
  conv1d: [t(line), t(heed.ones([1, 2, 1])), maybeTensor(null), options({})],
  conv2d: [t(image), t(heed.ones([1, 2, 1, 1])), maybeTensor(null), options({})],
  convTranspose1d: [t(line), t(heed.ones([2, 1, 1])), maybeTensor(null), options({})],
  convTranspose2d: [t(image), t(heed.ones([2, 1, 1, 1])), maybeTensor(null), options({})],
  cosineSimilarity: [t(x), t(x), options({})],
  crossEntropy: [t(x), t(classes), options({})],
  dequantize: [t(blocks), { value: 'q8_0', wrong: [undefined, null, 'q9', 3] }],
  dropout: [t(x), maybeNumber(0.5)],
  embedding: [t(classes), t(x), options({})],
  fold: [
    t(heed.ones([1, 8, 4])),
    { value: 4, wrong: [undefined, null, 'x', 0] },
    size(2),
    options({ stride: 2 }),
  ],
  glu: [t(x), axis(-1)],
  groupNorm: [t(image), size(2)],
  huberLoss: [t(x), t(x), options({})],
  instanceNorm: [t(image)],
  klDiv: [t(x), t(x), word('mean')],
  l1Loss: [t(x), t(x), word('mean')],
  layerNorm: [t(x), maybeTensor(null), maybeTensor(null), maybeNumber(1e-5)],
  linear: [t(x), t(x), maybeTensor(null)],
  linearCrossEntropy: [
    t(x),
    { value: x, wrong: [undefined, null, 'x', 3] },
    t(classes),
    options({}),
  ],
  linearQuantized: [t(heed.ones([1, 32])), t(blocks), { value: 'q8_0', wrong: [undefined, 'q9'] }],
  maxPool1d: [t(line), size(2), options({})],
  maxPool2d: [t(image), size(2), options({})],
  mseLoss: [t(x), t(x), word('mean')],
  nllLoss: [t(x), t(classes), word('mean')],
  normalize: [t(x), options({})],
  rmsNorm: [t(x), maybeTensor(null), maybeNumber(1e-5)],
  scaledDotProductAttention: [t(heads), t(heads), t(heads), options({})],
  smoothL1Loss: [t(x), t(x), options({})],
  tripletMarginLoss: [t(x), t(x), t(x), options({})],
  unfold: [t(image), size(2), options({})],
}

const newShape = { value: [4], wrong: [undefined, null, 3, 'x', [-2], [1.5], [-1, -1]] }
const op = [arg.operand(x)]
const other = [t(x)]
const reduction = [{ ...axis(0), wrong: [null, 'x', 99, {}] }, flag(false)]
const onAxis = [axis(0)]
const choice = [{ ...axis(0), wrong: ['x', 99, {}] }, flag(false)]

/** Methods of tensors with arguments. */
export const methods: Record<string, readonly Argument[]> = {
  add: op,
  sub: op,
  mul: op,
  div: op,
  floorDivide: op,
  remainder: op,
  fmod: op,
  pow: op,
  maximum: op,
  minimum: op,
  eq: op,
  ne: op,
  lt: op,
  le: op,
  gt: op,
  ge: op,
  atan2: op,
  assign: op,
  clamp: [{ value: { min: 0 }, wrong: [undefined, null, 'x', [1], { mini: 1 }] }],
  clip: [{ value: { min: 0 }, wrong: [undefined, null, 'x', [1], { mini: 1 }] }],
  lerp: [t(x), arg.operand(0.5)],
  logaddexp: other,
  logicalAnd: other,
  logicalOr: other,
  logicalXor: other,
  matmul: other,
  allclose: [t(x), options({})],
  equal: other,
  leakyRelu: [maybeNumber(0.1)],
  elu: [maybeNumber(1)],
  gelu: [word('none')],
  maskedFill: [t(mask), { value: 1, wrong: [undefined, null, 'x', {}] }],
  maskedSelect: [{ ...t(mask), wrong: [...t(mask).wrong, x] }],
  to: [{ value: 'f32', wrong: [undefined, null, 3, 'float32', {}] }],
  nanToNum: [options({})],
  sum: reduction,
  prod: reduction,
  mean: reduction,
  amax: reduction,
  amin: reduction,
  any: reduction,
  all: reduction,
  logsumexp: reduction,
  countNonzero: [{ ...axis(0), wrong: [null, 'x', 99, {}] }],
  var: [{ ...axis(0), wrong: [null, 'x', 99, {}] }, options({})],
  std: [{ ...axis(0), wrong: [null, 'x', 99, {}] }, options({})],
  max: choice,
  min: choice,
  argmax: choice,
  argmin: choice,
  median: choice,
  norm: [maybeNumber(2), { ...axis(0), wrong: [null, 'x', 99] }, flag(false)],
  cumsum: onAxis,
  cumprod: onAxis,
  cummax: onAxis,
  logcumsumexp: onAxis,
  softmax: onAxis,
  logSoftmax: onAxis,
  unsqueeze: onAxis,
  unbind: onAxis,
  squeeze: [{ ...axis(0), wrong: [null, 'x', 99] }],
  quantile: [
    { value: 0.5, wrong: [undefined, null, 'x', 2, {}] },
    { ...axis(0), wrong: [null, 'x', 99] },
    options({}),
  ],
  reshape: [newShape],
  view: [newShape],
  expand: [shape([2, 2])],
  broadcastTo: [shape([2, 2])],
  repeat: [shape([1, 1])],
  tile: [{ ...shape([1]), wrong: ['x', [-1], [1.5]] }],
  flatten: [axis(0), axis(-1)],
  permute: [{ value: [1, 0], wrong: [undefined, null, 'x', [0], [0, 0], 5] }],
  transpose: [
    { ...axis(0), wrong: [...axis(0).wrong, undefined] },
    { ...axis(1), wrong: [...axis(1).wrong, undefined] },
  ],
  movedim: [axis(0), axis(1)],
  slice: [{ value: [0, 1], wrong: ['x', 99, {}, ['x'], [0, 1, -1]] }],
  narrow: [axis(0), { value: 0, wrong: [undefined, null, 'x', 1.5, 99] }, size(1)],
  select: [axis(0), { value: 0, wrong: [undefined, 'x', 99, {}] }],
  split: [{ value: 1, wrong: [undefined, null, 'x', 0, ['x'], {}] }, axis(0)],
  chunk: [size(2), axis(0)],
  flip: [{ value: 0, wrong: ['x', null, 99] }],
  pad: [
    { value: [[0, 1]], wrong: [undefined, null, 3, [1, 2], [[1]], [[1, 'x']]] },
    { value: 0, wrong: [null, 'x', {}] },
  ],
  diagonal: [maybeNumber(0), axis(0), axis(1)],
  diag: [maybeNumber(0)],
  roll: [
    { value: 1, wrong: [undefined, null, 'x', {}] },
    { value: 0, wrong: [null, 'x', 99] },
  ],
  repeatInterleave: [size(2), axis(0)],
  unfold: [axis(0), size(1), size(1)],
  tril: [maybeNumber(0)],
  triu: [maybeNumber(0)],
  take: [{ ...t(classes), wrong: [...t(classes).wrong, mask] }, axis(0)],
  indexSelect: [axis(0), t(classes)],
  gather: [axis(0), t(index)],
  takeAlongDim: [t(index), axis(0)],
  scatter: [axis(0), t(index), arg.operand(1)],
  scatterAdd: [axis(0), t(index), arg.operand(1)],
  scatterReduce: [
    axis(0),
    t(index),
    t(tensor([[1, 2]])),
    { value: 'sum', wrong: [undefined, null, 'max', 3] },
    options({}),
  ],
  indexAdd: [axis(0), t(classes), t(x)],
  sort: [axis(0), flag(false)],
  argsort: [axis(0), flag(false)],
  topk: [size(1), axis(0), flag(true)],
  multinomial: [size(1), options({})],
  bernoulli: [generator],
  unique: [options({})],
  bincount: [options({})],
  bitwiseAnd: [arg.operand(classes)],
  bitwiseOr: [arg.operand(classes)],
  bitwiseXor: [arg.operand(classes)],
  where: [arg.operand(1), arg.operand(2)],
  backward: [{ value: x, wrong: [null, 3, 'x', {}, v] }],
  assignAt: [t(tensor([[1, 2]])), { value: 0, wrong: [undefined, null, 'x', -1] }, axis(0)],
  dot: [t(v)],
  outer: [t(v)],
}

/** Tensors that a method needs, other than x. */
const receivers: Record<string, heed.Tensor> = {
  bincount: classes,
  bitwiseAnd: classes,
  bitwiseOr: classes,
  bitwiseXor: classes,
  dot: v,
  outer: v,
  where: mask,
  slice: v,
  flip: v,
  multinomial: x,
  bernoulli: x,
}

/** Methods of tensors that take no arguments. */
export const plainMethods = [
  'abs',
  'acos',
  'acosh',
  'asin',
  'asinh',
  'atan',
  'atanh',
  'becomeState',
  'bitwiseNot',
  'ceil',
  'clone',
  'cos',
  'cosh',
  'data',
  'detach',
  'erf',
  'exp',
  'expm1',
  'floor',
  'hardswish',
  'isfinite',
  'isinf',
  'isnan',
  'item',
  'lift',
  'log',
  'log10',
  'log1p',
  'log2',
  'logSigmoid',
  'logicalNot',
  'mish',
  'moveTo',
  'neg',
  'nonzero',
  'reciprocal',
  'relu',
  'round',
  'rsqrt',
  'sigmoid',
  'sign',
  'silu',
  'sin',
  'sinh',
  'softplus',
  'sqrt',
  'square',
  't',
  'tan',
  'tanh',
  'text',
  'toString',
  'tolist',
  'trace',
  'trunc',
]

export const samples: Sample[] = [
  ...Object.entries(functions).map(([name, args]) => ({ name, call: callOf(heed, name), args })),
  ...Object.entries(functional).map(([name, args]) => ({
    name: `F.${name}`,
    call: callOf(F, name),
    args,
  })),
  ...Object.entries(methods).map(([name, args]) => ({
    name: `x.${name}`,
    call: methodOf(name),
    args,
  })),
  { name: 'Generator', call: make(heed.Generator), args: classes_.Generator },
  { name: 'ModuleBuffer', call: make(heed.ModuleBuffer), args: classes_.ModuleBuffer },
  { name: 'Parameter', call: make(heed.Parameter), args: classes_.Parameter },
]

function callOf(owner: object, name: string): Call {
  return Reflect.get(owner, name) as Call
}

function methodOf(name: string): Call {
  return (...args) => {
    const receiver = receivers[name] ?? new heed.Parameter(x.mul(1))
    return (Reflect.get(receiver, name) as Call).apply(receiver, args)
  }
}

async function* pieces() {
  yield { start: 0, values: new Float32Array(1) }
}
