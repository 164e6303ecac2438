import type { DType } from '../../src/graph/dtype.ts'
import type { Addon } from '../../src/runtime/cpu/addon.ts'
import { encode } from '../../src/runtime/cpu/encode.ts'
import { collect, type NamedOperands } from '../../src/schedule/cost.ts'
import { emitted, type KernelArguments, type KernelName } from '../../src/schedule/kernel-call.ts'
import type { Expression, Operand } from '../../src/schedule/schedule.ts'
import { contiguous } from '../../src/schedule/strided.ts'

type Sample<K extends KernelName> = Omit<KernelArguments<K>, 'kernel'>

const [B, H, T, S, D, C] = [2, 4, 3, 5, 8, 6]

const scoreOptions = () => ({
  bias: f32(B, H, T, S),
  mask: of('bool', B, H, T, S),
  length: of('i32'),
  seed: of('u32', 1),
  draw: of('u32', 1),
})
const scores = { scale: 0.5, causal: true, dropout: 0.25 }

const plane = { stride: [2, 3], before: [1, 0], behind: [1, 1], dilation: [1, 2] }
const convolution = { ...plane, groups: 2 }
const pool = { kernel: [3, 2], ...plane }
const images = () => f32(B, 4, 7, 5)
const filters = () => f32(6, 2, 3, 2)
const places = () => f32(B, 6, 4, 2)

/** x0 + x1, then the index along axis 1, of which the sum is the result. */
const sum: Expression = {
  inputs: 2,
  steps: [
    { op: 'add', dtype: 'f32', from: 'f32', args: [0, 1] },
    { op: 'iota', dtype: 'i32', from: 'i32', args: [1] },
  ],
  results: [2],
}
const exponential: Expression = {
  inputs: 1,
  steps: [{ op: 'exp', dtype: 'f32', from: 'f32', args: [0] }],
  results: [1],
}

/** A well-formed call of every kernel. */
const samples: { [K in KernelName]: Sample<K> } = {
  elementwise: {
    inputs: { inputs: [f32(T, C), f32(T, C)] },
    outputs: { outputs: [f32(T, C)] },
    attributes: { program: sum },
  },
  reduce: {
    inputs: { inputs: [f32(T, S, C)] },
    outputs: { out: f32(T) },
    attributes: { reduction: 'sum', lanes: 'f32', kept: 1, program: exponential },
  },
  cumulative: {
    inputs: { x: f32(T, C) },
    outputs: { y: f32(T, C) },
    attributes: { operation: 'sum', axis: 1 },
  },
  sort: {
    inputs: { x: f32(T, C) },
    outputs: { values: f32(T, C), indices: of('i32', T, C) },
    attributes: { descending: true },
  },
  topk: {
    inputs: { x: f32(T, C) },
    outputs: { values: f32(T, 2), indices: of('i32', T, 2) },
    attributes: { k: 2, largest: true },
  },
  take: {
    inputs: { x: f32(T, C), index: of('i32', S, 2) },
    outputs: { out: f32(S, 2, C) },
    attributes: { axis: 0 },
  },
  scatterAdd: {
    inputs: { base: f32(T, C), index: of('i32', S, 2), source: f32(T, S, 2) },
    outputs: { out: f32(T, C) },
    attributes: { axis: 1 },
  },
  scatterSet: {
    inputs: { base: f32(T, C), index: of('i32', S), source: f32(S, C) },
    outputs: { out: f32(T, C) },
    attributes: { axis: 0 },
  },
  foldWindow: {
    inputs: { windows: f32(B, T, 2, 3, 2) },
    outputs: { out: f32(B, 7, 6) },
    attributes: { stride: [2, 1], dilation: [1, 3] },
  },
  copyAt: {
    inputs: { source: f32(T, 2), offset: of('i32') },
    outputs: { target: f32(T, C) },
    attributes: { axis: 1 },
  },
  sliceAt: {
    inputs: { x: f32(T, C), offset: of('i32') },
    outputs: { out: f32(2, C) },
    attributes: { axis: 0 },
  },
  matmul: {
    inputs: { a: f32(B, T, D), b: f32(B, D, C), bias: f32(B, T, C) },
    outputs: { out: f32(B, T, C) },
    attributes: {},
  },
  convolution: {
    inputs: { x: images(), w: filters() },
    outputs: { y: places() },
    attributes: convolution,
  },
  convolutionInput: {
    inputs: { dy: places(), w: filters() },
    outputs: { dx: images() },
    attributes: convolution,
  },
  convolutionWeight: {
    inputs: { x: images(), dy: places() },
    outputs: { dw: filters() },
    attributes: convolution,
  },
  maxPool: {
    inputs: { x: images() },
    outputs: { y: f32(B, 4, 4, 2), taps: of('i32', B, 4, 4, 2) },
    attributes: pool,
  },
  maxPoolBackward: {
    inputs: { taps: of('i32', B, 4, 4, 2), dy: f32(B, 4, 4, 2) },
    outputs: { dx: images() },
    attributes: pool,
  },
  matmulQuantized: {
    inputs: { x: f32(B, T, 64), w: of('u8', C, 36), bias: f32(C) },
    outputs: { out: f32(B, T, C) },
    attributes: { format: 'q4_0' },
  },
  matmulQuantizedInput: {
    inputs: { dy: f32(B, T, C), w: of('u8', C, 36) },
    outputs: { dx: f32(B, T, 64) },
    attributes: { format: 'q4_0' },
  },
  dequantize: {
    inputs: { blocks: of('u8', T, 68) },
    outputs: { out: f32(T, 64) },
    attributes: { format: 'q8_0' },
  },
  softmax: {
    inputs: { x: f32(T, C) },
    outputs: { y: f32(T, C) },
    attributes: { logarithm: false },
  },
  softmaxBackward: {
    inputs: { y: f32(T, C), dy: f32(T, C) },
    outputs: { dx: f32(T, C) },
    attributes: { logarithm: true },
  },
  layerNorm: {
    inputs: { x: f32(T, C), gamma: f32(C), beta: f32(C) },
    outputs: { y: f32(T, C), mean: f32(T), rstd: f32(T) },
    attributes: { eps: 1e-5 },
  },
  layerNormBackward: {
    inputs: { x: f32(T, C), gamma: f32(C), mean: f32(T), rstd: f32(T), dy: f32(T, C) },
    outputs: { dx: f32(T, C), dgamma: f32(C), dbeta: f32(C) },
    attributes: {},
  },
  rmsNorm: {
    inputs: { x: f32(T, C), gamma: f32(C) },
    outputs: { y: f32(T, C), rstd: f32(T) },
    attributes: { eps: 1e-5 },
  },
  rmsNormBackward: {
    inputs: { x: f32(T, C), gamma: f32(C), rstd: f32(T), dy: f32(T, C) },
    outputs: { dx: f32(T, C), dgamma: f32(C) },
    attributes: {},
  },
  channelNorm: {
    inputs: { x: f32(B, H, D), gamma: f32(H), beta: f32(H) },
    outputs: { y: f32(B, H, D), mean: f32(B, 2), variance: f32(B, 2) },
    attributes: { eps: 1e-5, groups: 2 },
  },
  channelNormBackward: {
    inputs: { x: f32(B, H, D), gamma: f32(H), mean: f32(H), variance: f32(H), dy: f32(B, H, D) },
    outputs: { dx: f32(B, H, D), dgamma: f32(H), dbeta: f32(H) },
    attributes: { eps: 1e-5, groups: 0 },
  },
  crossEntropy: {
    inputs: { logits: f32(T, C), target: of('i32', T) },
    outputs: { loss: f32(T), lse: f32(T) },
    attributes: { ignoreIndex: -100, labelSmoothing: 0.1 },
  },
  crossEntropyBackward: {
    inputs: { logits: f32(T, C), target: of('i32', T), lse: f32(T), dloss: f32(T) },
    outputs: { dlogits: f32(T, C) },
    attributes: { ignoreIndex: -100, labelSmoothing: 0.1 },
  },
  attention: {
    inputs: { q: f32(B, H, T, D), k: f32(B, 2, S, D), v: f32(B, 2, S, D), ...scoreOptions() },
    outputs: { out: f32(B, H, T, D), lse: f32(B, H, T) },
    attributes: scores,
  },
  attentionBackward: {
    inputs: {
      q: f32(B, H, T, D),
      k: f32(B, 2, S, D),
      v: f32(B, 2, S, D),
      out: f32(B, H, T, D),
      lse: f32(B, H, T),
      dout: f32(B, H, T, D),
      ...scoreOptions(),
    },
    outputs: {
      dq: f32(B, H, T, D),
      dk: f32(B, 2, S, D),
      dv: f32(B, 2, S, D),
      dbias: f32(B, H, T, S),
    },
    attributes: scores,
  },
  adamw: {
    inputs: {
      parameter: f32(T, C),
      gradient: f32(T, C),
      mean: f32(T, C),
      variance: f32(T, C),
      lr: f32(),
      beta1: f32(),
      beta2: f32(),
      eps: f32(),
      decay: f32(),
      correction1: f32(),
      correction2: f32(),
      gradScale: f32(),
    },
    outputs: { nextParameter: f32(T, C), nextMean: f32(T, C), nextVariance: f32(T, C) },
    attributes: {},
  },
  probe: {
    inputs: {},
    outputs: { memory: f32(T, C), out: f32(T) },
    attributes: { kind: 'multiplyAdd', times: 1 },
  },
}

/** A well-formed command of every kernel, by name: buffers from 2 on, one for each operand. */
export function sampleCommands(addon: Addon): Record<string, number[]> {
  const names = Object.keys(samples) as KernelName[]
  return Object.fromEntries(names.map((kernel) => [kernel, words(addon, sampleOf(kernel))]))
}

/** A call with operands in buffers of their own. */
export function sampleOf(kernel: KernelName): KernelArguments {
  let index = 0
  const placed = (operand: Operand): Operand => ({
    ...operand,
    buffer: { ...operand.buffer, index: index++ },
  })
  const { inputs, outputs, attributes } = samples[kernel]
  // The operands of a sample are those of its kernel, which TypeScript cannot follow through a union.
  return {
    kernel,
    inputs: mapped(inputs, placed),
    outputs: mapped(outputs, placed),
    attributes,
  } as KernelArguments
}

/** The words of one command. */
export function words(addon: Addon, call: KernelArguments): number[] {
  const numbers = (names: readonly string[]) => new Map(names.map((name, i) => [name, i]))
  return [
    ...encode(
      [emitted(call)],
      collect(call.inputs).length,
      numbers(addon.kernels),
      numbers(addon.microOps),
    ),
  ]
}

function mapped(operands: NamedOperands, change: (x: Operand) => Operand): NamedOperands {
  return Object.fromEntries(
    Object.entries(operands).map(([name, x]) => [
      name,
      x === null ? null : 'length' in x ? x.map(change) : change(x),
    ]),
  )
}

function of(dtype: DType, ...shape: number[]): Operand {
  const count = shape.reduce((n, size) => n * size, 1)
  return {
    buffer: { kind: 'leaf', index: 0, dtype, count, offset: 0 },
    dtype,
    ...contiguous(shape),
  }
}

function f32(...shape: number[]): Operand {
  return of('f32', ...shape)
}
