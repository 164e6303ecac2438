// Operations that have a kernel of their own: its name and the numbers that it takes.
import type { Node } from '../graph/node.ts'
import type {
  AttentionAttrs,
  ChannelNormAttrs,
  Composite,
  ConvolutionAttrs,
  CrossEntropyAttrs,
  KernelOps,
  Op,
  OpAttrs,
  PoolAttrs,
} from '../graph/ops.ts'
import { type BlockFormat, blockFormats } from '../util/block-formats.ts'

/** Kernels whose inputs and outputs are just the node's. */
type Plain =
  | Exclude<keyof KernelOps, 'matmul' | 'concat' | 'pad' | 'updateAt'>
  | Exclude<
      Composite,
      'gelu' | 'geluBackward' | 'silu' | 'siluBackward' | 'dropout' | 'matmulQuantized'
    >

type Rule<O extends Op> = (attrs: OpAttrs[O]) => { kernel: string; attrs: number[] }

const named =
  (kernel: string, ...attrs: number[]) =>
  () => ({ kernel, attrs })

const alongAxis =
  (kernel: string) =>
  ({ axis }: { axis: number }) => ({ kernel, attrs: [axis] })

const cumulative =
  (kind: number) =>
  ({ axis }: { axis: number }) => ({ kernel: 'cumulative', attrs: [kind, axis] })

const channelNorm = (kernel: string) => (a: ChannelNormAttrs) => ({
  kernel,
  attrs: [a.eps, a.groups],
})

const loss = (kernel: string) => (a: CrossEntropyAttrs) => ({
  kernel,
  attrs: [a.ignoreIndex, a.labelSmoothing],
})

const attention = (kernel: string) => (a: AttentionAttrs) => ({
  kernel,
  attrs: [a.scale, +a.causal, +a.bias, +a.mask, +a.length, a.dropout],
})

const convolution = (kernel: string) => (a: ConvolutionAttrs) => ({
  kernel,
  attrs: [...a.stride, ...a.before, ...a.behind, ...a.dilation, a.groups],
})

const pool = (kernel: string) => (a: PoolAttrs) => ({
  kernel,
  attrs: [...a.kernel, ...a.stride, ...a.before, ...a.behind, ...a.dilation],
})

/** A format as a kernel knows it. */
export const formatNumber = (format: BlockFormat): number => blockFormats.indexOf(format)

const rules: { [O in Plain]: Rule<O> } = {
  cumsum: cumulative(0),
  cumprod: cumulative(1),
  cummax: cumulative(2),
  foldWindow: ({ stride, dilation }) => ({
    kernel: 'foldWindow',
    attrs: [stride.length, ...stride, ...dilation],
  }),
  take: alongAxis('take'),
  scatterAdd: alongAxis('scatterAdd'),
  scatterSet: alongAxis('scatterSet'),
  sliceAt: alongAxis('sliceAt'),
  sort: ({ descending }) => ({ kernel: 'sort', attrs: [+descending] }),
  topk: ({ k, largest }) => ({ kernel: 'topk', attrs: [k, +largest] }),
  dequantize: ({ format }) => ({ kernel: 'dequantize', attrs: [formatNumber(format)] }),
  softmax: named('softmax', 0),
  softmaxBackward: named('softmaxBackward', 0),
  logSoftmax: named('softmax', 1),
  logSoftmaxBackward: named('softmaxBackward', 1),
  layerNorm: ({ eps }) => ({ kernel: 'layerNorm', attrs: [eps] }),
  layerNormBackward: named('layerNormBackward'),
  rmsNorm: ({ eps }) => ({ kernel: 'rmsNorm', attrs: [eps] }),
  rmsNormBackward: named('rmsNormBackward'),
  channelNorm: channelNorm('channelNorm'),
  channelNormBackward: channelNorm('channelNormBackward'),
  crossEntropy: loss('crossEntropy'),
  crossEntropyBackward: loss('crossEntropyBackward'),
  attention: attention('attention'),
  attentionBackward: attention('attentionBackward'),
  convolution: convolution('convolution'),
  convolutionInput: convolution('convolutionInput'),
  convolutionWeight: convolution('convolutionWeight'),
  maxPool: pool('maxPool'),
  maxPoolBackward: pool('maxPoolBackward'),
  adamw: named('adamw'),
}

/** Kernels that read each element before they write the same one. */
export const alignedKernels: ReadonlySet<string> = new Set(['adamw'])

export function kernelOf(node: Node): { kernel: string; attrs: number[] } | null {
  const rule = (rules as Record<string, Rule<Op>>)[node.op]
  return rule ? rule(node.attrs) : null
}
