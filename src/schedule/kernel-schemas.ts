// The table of all kernels: inputs, outputs and attributes of each. The types of kernel calls, the encoding of programs
// and their costs are derived from it, and `npm run generate:kernels` writes it to kernels/cpp/kernel-schemas.h. The
// formula of a kernel is documented above its function in kernels/cpp.
import { attentionFlops, bytes, type Cost, moved, sizeOf, traffic } from './cost.ts'
import type { Operand } from './schedule.ts'
import {
  ANY_INPUT,
  adjacent,
  anyType,
  axisOf,
  bool,
  byAttribute,
  choice,
  f32,
  flag,
  format,
  fraction,
  i32,
  integer,
  integers,
  kernel,
  list,
  optional,
  overwrites,
  program,
  real,
  typeOf,
  u8,
  u32,
} from './schema.ts'

// Pairs are (y, x).
const places = { stride: integers(2, { min: 1 }), before: integers(2), behind: integers(2) }
const dilation = integers(2, { min: 1 })

const convolutions = { ...places, dilation, groups: integer(1) }
const windows = { kernel: integers(2, { min: 1, max: 1 << 15 }), ...places, dilation }

const losses = { ignoreIndex: integer(-(2 ** 31)), labelSmoothing: fraction }

/** `scale` multiplies the scores; `dropout` > 0 needs the inputs seed and draw. */
const scores = { scale: real, causal: flag, dropout: fraction }

const scoreOptions = {
  bias: optional(f32('B H T S')),
  mask: optional(bool('B H T S')),
  length: optional(i32('1')),
  seed: optional(u32('1')),
  draw: optional(u32('1'), 'seed'),
}

// One mean and variance for each channel if `groups` is 0, otherwise for each group of channels of each image.
const channelStatistics = byAttribute('groups', 'C', 'B groups')
const channelGroups = { eps: real, groups: integer(0, undefined, 'C') }

// The shape of source is that of base, with the axis replaced by the shape of index.
const scatter = kernel({
  inputs: { base: anyType('...'), index: i32('*'), source: typeOf('base', '*') },
  outputs: { out: overwrites(typeOf('base', '...'), 'base') },
  attributes: { axis: axisOf('base') },
  handChecked: true, // the shape of source
  cost: (call) => ({ ...traffic(call), written: bytes(call.inputs.source) }),
})

/** All kernels by name. Programs store a kernel's position in this table. */
export const kernelSchemas = {
  elementwise: kernel({
    inputs: { inputs: list(anyType('...')) },
    outputs: { outputs: overwrites(list(anyType('...')), ANY_INPUT) },
    attributes: { program },
    handChecked: true, // the program
  }),
  // The leading `kept` axes of the inputs are the axes of the output; `lanes` is the type in which values are combined.
  reduce: kernel({
    inputs: { inputs: list(anyType('...')) },
    outputs: { out: anyType('*') },
    attributes: {
      reduction: choice('sum', 'prod', 'amax', 'amin', 'argmax', 'argmin'),
      lanes: choice('f32', 'i32', 'u32'),
      kept: integer(0, 8),
      program,
    },
    handChecked: true, // the program, and the shape of out
  }),
  cumulative: kernel({
    inputs: { x: anyType('...') },
    outputs: { y: typeOf('x', '...') },
    attributes: { operation: choice('sum', 'prod', 'max'), axis: axisOf('x') },
  }),
  sort: kernel({
    inputs: { x: anyType('... N') },
    outputs: { values: typeOf('x', '... N'), indices: i32('... N') },
    attributes: { descending: flag },
  }),
  topk: kernel({
    inputs: { x: anyType('... N') },
    outputs: { values: typeOf('x', '... k'), indices: i32('... k') },
    attributes: { k: integer(0, 'N'), largest: flag },
  }),
  take: kernel({
    inputs: { x: anyType('*'), index: i32('*') },
    outputs: { out: typeOf('x', '*') },
    attributes: { axis: axisOf('x') },
    handChecked: true, // the shape of out
    cost: ({ inputs: { index }, outputs: { out } }) => moved(out, index), // only the rows that index names are read
  }),
  scatterAdd: scatter,
  scatterSet: scatter,
  foldWindow: kernel({
    inputs: { windows: anyType('*') },
    outputs: { out: typeOf('windows', '*') },
    attributes: {
      stride: integers('D', { longest: 4, min: 1 }),
      dilation: integers('D', { longest: 4, min: 1 }),
    },
    handChecked: true, // window arithmetic
  }),
  copyAt: kernel({
    inputs: { source: anyType('*'), offset: i32('1') },
    outputs: { target: typeOf('source', '*') }, // the rest of target is unchanged
    attributes: { axis: axisOf('target') },
    handChecked: true, // the shape of source
    cost: ({ inputs: { source } }) => moved(source),
  }),
  sliceAt: kernel({
    inputs: { x: anyType('*'), offset: i32('1') },
    outputs: { out: typeOf('x', '*') },
    attributes: { axis: axisOf('x') },
    handChecked: true, // the shape of out
    cost: ({ outputs: { out } }) => moved(out),
  }),
  matmul: kernel({
    inputs: { a: f32('... M K'), b: f32('... K N'), bias: optional(f32('... M N')) },
    outputs: { out: overwrites(f32('... M N'), 'bias') },
    cost: (call) => ({ ...traffic(call), flops: productFlops(call.inputs.a, call.outputs.out) }),
  }),
  convolution: kernel({
    inputs: { x: f32('B C H W'), w: f32('O I Y X') },
    outputs: { y: f32('B O P Q') },
    attributes: convolutions,
    handChecked: true, // window arithmetic
    cost: (call) => ({ ...traffic(call), flops: windowFlops(call.outputs.y, call.inputs.w) }),
  }),
  convolutionInput: kernel({
    inputs: { dy: f32('B O P Q'), w: f32('O I Y X') },
    outputs: { dx: f32('B C H W') },
    attributes: convolutions,
    handChecked: true, // window arithmetic
    cost: (call) => ({ ...traffic(call), flops: windowFlops(call.inputs.dy, call.inputs.w) }),
  }),
  convolutionWeight: kernel({
    inputs: { x: f32('B C H W'), dy: f32('B O P Q') },
    outputs: { dw: f32('O I Y X') },
    attributes: convolutions,
    handChecked: true, // window arithmetic
    cost: (call) => ({ ...traffic(call), flops: windowFlops(call.inputs.dy, call.outputs.dw) }),
  }),
  maxPool: kernel({
    inputs: { x: f32('B C H W') },
    outputs: { y: f32('B C P Q'), taps: i32('B C P Q') },
    attributes: windows,
    handChecked: true, // window arithmetic
  }),
  maxPoolBackward: kernel({
    inputs: { taps: i32('B C P Q'), dy: f32('B C P Q') },
    outputs: { dx: f32('B C H W') },
    attributes: windows,
    handChecked: true, // window arithmetic
  }),
  matmulQuantized: kernel({
    inputs: { x: f32('... K'), w: adjacent(u8('N bytes')), bias: optional(f32('N')) },
    outputs: { out: f32('... N') },
    attributes: { format },
    handChecked: true, // block sizes
    cost: (call) => ({ ...traffic(call), flops: productFlops(call.inputs.x, call.outputs.out) }),
  }),
  matmulQuantizedInput: kernel({
    inputs: { dy: f32('... N'), w: adjacent(u8('N bytes')) },
    outputs: { dx: f32('... K') },
    attributes: { format },
    handChecked: true, // block sizes
    cost: (call) => ({ ...traffic(call), flops: productFlops(call.inputs.dy, call.outputs.dx) }),
  }),
  dequantize: kernel({
    inputs: { blocks: u8('... bytes') },
    outputs: { out: f32('... N') },
    attributes: { format },
    handChecked: true, // block sizes
  }),
  softmax: kernel({
    inputs: { x: f32('... C') },
    outputs: { y: f32('... C') },
    attributes: { logarithm: flag },
  }),
  softmaxBackward: kernel({
    inputs: { y: f32('... C'), dy: f32('... C') },
    outputs: { dx: f32('... C') },
    attributes: { logarithm: flag },
  }),
  layerNorm: kernel({
    inputs: { x: f32('... C'), gamma: f32('C'), beta: f32('C') },
    outputs: { y: f32('... C'), mean: f32('...'), rstd: f32('...') },
    attributes: { eps: real },
  }),
  layerNormBackward: kernel({
    inputs: {
      x: f32('... C'),
      gamma: f32('C'),
      mean: f32('...'),
      rstd: f32('...'),
      dy: f32('... C'),
    },
    outputs: { dx: f32('... C'), dgamma: f32('C'), dbeta: f32('C') },
  }),
  rmsNorm: kernel({
    inputs: { x: f32('... C'), gamma: f32('C') },
    outputs: { y: f32('... C'), rstd: f32('...') },
    attributes: { eps: real },
  }),
  rmsNormBackward: kernel({
    inputs: { x: f32('... C'), gamma: f32('C'), rstd: f32('...'), dy: f32('... C') },
    outputs: { dx: f32('... C'), dgamma: f32('C') },
  }),
  channelNorm: kernel({
    inputs: { x: f32('B C P'), gamma: f32('C'), beta: f32('C') },
    outputs: { y: f32('B C P'), mean: f32(channelStatistics), variance: f32(channelStatistics) },
    attributes: channelGroups,
  }),
  channelNormBackward: kernel({
    inputs: {
      x: f32('B C P'),
      gamma: f32('C'),
      mean: f32(channelStatistics),
      variance: f32(channelStatistics),
      dy: f32('B C P'),
    },
    outputs: { dx: f32('B C P'), dgamma: f32('C'), dbeta: f32('C') },
    attributes: channelGroups,
  }),
  crossEntropy: kernel({
    inputs: { logits: f32('N V'), target: i32('N') },
    outputs: { loss: f32('N'), lse: f32('N') },
    attributes: losses,
  }),
  crossEntropyBackward: kernel({
    inputs: { logits: f32('N V'), target: i32('N'), lse: f32('N'), dloss: f32('N') },
    outputs: { dlogits: overwrites(f32('N V'), 'logits') },
    attributes: losses,
  }),
  attention: kernel({
    inputs: { q: f32('B H T D'), k: f32('B G S D'), v: f32('B G S E'), ...scoreOptions },
    outputs: { out: f32('B H T E'), lse: f32('B H T') },
    attributes: scores,
    handChecked: true, // head multiples
    cost: (call) => attentionCost(call, 'attention'),
  }),
  attentionBackward: kernel({
    inputs: {
      q: f32('B H T D'),
      k: f32('B G S D'),
      v: f32('B G S E'),
      out: f32('B H T E'),
      lse: f32('B H T'),
      dout: f32('B H T E'),
      ...scoreOptions,
    },
    outputs: {
      dq: f32('B H T D'),
      dk: f32('B G S D'),
      dv: f32('B G S E'),
      dbias: optional(f32('B H T S'), 'bias'),
    },
    attributes: scores,
    handChecked: true, // head multiples
    cost: (call) => attentionCost(call, 'attentionBackward'),
  }),
  adamw: kernel({
    inputs: {
      parameter: f32('...'),
      gradient: f32('...'),
      mean: f32('...'),
      variance: f32('...'),
      lr: f32('1'),
      beta1: f32('1'),
      beta2: f32('1'),
      eps: f32('1'),
      decay: f32('1'),
      correction1: f32('1'),
      correction2: f32('1'),
      gradScale: f32('1'),
    },
    outputs: {
      nextParameter: overwrites(f32('...'), ANY_INPUT),
      nextMean: overwrites(f32('...'), ANY_INPUT),
      nextVariance: overwrites(f32('...'), ANY_INPUT),
    },
  }),
  // One element of `out` for each task. `memory` is read, or read and written, as `kind` says.
  probe: kernel({
    inputs: {},
    outputs: { memory: adjacent(f32('*'), 2), out: f32('N') },
    attributes: { kind: choice('multiplyAdd', 'read', 'readWrite'), times: integer(1, 1 << 30) },
  }),
} as const

/** Operations of a matrix product a (…, K) · b -> out. */
const productFlops = (a: Operand, out: Operand): number => 2 * sizeOf(out) * (a.shape.at(-1) ?? 1)

/** Operations of a convolution: each result (or its gradient) is multiplied by all weights of one filter. */
const windowFlops = (results: Operand, weights: Operand): number =>
  2 * sizeOf(results) * weights.shape.slice(1).reduce((n, size) => n * size, 1)

type AttentionCall = Parameters<typeof traffic>[0] & {
  inputs: { q: Operand; k: Operand; v: Operand; length: Operand | null }
  attributes: { causal: boolean }
}

/** Null if a length is given: the used part of a cache is known only at run time. */
function attentionCost(call: AttentionCall, pass: 'attention' | 'attentionBackward'): Cost | null {
  const { q, k, v, length } = call.inputs
  if (length) return null
  const flops = attentionFlops([q.shape, k.shape, v.shape], call.attributes.causal)
  return { ...traffic(call), flops: flops[pass] }
}
