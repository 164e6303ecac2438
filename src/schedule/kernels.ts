// Operations with their own kernel, and the names of its operands and attributes.
import type { Node } from '../graph/node.ts'
import type {
  AttentionAttrs,
  ChannelNormAttrs,
  Composite,
  ConvolutionAttrs,
  KernelOps,
  Op,
  OpAttrs,
  PoolAttrs,
} from '../graph/ops.ts'
import type { KernelArguments } from './kernel-call.ts'
import type { Operand } from './schedule.ts'

/** Maps the inputs and outputs of a node, in the order of graph/ops.ts, to a kernel call. */
type Rule<O extends Op> = (
  inputs: readonly Operand[],
  outputs: readonly Operand[],
  attrs: OpAttrs[O],
) => KernelArguments

/** Without the operations for which the emitter makes the kernel calls itself. */
type Primitives = Exclude<keyof KernelOps, 'matmul' | 'concat' | 'pad' | 'updateAt'>

const primitives: { [O in Primitives]: Rule<O> } = {
  cumsum: ([x], [y], { axis }) => cumulative('sum', x, y, axis),
  cumprod: ([x], [y], { axis }) => cumulative('prod', x, y, axis),
  cummax: ([x], [y], { axis }) => cumulative('max', x, y, axis),
  foldWindow: ([windows], [out], { stride, dilation }) => ({
    kernel: 'foldWindow',
    inputs: { windows },
    outputs: { out },
    attributes: { stride, dilation },
  }),
  take: ([x, index], [out], { axis }) => ({
    kernel: 'take',
    inputs: { x, index },
    outputs: { out },
    attributes: { axis },
  }),
  scatterAdd: ([base, index, source], [out], { axis }) => ({
    kernel: 'scatterAdd',
    inputs: { base, index, source },
    outputs: { out },
    attributes: { axis },
  }),
  scatterSet: ([base, index, source], [out], { axis }) => ({
    kernel: 'scatterSet',
    inputs: { base, index, source },
    outputs: { out },
    attributes: { axis },
  }),
  sliceAt: ([x, offset], [out], { axis }) => ({
    kernel: 'sliceAt',
    inputs: { x, offset },
    outputs: { out },
    attributes: { axis },
  }),
  sort: ([x], [values, indices], { descending }) => ({
    kernel: 'sort',
    inputs: { x },
    outputs: { values, indices },
    attributes: { descending },
  }),
  topk: ([x], [values, indices], { k, largest }) => ({
    kernel: 'topk',
    inputs: { x },
    outputs: { values, indices },
    attributes: { k, largest },
  }),
  dequantize: ([blocks], [out], { format }) => ({
    kernel: 'dequantize',
    inputs: { blocks },
    outputs: { out },
    attributes: { format },
  }),
}

/** Composites that a device may run whole. All others are decomposed before scheduling. */
const composites = {
  softmax: ([x], [y]) => softmax(x, y, false),
  softmaxBackward: ([y, dy], [dx]) => softmaxBackward(y, dy, dx, false),
  logSoftmax: ([x], [y]) => softmax(x, y, true),
  logSoftmaxBackward: ([y, dy], [dx]) => softmaxBackward(y, dy, dx, true),
  layerNorm: ([x, gamma, beta], [y, mean, rstd], { eps }) => ({
    kernel: 'layerNorm',
    inputs: { x, gamma, beta },
    outputs: { y, mean, rstd },
    attributes: { eps },
  }),
  layerNormBackward: ([x, gamma, mean, rstd, dy], [dx, dgamma, dbeta]) => ({
    kernel: 'layerNormBackward',
    inputs: { x, gamma, mean, rstd, dy },
    outputs: { dx, dgamma, dbeta },
    attributes: {},
  }),
  rmsNorm: ([x, gamma], [y, rstd], { eps }) => ({
    kernel: 'rmsNorm',
    inputs: { x, gamma },
    outputs: { y, rstd },
    attributes: { eps },
  }),
  rmsNormBackward: ([x, gamma, rstd, dy], [dx, dgamma]) => ({
    kernel: 'rmsNormBackward',
    inputs: { x, gamma, rstd, dy },
    outputs: { dx, dgamma },
    attributes: {},
  }),
  channelNorm: ([x, gamma, beta], [y, mean, variance], { eps, groups }: ChannelNormAttrs) => ({
    kernel: 'channelNorm',
    inputs: { x, gamma, beta },
    outputs: { y, mean, variance },
    attributes: { eps, groups },
  }),
  channelNormBackward: (
    [x, gamma, mean, variance, dy],
    [dx, dgamma, dbeta],
    { eps, groups }: ChannelNormAttrs,
  ) => ({
    kernel: 'channelNormBackward',
    inputs: { x, gamma, mean, variance, dy },
    outputs: { dx, dgamma, dbeta },
    attributes: { eps, groups },
  }),
  crossEntropy: ([logits, target], [loss, lse], { ignoreIndex, labelSmoothing }) => ({
    kernel: 'crossEntropy',
    inputs: { logits, target },
    outputs: { loss, lse },
    attributes: { ignoreIndex, labelSmoothing },
  }),
  crossEntropyBackward: (
    [logits, target, lse, dloss],
    [dlogits],
    { ignoreIndex, labelSmoothing },
  ) => ({
    kernel: 'crossEntropyBackward',
    inputs: { logits, target, lse, dloss },
    outputs: { dlogits },
    attributes: { ignoreIndex, labelSmoothing },
  }),
  attention: ([q, k, v, ...options], [out, lse], attrs) => ({
    kernel: 'attention',
    inputs: { q, k, v, ...scoreOptions(options, attrs) },
    outputs: { out, lse },
    attributes: scores(attrs),
  }),
  attentionBackward: ([q, k, v, out, lse, dout, ...options], [dq, dk, dv, dbias], attrs) => ({
    kernel: 'attentionBackward',
    inputs: { q, k, v, out, lse, dout, ...scoreOptions(options, attrs) },
    outputs: { dq, dk, dv, dbias: dbias ?? null },
    attributes: scores(attrs),
  }),
  convolution: ([x, w], [y], attrs) => ({
    kernel: 'convolution',
    inputs: { x, w },
    outputs: { y },
    attributes: convolution(attrs),
  }),
  convolutionInput: ([dy, w], [dx], attrs) => ({
    kernel: 'convolutionInput',
    inputs: { dy, w },
    outputs: { dx },
    attributes: convolution(attrs),
  }),
  convolutionWeight: ([x, dy], [dw], attrs) => ({
    kernel: 'convolutionWeight',
    inputs: { x, dy },
    outputs: { dw },
    attributes: convolution(attrs),
  }),
  maxPool: ([x], [y, taps], attrs) => ({
    kernel: 'maxPool',
    inputs: { x },
    outputs: { y, taps },
    attributes: pool(attrs),
  }),
  maxPoolBackward: ([taps, dy], [dx], attrs) => ({
    kernel: 'maxPoolBackward',
    inputs: { taps, dy },
    outputs: { dx },
    attributes: pool(attrs),
  }),
  matmulQuantizedInput: ([dy, w], [dx], { format }) => ({
    kernel: 'matmulQuantizedInput',
    inputs: { dy, w },
    outputs: { dx },
    attributes: { format },
  }),
  adamw: (
    [
      parameter,
      gradient,
      mean,
      variance,
      lr,
      beta1,
      beta2,
      eps,
      decay,
      correction1,
      correction2,
      gradScale,
    ],
    [nextParameter, nextMean, nextVariance],
  ) => ({
    kernel: 'adamw',
    inputs: {
      parameter,
      gradient,
      mean,
      variance,
      lr,
      beta1,
      beta2,
      eps,
      decay,
      correction1,
      correction2,
      gradScale,
    },
    outputs: { nextParameter, nextMean, nextVariance },
    attributes: {},
  }),
} satisfies { [O in Composite]?: Rule<O> }

/** Composites that a kernel can compute: a separate one, or element-wise kernels and products. */
export type KernelComposite =
  | keyof typeof composites
  | 'gelu'
  | 'geluBackward'
  | 'silu'
  | 'siluBackward'
  | 'matmulQuantized'

const rules = { ...primitives, ...composites } as Readonly<Record<string, Rule<Op>>>

export const hasKernel = (node: Node): boolean => node.op in rules

/** Returns the call that computes `node`. */
export function kernelFor(
  node: Node,
  inputs: readonly Operand[],
  outputs: readonly Operand[],
): KernelArguments {
  if (!hasKernel(node)) throw new Error(`no kernel for ${node.op}`)
  return rules[node.op](inputs, outputs, node.attrs)
}

const cumulative = (
  operation: 'sum' | 'prod' | 'max',
  x: Operand,
  y: Operand,
  axis: number,
): KernelArguments => ({
  kernel: 'cumulative',
  inputs: { x },
  outputs: { y },
  attributes: { operation, axis },
})

const softmax = (x: Operand, y: Operand, logarithm: boolean): KernelArguments => ({
  kernel: 'softmax',
  inputs: { x },
  outputs: { y },
  attributes: { logarithm },
})

const softmaxBackward = (
  y: Operand,
  dy: Operand,
  dx: Operand,
  logarithm: boolean,
): KernelArguments => ({
  kernel: 'softmaxBackward',
  inputs: { y, dy },
  outputs: { dx },
  attributes: { logarithm },
})

const scores = ({ scale, causal, dropout }: AttentionAttrs) => ({ scale, causal, dropout })

/** Names the optional inputs. The attributes of the node say which are present, in this order. */
function scoreOptions(options: readonly Operand[], attrs: AttentionAttrs) {
  let next = 0
  const take = (present: boolean): Operand | null => (present ? options[next++] : null)
  return {
    bias: take(attrs.bias),
    mask: take(attrs.mask),
    length: take(attrs.length),
    seed: take(attrs.dropout !== 0),
    draw: take(attrs.dropout !== 0),
  }
}

const convolution = ({ stride, before, behind, dilation, groups }: ConvolutionAttrs) => ({
  stride,
  before,
  behind,
  dilation,
  groups,
})

const pool = ({ kernel, stride, before, behind, dilation }: PoolAttrs) => ({
  kernel,
  stride,
  before,
  behind,
  dilation,
})
