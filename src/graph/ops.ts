// The closed list of operations, with the structure that each carries. Every concern (shapes,
// gradients, decompositions, devices) is one total table over these names, so that an operation
// which somebody forgot is a compile error.
import type { BlockFormat } from '../util/block-formats.ts'
import type { DType } from './dtype.ts'
import type { Shape } from './shape.ts'

type None = Record<never, never>
type Axis = { axis: number }
type Reduce = { axes: readonly number[] } // the reduced axes disappear; sugar puts them back
type Blocks = { format: BlockFormat }
type Window = { kernel: readonly number[]; stride: readonly number[]; dilation: readonly number[] }

export interface UnaryOps {
  neg: None
  abs: None
  sign: None
  exp: None
  log: None
  log1p: None
  expm1: None
  sqrt: None
  rsqrt: None
  recip: None
  sin: None
  cos: None
  tanh: None
  erf: None
  sigmoid: None
  floor: None
  ceil: None
  round: None
  trunc: None
  not: None // of bool: logical; of integers: bitwise
}

export interface BinaryOps {
  add: None
  sub: None
  mul: None
  div: None // of integers: floored
  pow: None
  mod: None // sign of the divisor
  maximum: None
  minimum: None
  eq: None
  ne: None
  lt: None
  le: None
  and: None
  or: None
  xor: None
  shl: None
  shr: None
}

/** Element by element over broadcast inputs. */
export interface ElementwiseOps extends UnaryOps, BinaryOps {
  where: None // condition, yes, no
  cast: { dtype: DType }
  bitcast: { dtype: DType }
}

/** Values that need no memory: a kernel computes them where it needs them. */
export interface GeneratorOps {
  scalar: { dtype: DType } // a number that enters at run time; the value is the node's, not structure
  constant: { dtype: DType; value: number } // 0 or ±1, part of the structure
  iota: { shape: Shape; axis: number } // i32: the index along `axis`
  random: { shape: Shape } // u32 bits; inputs: seed, draw (Threefry 2x32-20)
}

/** The same memory, looked at otherwise. */
export interface ViewOps {
  reshape: { shape: Shape }
  permute: { order: readonly number[] }
  expand: { shape: Shape }
  slice: { starts: readonly number[]; sizes: readonly number[]; steps: readonly number[] }
  flip: { axes: readonly number[] }
  window: Window // (..., L1..Ld) -> (..., P1..Pd, K1..Kd)
}

export interface ReduceOps {
  sum: Reduce
  prod: Reduce
  amax: Reduce
  amin: Reduce
  argmax: Reduce // i32: linear index in the reduced axes, the first of equals
  argmin: Reduce
}

export interface KernelOps {
  cumsum: Axis
  cumprod: Axis
  cummax: Axis
  matmul: None // (..., M, K) x (..., K, N), batch dimensions equal or 1
  concat: Axis
  pad: { before: readonly number[]; after: readonly number[] } // with zeros
  foldWindow: Window & { size: readonly number[] } // the transpose of window
  take: Axis // x, index: x[:axis] + index.shape + x[axis+1:]
  scatterAdd: Axis // base, index, source (shaped as take's output)
  scatterSet: Axis
  sliceAt: Axis & { size: number } // x, offset (i32, at run time)
  updateAt: Axis // x, source, offset: x with source written over it
  sort: Axis & { descending: boolean } // -> values, indices
  topk: Axis & { k: number; largest: boolean } // -> values, indices
  dequantize: Blocks // u8 (..., bytes) -> f32 (..., numbers)
}

export interface ControlOps {
  buffer: { shape: Shape; dtype: DType } // a leaf: memory of a device at one version
  pick: { index: number } // one output of a node that has several
  assign: None // target, value -> the target's next version
  assignAt: Axis // target, value, offset: writes a part
  stopGradient: None
  barrier: None // x, ...after: neither merged with its twin nor computed before `after`
  customVjp: None // outputs' value, ...inputs of its own gradient rule
  hostCall: { shape: Shape; dtype: DType } // a JavaScript function between two halves of a program
}

/** Of images (B, C, H, W) and weights (O, C / groups, Kh, Kw). Pairs are (y, x). */
export interface ConvolutionAttrs {
  stride: readonly number[]
  /** Zeros before the first row and column, and behind the last. */
  before: readonly number[]
  behind: readonly number[]
  dilation: readonly number[]
  groups: number
}

/** Of images (B, C, H, W). Pairs are (y, x). */
export interface PoolAttrs extends Window {
  /** Places of -infinity before the first row and column, and behind the last. */
  before: readonly number[]
  behind: readonly number[]
}

/** One node each, with a decomposition into the operations above; a device may run them whole. */
export interface CompositeOps {
  gelu: { tanh: boolean }
  geluBackward: { tanh: boolean } // x, dy
  silu: None
  siluBackward: None // x, dy
  softmax: None // over the last axis
  softmaxBackward: None // y, dy
  logSoftmax: None
  logSoftmaxBackward: None // y, dy
  layerNorm: { eps: number } // x, gamma, beta -> y, mean, rstd
  layerNormBackward: None // x, gamma, mean, rstd, dy -> dx, dgamma, dbeta
  rmsNorm: { eps: number } // x, gamma -> y, rstd
  rmsNormBackward: None // x, gamma, rstd, dy -> dx, dgamma
  channelNorm: ChannelNormAttrs // x (B, C, P), gamma, beta -> y, mean, variance
  channelNormBackward: ChannelNormAttrs // x, gamma, mean, variance, dy -> dx, dgamma, dbeta
  crossEntropy: CrossEntropyAttrs // logits (N, V), target (N) -> loss (N), lse (N)
  crossEntropyBackward: CrossEntropyAttrs // logits, target, lse, dloss -> dlogits
  attention: AttentionAttrs // q, k, v, [bias], [mask], [length], [seed, draw] -> out, lse
  attentionBackward: AttentionAttrs // q, k, v, out, lse, dout, options -> dq, dk, dv, [dbias]
  dropout: { p: number } // x, seed, draw
  convolution: ConvolutionAttrs // x, w -> y (B, O, Ph, Pw)
  convolutionInput: ConvolutionAttrs & { size: readonly number[] } // dy, w -> dx
  convolutionWeight: ConvolutionAttrs & { kernel: readonly number[] } // x, dy -> dw
  maxPool: PoolAttrs // x -> y, taps (i32: which place of its window)
  maxPoolBackward: PoolAttrs & { size: readonly number[] } // taps, dy -> dx
  matmulQuantized: Blocks // x (..., M, K), w u8 (N, bytes of K numbers) -> x·wᵀ (..., M, N)
  adamw: None // p, g, m, v, lr, beta1, beta2, eps, decay, correction1, correction2, scale -> p, m, v
}

export interface ChannelNormAttrs {
  eps: number
  /** Of the channels of each image (mean and variance are (B, groups)); 0: each channel over the batch (C). */
  groups: number
}

export interface CrossEntropyAttrs {
  ignoreIndex: number
  labelSmoothing: number
}

export interface AttentionAttrs {
  scale: number
  causal: boolean
  /** Which of the optional inputs follow, in this order. */
  bias: boolean
  mask: boolean
  length: boolean
  dropout: number
}

export interface PrimitiveOps
  extends ElementwiseOps,
    GeneratorOps,
    ViewOps,
    ReduceOps,
    KernelOps,
    ControlOps {}

export interface OpAttrs extends PrimitiveOps, CompositeOps {}

export type Elementwise = keyof ElementwiseOps
export type Unary = keyof UnaryOps
export type Binary = keyof BinaryOps
export type Generator = keyof GeneratorOps
export type View = keyof ViewOps
export type Reduction = keyof ReduceOps
export type Primitive = keyof PrimitiveOps
export type Composite = keyof CompositeOps
export type Op = keyof OpAttrs

const set = <K extends string>(all: Record<K, true>): ReadonlySet<string> =>
  new Set(Object.keys(all))

// Written as records so that the compiler checks that each list is complete.
const unaryOps = set<Unary>({
  neg: true,
  abs: true,
  sign: true,
  exp: true,
  log: true,
  log1p: true,
  expm1: true,
  sqrt: true,
  rsqrt: true,
  recip: true,
  sin: true,
  cos: true,
  tanh: true,
  erf: true,
  sigmoid: true,
  floor: true,
  ceil: true,
  round: true,
  trunc: true,
  not: true,
})
const binaryOps = set<Binary>({
  add: true,
  sub: true,
  mul: true,
  div: true,
  pow: true,
  mod: true,
  maximum: true,
  minimum: true,
  eq: true,
  ne: true,
  lt: true,
  le: true,
  and: true,
  or: true,
  xor: true,
  shl: true,
  shr: true,
})
export const elementwiseOps: ReadonlySet<string> = new Set([
  ...unaryOps,
  ...binaryOps,
  'where',
  'cast',
  'bitcast',
])
export const viewOps = set<View>({
  reshape: true,
  permute: true,
  expand: true,
  slice: true,
  flip: true,
  window: true,
})
export const reduceOps = set<Reduction>({
  sum: true,
  prod: true,
  amax: true,
  amin: true,
  argmax: true,
  argmin: true,
})
export const compositeOps = set<Composite>({
  gelu: true,
  geluBackward: true,
  silu: true,
  siluBackward: true,
  softmax: true,
  softmaxBackward: true,
  logSoftmax: true,
  logSoftmaxBackward: true,
  layerNorm: true,
  layerNormBackward: true,
  rmsNorm: true,
  rmsNormBackward: true,
  channelNorm: true,
  channelNormBackward: true,
  crossEntropy: true,
  crossEntropyBackward: true,
  attention: true,
  attentionBackward: true,
  dropout: true,
  convolution: true,
  convolutionInput: true,
  convolutionWeight: true,
  maxPool: true,
  maxPoolBackward: true,
  matmulQuantized: true,
  adamw: true,
})
