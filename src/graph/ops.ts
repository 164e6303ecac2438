// The closed list of operations and their attributes. Every concern (shapes, gradients,
// decompositions, devices) is one total table over these names: a missing entry does not compile.
// Groups whose names are needed at run time are objects; the others are types.
import type { BlockFormat } from '../util/block-formats.ts'
import type { DType } from './dtype.ts'
import type { Shape } from './shape.ts'

type None = Record<never, never>
type Axis = { axis: number }
type Reduce = { axes: readonly number[] } // the reduced axes are dropped; `build.ts` restores them for keepdim
type Blocks = { format: BlockFormat }
type Window = { kernel: readonly number[]; stride: readonly number[]; dilation: readonly number[] }

/** Declares the attributes of an operation. They exist as a type only; code reads just the keys of the tables. */
const attrs = <Attrs>(): Attrs => undefined as never
const none = attrs<None>()

const unaryOps = {
  neg: none,
  abs: none,
  sign: none,
  exp: none,
  log: none,
  log1p: none,
  expm1: none,
  sqrt: none,
  rsqrt: none,
  recip: none,
  sin: none,
  cos: none,
  tanh: none,
  erf: none,
  sigmoid: none,
  floor: none,
  ceil: none,
  round: none,
  trunc: none,
  not: none, // logical for bool, bitwise for integers
}

const binaryOps = {
  add: none,
  sub: none,
  mul: none,
  div: none, // rounds down for integers
  pow: none,
  mod: none, // the result has the sign of the divisor
  maximum: none,
  minimum: none,
  eq: none,
  ne: none,
  lt: none,
  le: none,
  and: none,
  or: none,
  xor: none,
  shl: none,
  shr: none,
}

/** Element-wise operations on broadcast inputs. */
const elementwise = {
  ...unaryOps,
  ...binaryOps,
  where: none, // condition, yes, no
  cast: attrs<{ dtype: DType }>(),
  bitcast: attrs<{ dtype: DType }>(),
}

/** Values that need no memory: each kernel that reads them computes them. */
export interface GeneratorOps {
  scalar: { dtype: DType } // a run-time number; its value is a field of the node, not part of the structure
  constant: { dtype: DType; value: number } // 0 or ±1, part of the structure
  iota: { shape: Shape; axis: number } // i32: the index along `axis`
  random: { shape: Shape } // u32 bits; inputs: seed, draw (Threefry 2x32-20)
}

/** Operations that return the same memory with another shape, order or strides. */
const views = {
  reshape: attrs<{ shape: Shape }>(),
  permute: attrs<{ order: readonly number[] }>(),
  expand: attrs<{ shape: Shape }>(),
  slice: attrs<{ starts: readonly number[]; sizes: readonly number[]; steps: readonly number[] }>(),
  flip: attrs<{ axes: readonly number[] }>(),
  window: attrs<Window>(), // (..., L1..Ld) -> (..., P1..Pd, K1..Kd)
}

const reductions = {
  sum: attrs<Reduce>(),
  prod: attrs<Reduce>(),
  amax: attrs<Reduce>(),
  amin: attrs<Reduce>(),
  argmax: attrs<Reduce>(), // i32: linear index in the reduced axes; ties give the first
  argmin: attrs<Reduce>(),
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
  scatterAdd: Axis // base, index, source (with the shape of take's output)
  scatterSet: Axis
  sliceAt: Axis & { size: number } // x, offset (i32, at run time)
  updateAt: Axis // x, source, offset: x with source written at the offset
  sort: Axis & { descending: boolean } // -> values, indices
  topk: Axis & { k: number; largest: boolean } // -> values, indices
  dequantize: Blocks // u8 (..., bytes) -> f32 (..., numbers)
}

export interface ControlOps {
  buffer: { shape: Shape; dtype: DType } // a leaf: memory of a device at one version
  pick: { index: number } // selects one output of a node with several outputs
  assign: None // target, value -> the target's next version
  assignAt: Axis // target, value, offset: writes a part of the target
  stopGradient: None
  barrier: None // x, ...after: returns x; never merged with an equal node, nor computed before `after`
  customVjp: None // value, ...inputs of the node's own gradient rule
  hostCall: { shape: Shape; dtype: DType } // a JavaScript function between two halves of a program
}

/** Attributes of a convolution of images (B, C, H, W) with weights (O, C / groups, Kh, Kw). Pairs are (y, x). */
export interface ConvolutionAttrs {
  stride: readonly number[]
  /** Number of zeros before the first row and column, and after the last (`behind`). */
  before: readonly number[]
  behind: readonly number[]
  dilation: readonly number[]
  groups: number
}

/** Attributes of pooling over images (B, C, H, W). Pairs are (y, x). */
export interface PoolAttrs extends Window {
  /** Number of -infinity values before the first row and column, and after the last (`behind`). */
  before: readonly number[]
  behind: readonly number[]
}

/** Composites: one node each, defined by a decomposition into the operations above. A device may run them whole. */
const composites = {
  gelu: attrs<{ tanh: boolean }>(),
  geluBackward: attrs<{ tanh: boolean }>(), // x, dy
  silu: none,
  siluBackward: none, // x, dy
  softmax: none, // over the last axis
  softmaxBackward: none, // y, dy
  logSoftmax: none,
  logSoftmaxBackward: none, // y, dy
  layerNorm: attrs<{ eps: number }>(), // x, gamma, beta -> y, mean, rstd
  layerNormBackward: none, // x, gamma, mean, rstd, dy -> dx, dgamma, dbeta
  rmsNorm: attrs<{ eps: number }>(), // x, gamma -> y, rstd
  rmsNormBackward: none, // x, gamma, rstd, dy -> dx, dgamma
  channelNorm: attrs<ChannelNormAttrs>(), // x (B, C, P), gamma, beta -> y, mean, variance
  channelNormBackward: attrs<ChannelNormAttrs>(), // x, gamma, mean, variance, dy -> dx, dgamma, dbeta
  crossEntropy: attrs<CrossEntropyAttrs>(), // logits (N, V), target (N) -> loss (N), lse (N)
  crossEntropyBackward: attrs<CrossEntropyAttrs>(), // logits, target, lse, dloss -> dlogits
  linearCrossEntropy: attrs<LinearCrossEntropyAttrs>(), // states (N, C), w (V, C) or blocks, target (N), share (N) -> loss, dstates, [dw]
  attention: attrs<AttentionAttrs>(), // q, k, v, [bias], [mask], [length], [seed, draw] -> out, lse
  attentionBackward: attrs<AttentionAttrs>(), // q, k, v, out, lse, dout, options -> dq, dk, dv, [dbias]
  dropout: attrs<{ p: number }>(), // x, seed, draw
  convolution: attrs<ConvolutionAttrs>(), // x, w -> y (B, O, Ph, Pw)
  convolutionInput: attrs<ConvolutionAttrs & { size: readonly number[] }>(), // dy, w -> dx
  convolutionWeight: attrs<ConvolutionAttrs & { kernel: readonly number[] }>(), // x, dy -> dw
  maxPool: attrs<PoolAttrs>(), // x -> y, taps (i32: position of the maximum in its window)
  maxPoolBackward: attrs<PoolAttrs & { size: readonly number[] }>(), // taps, dy -> dx
  matmulQuantized: attrs<Blocks>(), // x (..., M, K), w u8 (N, bytes of K numbers) -> x·wᵀ (..., M, N)
  matmulQuantizedInput: attrs<Blocks>(), // dy (..., M, N), w u8 (N, bytes of K numbers) -> dy·w (..., M, K)
  adamw: none, // p, g, m, v, lr, beta1, beta2, eps, decay, correction1, correction2, scale -> p, m, v
}

export interface ChannelNormAttrs {
  eps: number
  /**
   * Number of channel groups, normalised within each image (mean and variance have shape (B, groups)).
   * 0 normalises each channel over the batch instead (shape (C)).
   */
  groups: number
}

export interface CrossEntropyAttrs {
  ignoreIndex: number
  labelSmoothing: number
}

/**
 * The loss Σ share·crossEntropy(states·wᵀ, target), and its gradients with respect to states and weights that are not
 * quantised.
 */
export interface LinearCrossEntropyAttrs extends CrossEntropyAttrs {
  /** Block format of the weights; null for numbers. */
  format: BlockFormat | null
  /** Number of states whose logits are in memory at a time. */
  rows: number
}

export interface AttentionAttrs {
  scale: number
  causal: boolean
  /** Which optional inputs are given. They follow v in this order. */
  bias: boolean
  mask: boolean
  length: boolean
  dropout: number
}

export type ElementwiseOps = typeof elementwise
export type ViewOps = typeof views
export type ReduceOps = typeof reductions
export type CompositeOps = typeof composites

export interface PrimitiveOps
  extends ElementwiseOps,
    GeneratorOps,
    ViewOps,
    ReduceOps,
    KernelOps,
    ControlOps {}

/** The attributes of each operation. */
export interface OpAttrs extends PrimitiveOps, CompositeOps {}

export type Elementwise = keyof ElementwiseOps
export type Unary = keyof typeof unaryOps
export type Binary = keyof typeof binaryOps
export type Generator = keyof GeneratorOps
export type View = keyof ViewOps
export type Reduction = keyof ReduceOps
export type Primitive = keyof PrimitiveOps
/**
 * Name of an operation that decomposes into primitives, such as `softmax` or `attention`.
 * @useDeclaredType
 */
export type Composite = keyof CompositeOps
export type Op = keyof OpAttrs

const namesOf = (group: object): ReadonlySet<string> => new Set(Object.keys(group))

export const elementwiseOps = namesOf(elementwise)
export const viewOps = namesOf(views)
export const reduceOps = namesOf(reductions)
export const compositeOps = namesOf(composites)
