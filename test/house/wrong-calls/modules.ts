// `heed/nn` and `heed/optim`: functions, constructors, and a call of each module.
import * as heed from '../../../src/index.ts'
import * as nn from '../../../src/nn/index.ts'
import * as optim from '../../../src/optim/index.ts'
import { type Argument, arg, type Call, definition, make, type Sample } from './damage.ts'

const { tensor, ones } = heed
const x = ones([2, 4])
const sequence = ones([1, 3, 4])
const image = ones([2, 1, 4, 4])
const line = ones([2, 1, 4])
const ids = tensor([[0, 1, 2]], { dtype: 'i32' })
const states = ones([1, 2, 3, 4])
const { tensor: t, options, size, maybeNumber, flag, axis } = arg
const model = new nn.Linear(4, 4)
const module_: Argument = { value: model, wrong: [undefined, null, 3, 'x', {}] }
const activation: Argument = { value: undefined, wrong: [null, 3, 'x', {}] }
const required = (value: object): Argument => ({
  value,
  wrong: [undefined, null, 3, 'x', {}, { ...value, noSuchOption: 1 }],
})
const kernel: Argument = { value: 2, wrong: [undefined, null, 'x', 0, 1.5, [1, 1, 1]] }
const shape = { value: [2, 3], wrong: [undefined, null, 3, 'x', [-1, 2], [2]] }
const mask = ones([1, 3]).to('bool')
const quantised = {
  value: new nn.Blocks({ format: 'q8_0', shape: [1, 32], data: new Uint8Array(34) }),
  wrong: [undefined, null, 3, {}],
}
const cell: readonly Argument[] = [size(2), size(2), options({})]
const plainLoss = [options({})]
/** The options of a model's forward pass may have others. */
const partOfOptions: Argument = {
  value: {},
  wrong: [null, 3, 'x', true, [1], { attentionMask: 3 }],
}
const cache = { layers: 1, heads: 1, headDim: 2, capacity: 4 }
const stateAttention = [size(2), size(2)]

/** Functions of heed/nn. */
export const functions: Record<string, readonly Argument[]> = {
  alibi: [size(2), t(ids.select(0, 0))],
  attend: [
    t(states),
    { value: { k: states, v: states }, wrong: [{}, { k: 3, v: 3 }] },
    options({}),
  ],
  attention: [t(sequence), t(sequence), t(sequence), required({ heads: 2 })],
  attentionWeights: [t(states), t(states), options({})],
  captureActivations: [
    module_,
    { value: [], wrong: [undefined, null, 3, ['no such path']] },
    arg.function(() => x),
  ],
  captureAttention: [arg.function(() => x)],
  countedPositions: [t(mask)],
  crossAttention: [
    t(sequence),
    { value: { k: sequence, v: sequence }, wrong: [undefined, 3, {}] },
    required({ heads: 2 }),
  ],
  findNaN: [module_, t(x.sum())],
  joinHeads: [t(states)],
  packedTexts: [{ value: mask, wrong: [] }],
  keyMask: [{ value: mask, wrong: [null, 3, 'x', {}] }],
  linearAttention: [t(states), t(states), t(states), options({})],
  linearAttentionStep: [t(states), t(states), t(states), { value: null, wrong: [3, 'x', {}] }],
  offerAttention: [arg.function(() => x)],
  pool: [t(sequence), t(mask), { value: 'mean', wrong: [undefined, null, 3, 'x'] }],
  quantize: [
    { value: new nn.Sequential(new nn.Linear(32, 32)), wrong: module_.wrong },
    { value: 'q8_0', wrong: [undefined, null, 3, 'x'] },
    options({ keep: [] }),
  ],
  relativeBucket: [
    { value: 1, wrong: [undefined, null, 'x', {}] },
    required({ buckets: 4, maxDistance: 8, bidirectional: true }),
  ],
  replaceWeights: [module_, { value: new Map(), wrong: [undefined, null, 3, {}] }],
  countWeights: [module_],
  replaceableWeights: [module_],
  rotate: [
    t(sequence),
    arg.object(
      new nn.Rotary({
        headDim: 4,
        rope: { rope_type: 'default', rope_theta: 10 },
        maxPositions: 4,
      }).at(ids.select(0, 0)),
    ),
  ],
  setValues: [t(model.weight), arg.object(ones([4, 4]))],
  splitHeads: [t(sequence), size(2)],
  takeValues: [t(model.weight), t(ones([4, 4]))],
  tokenPositions: [t(ids), partOfOptions],
  untie: [
    { value: new nn.Sequential(new nn.Linear(2, 2)), wrong: [undefined, null, 3, 'x', {}] },
    { value: '0.weight', wrong: [undefined, null, 3, 'no.such.path'] },
    t(new heed.Parameter(ones([2, 2]))),
  ],
  visibleKeys: [t(ids), partOfOptions],
}

/** Constructors of heed/nn. */
export const constructors: Record<string, readonly Argument[]> = {
  AdaptiveAvgPool1d: [kernel],
  AdaptiveAvgPool2d: [kernel],
  AdditiveAttention: stateAttention,
  AvgPool1d: [kernel, options({})],
  AvgPool2d: [kernel, options({})],
  BatchNorm1d: [size(2), options({})],
  BatchNorm2d: [size(2), options({})],
  BCEWithLogitsLoss: plainLoss,
  Blocks: [required({ format: 'q8_0', shape: [1, 32], data: new Uint8Array(34) })],
  Conv1D: [size(2), size(2), options({})],
  Conv1d: [size(2), size(2), kernel, options({})],
  Conv2d: [size(2), size(2), kernel, options({})],
  ConvTranspose1d: [size(2), size(2), kernel, options({})],
  ConvTranspose2d: [size(2), size(2), kernel, options({})],
  CrossCache: [{ value: [1, 1, 2, 2], wrong: [undefined, null, 3, [-1]] }],
  CrossEntropyLoss: [options({})],
  DotAttention: [size(2), options({})],
  Dropout: [{ value: 0.1, wrong: [null, 'x', 2, {}] }],
  ELU: [maybeNumber(1)],
  Embedding: [size(2), size(2), options({})],
  EncoderDecoderCache: [required({ ...cache, sourceLength: 2 })],
  Flatten: [
    { value: 1, wrong: [null, 'x', 1.5] },
    { value: -1, wrong: [null, 'x', 1.5] },
  ],
  GELU: [activation],
  GLU: [{ ...axis(0), wrong: [null, 'x', 1.5] }],
  GRU: cell,
  GRUCell: cell,
  GroupNorm: [size(1), size(2), options({})],
  HuberLoss: [options({})],
  InstanceNorm1d: [size(2), options({})],
  InstanceNorm2d: [size(2), options({})],
  KLDivLoss: plainLoss,
  KVCache: [required(cache)],
  L1Loss: plainLoss,
  LSTM: cell,
  LSTMCell: cell,
  LayerCache: [
    { value: new nn.KVCache(cache), wrong: [undefined, null, 3, {}] },
    { value: [1, 1, 2, 2], wrong: [undefined, null, 3, [-1]] },
  ],
  LayerNorm: [size(2), maybeNumber(1e-5), options({})],
  LeakyReLU: [maybeNumber(0.1)],
  Linear: [size(2), size(2), options({})],
  LogSoftmax: [{ ...axis(0), wrong: [null, 'x', 1.5] }],
  MLP: [required({ sizes: [1, 2] })],
  MLPAttention: stateAttention,
  MSELoss: plainLoss,
  MaxPool1d: [kernel, options({})],
  MaxPool2d: [kernel, options({})],
  MultiHeadAttention: [required({ embedDim: 4, heads: 2 })],
  NLLLoss: plainLoss,
  QuantizedEmbedding: [quantised],
  QuantizedLinear: [quantised, { value: null, wrong: [3, 'x', {}] }],
  RMSNorm: [size(2), maybeNumber(1e-5)],
  RNN: cell,
  RNNCell: cell,
  RelativeBias: [required({ heads: 1, buckets: 4, maxDistance: 8, bidirectional: true })],
  Rotary: [
    required({ headDim: 4, rope: { rope_type: 'default', rope_theta: 10 }, maxPositions: 4 }),
  ],
  Sequential: [module_],
  Sinusoidal: [required({ size: 4 })],
  SmoothL1Loss: [options({})],
  Softmax: [{ ...axis(0), wrong: [null, 'x', 1.5] }],
  StdConv2d: [size(2), size(2), kernel, options({})],
  TransformerEncoderLayer: [required({ embedDim: 4, heads: 2 })],
  TripletMarginLoss: [options({})],
}

/** Modules with a call of `forward`. */
const calls: [nn.Module, readonly Argument[]][] = [
  [model, [t(x)]],
  [new nn.Conv1D(4, 4), [t(x)]],
  [new nn.Embedding(4, 4), [t(ids)]],
  [new nn.LayerNorm(4), [t(x)]],
  [new nn.RMSNorm(4), [t(x)]],
  [new nn.Dropout(0.5), [t(x)]],
  [new nn.GroupNorm(1, 1), [t(image)]],
  [new nn.BatchNorm2d(1), [t(image)]],
  [new nn.Conv2d(1, 1, 2), [t(image)]],
  [new nn.Conv1d(1, 1, 2), [t(line)]],
  [new nn.ConvTranspose1d(1, 1, 2), [t(line)]],
  [new nn.ConvTranspose2d(1, 1, 2), [t(image)]],
  [new nn.MaxPool1d(2), [t(line)]],
  [new nn.MaxPool2d(2), [t(image)]],
  [new nn.AvgPool2d(2), [t(image)]],
  [new nn.AdaptiveAvgPool2d(2), [t(image)]],
  [new nn.LSTM(4, 2), [t(sequence), options({})]],
  [new nn.GRUCell(4, 2), [t(x)]],
  [new nn.MLP({ sizes: [4, 2] }), [t(x)]],
  [
    new nn.MultiHeadAttention({ embedDim: 4, heads: 2 }),
    [t(sequence), arg.maybeTensor(undefined), arg.maybeTensor(undefined), options({})],
  ],
  [new nn.TransformerEncoderLayer({ embedDim: 4, heads: 2 }), [t(sequence), options({})]],
  [new nn.Sinusoidal({ size: 4 }), [t(ids), size(4)]],
  [new nn.DotAttention(4), [t(sequence), t(sequence), options({})]],
  [new nn.AdditiveAttention(4, 4), [t(sequence), t(sequence), options({})]],
  [new nn.Sequential(model), [t(x)]],
  [new nn.ReLU(), [t(x)]],
  [new nn.Identity(), [t(x)]],
  [new nn.Flatten(), [t(x)]],
  [new nn.MSELoss(), [t(x), t(x)]],
  [new nn.CrossEntropyLoss(), [t(x), t(x)]],
]

const parameters = {
  value: [new heed.Parameter(x)],
  wrong: [undefined, null, 3, 'x', {}, [], [x], [3]],
}
const schedule = { value: () => 1, wrong: [undefined, null, 3, 'x', {}] }
const optimizer = new optim.AdamW(model.parameters())

/** Functions and classes of heed/optim. */
export const optimFunctions: Record<string, readonly Argument[]> = {
  clipGradNorm: [
    { value: withGradient(), wrong: [undefined, null, 3, [x]] },
    { value: 1, wrong: [undefined, null, 'x', -1] },
  ],
  constant: [options({})],
  cosine: [required({ steps: 2 })],
  createOptimizer: [
    { value: 'adamw', wrong: [undefined, null, 3, 'x'] },
    { value: [{ params: model.parameters(), weightDecay: 0 }], wrong: [undefined, null, 3] },
    { value: { lr: 1, weightDecay: 0, maxGradNorm: null }, wrong: [undefined, null, 3] },
  ],
  decayGroups: [module_, { value: 0.1, wrong: [undefined, null, 'x'] }],
  inverseSqrt: [options({})],
  linear: [required({ steps: 2 })],
  optimizerDefinition: [{ value: 'adamw', wrong: [undefined, null, 3, 'x'] }],
  registerOptimizer: [
    definition(
      {
        name: 'wrong-calls',
        about: '',
        options: optim.optimizerDefinition('sgd').options,
        defaults: { lr: 1 },
        tuningDefaults: {},
        create: () => optimizer,
      },
      { optional: ['defaults', 'tuningDefaults'] },
    ),
  ],
  zeroState: [t(x)],
}

export const optimConstructors: Record<string, readonly Argument[]> = {
  Adafactor: [parameters, options({})],
  Adam: [parameters, options({})],
  AdamW: [parameters, options({})],
  LRScheduler: [{ value: optimizer, wrong: [undefined, null, 3, {}] }, schedule],
  SGD: [parameters, options({})],
}

const methodsOf =
  (owner: object, name: string): Call =>
  (...args) =>
    callOf(owner, name).apply(owner, args)
const pairs = { value: model.namedParameters(), wrong: [undefined, null, 3] }

const methods: Sample[] = [
  {
    name: 'model.loadStateDict',
    call: methodsOf(model, 'loadStateDict'),
    args: [
      { value: model.stateDict(), wrong: [undefined, null, 3, 'x', {}, { weight: 3, bias: 3 }] },
      options({}),
    ],
  },
  {
    name: 'model.getModule',
    call: methodsOf(model, 'getModule'),
    args: [{ value: '', wrong: [undefined, null, 3, 'no such path'] }],
  },
  {
    name: 'model.hook',
    call: methodsOf(model, 'hook'),
    args: [{ value: '', wrong: [undefined, 3, 'no such path'] }, arg.function(() => {})],
  },
  { name: 'model.train', call: methodsOf(model, 'train'), args: [flag(true)] },
  {
    name: 'model.freeze',
    call: methodsOf(model, 'freeze'),
    args: [{ value: '', wrong: [null, 3, 'no such path'] }],
  },
  { name: 'optimizer.stateDict', call: methodsOf(optimizer, 'stateDict'), args: [pairs] },
  {
    name: 'optimizer.loadStateDict',
    call: methodsOf(optimizer, 'loadStateDict'),
    args: [
      {
        value: { step: 0, tensors: {} },
        wrong: [undefined, null, 3, {}, { step: -1, tensors: {} }],
      },
      pairs,
    ],
  },
  { name: 'optimizer.step', call: stepOf, args: [options({})] },
]

const init = Object.fromEntries(
  ['kaimingNormal', 'kaimingUniform', 'xavierNormal', 'xavierUniform'].map((name) => [
    name,
    [shape, maybeNumber(1)],
  ]),
)

export const samples: Sample[] = [
  ...Object.entries(functions).map(([name, args]) => ({
    name: `nn.${name}`,
    call: callOf(nn, name),
    args,
  })),
  ...Object.entries(constructors).map(([name, args]) => ({
    name: `nn.${name}`,
    call: makerOf(nn, name),
    args,
  })),
  ...calls.map(([layer, args]) => ({
    name: `${layer.constructor.name}.forward`,
    call: methodsOf(layer, 'forward'),
    args,
  })),
  ...Object.entries({
    ...init,
    normal: [arg.shape([2]), maybeNumber(1)],
    uniform: [arg.shape([2]), arg.number(0), arg.number(1)],
    truncNormal: [arg.shape([2]), maybeNumber(1)],
  }).map(([name, args]) => ({ name: `init.${name}`, call: callOf(nn.init, name), args })),
  ...Object.entries(optimFunctions).map(([name, args]) => ({
    name: `optim.${name}`,
    call: callOf(optim, name),
    args,
  })),
  ...Object.entries(optimConstructors).map(([name, args]) => ({
    name: `optim.${name}`,
    call: makerOf(optim, name),
    args,
  })),
  ...methods,
]

function callOf(owner: object, name: string): Call {
  return Reflect.get(owner, name) as Call
}

function makerOf(owner: object, name: string): Call {
  return make(Reflect.get(owner, name) as new () => unknown)
}

function withGradient(): heed.Parameter[] {
  const parameter = new heed.Parameter(x)
  parameter.sum().backward()
  return [parameter]
}

async function stepOf(...args: never[]): Promise<void> {
  const parameter = new heed.Parameter(x)
  parameter.sum().backward()
  await new optim.SGD([parameter]).step(...args)
}
