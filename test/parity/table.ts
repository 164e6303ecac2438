// PyTorch's names and arguments in Heed: one entry for each op that the fixtures have.
import {
  cat,
  cdist,
  einsum,
  F,
  hostCall,
  meshgrid,
  oneHot,
  ones,
  type Parameter,
  searchsorted,
  stack,
  type Tensor,
  type TypedArray,
  tensor,
  where,
} from '../../src/index.ts'
import { BatchNorm1d, BatchNorm2d, StdConv2d, TransformerEncoderLayer } from '../../src/nn/index.ts'
import { f32ToBf16, f32ToF16 } from '../../src/util/float16.ts'
import { recurrentCell, recurrentLayer } from './recurrent.ts'

/** What the fixtures' arguments hold, each where its op takes it. */
interface Arguments {
  dim: number
  axes: number | number[] | undefined
  keepdim: boolean | undefined
  [name: string]: unknown
}

type Entry = (
  inputs: Record<string, Tensor>,
  args: Arguments,
) => Tensor | Tensor[] | Promise<Tensor | Tensor[]>

/** What the op of a case gives, in the order of its outputs. @throws when the table lacks the op */
export async function apply(
  op: string,
  inputs: Record<string, Tensor>,
  args: Record<string, unknown>,
): Promise<Tensor[]> {
  const entry = table[op]
  if (!entry) throw new Error(`The parity table has no entry for ${op}`)
  const known = { ...args, axes: args.dim } as Arguments
  return [await entry(inputs, known)].flat()
}

const table: Record<string, Entry> = {
  // --- recurrent layers
  recurrent: (inputs, args) => recurrentLayer({ inputs, args }),
  recurrent_cell: (inputs, args) => recurrentCell({ inputs, args }),

  // --- element by element
  abs: ({ input }) => input.abs(),
  neg: ({ input }) => input.neg(),
  sign: ({ input }) => input.sign(),
  exp: ({ input }) => input.exp(),
  expm1: ({ input }) => input.expm1(),
  log: ({ input }) => input.log(),
  log2: ({ input }) => input.log2(),
  log1p: ({ input }) => input.log1p(),
  sqrt: ({ input }) => input.sqrt(),
  rsqrt: ({ input }) => input.rsqrt(),
  reciprocal: ({ input }) => input.reciprocal(),
  square: ({ input }) => input.square(),
  sin: ({ input }) => input.sin(),
  cos: ({ input }) => input.cos(),
  tanh: ({ input }) => input.tanh(),
  erf: ({ input }) => input.erf(),
  floor: ({ input }) => input.floor(),
  ceil: ({ input }) => input.ceil(),
  round: ({ input }) => input.round(),
  trunc: ({ input }) => input.trunc(),
  isnan: ({ input }) => input.isnan(),
  isfinite: ({ input }) => input.isfinite(),
  clamp: ({ input }, { min, max }) => input.clamp({ min, max } as { min?: number; max?: number }),
  clip: ({ input }, { min, max }) => input.clip(min as number, max as number),
  add: ({ input, other }) => input.add(other),
  sub: ({ input, other }) => input.sub(other),
  mul: ({ input, other }) => input.mul(other),
  div: ({ input, other }) => input.div(other),
  remainder: ({ input, other }) => input.remainder(other),
  fmod: ({ input, other }) => input.fmod(other),
  floor_divide: ({ input, other }) => input.floorDivide(other),
  pow: ({ input, exponent }, args) => input.pow(exponent ?? (args.exponent as number)),
  maximum: ({ input, other }) => input.maximum(other),
  minimum: ({ input, other }) => input.minimum(other),
  eq: ({ input, other }) => input.eq(other),
  ne: ({ input, other }) => input.ne(other),
  lt: ({ input, other }) => input.lt(other),
  le: ({ input, other }) => input.le(other),
  gt: ({ input, other }) => input.gt(other),
  ge: ({ input, other }) => input.ge(other),
  where: ({ condition, input, other }) => where(condition, input, other),
  masked_fill: ({ input, mask }, { value }) => input.maskedFill(mask, value as number),
  to: ({ input }, { dtype }) => cast(input, dtype as string),

  // --- activations
  gelu: ({ input }, { approximate }) => input.gelu(approximate as 'none' | 'tanh'),
  silu: ({ input }) => input.silu(),
  relu: ({ input }) => input.relu(),
  sigmoid: ({ input }) => input.sigmoid(),
  logsigmoid: ({ input }) => input.logSigmoid(),
  softplus: ({ input }) => input.softplus(),
  leaky_relu: ({ input }) => input.leakyRelu(),
  elu: ({ input }) => input.elu(),
  mish: ({ input }) => input.mish(),
  hardswish: ({ input }) => input.hardswish(),
  glu: ({ input }, { dim }) => F.glu(input, dim),
  softmax: ({ input }, { dim }) => input.softmax(dim),
  log_softmax: ({ input }, { dim }) => input.logSoftmax(dim),

  // --- reductions
  sum: ({ input }, { axes, keepdim }) => input.sum(axes, keepdim),
  prod: ({ input }, { axes, keepdim }) => input.prod(axes, keepdim),
  mean: ({ input }, { axes, keepdim }) => input.mean(axes, keepdim),
  amax: ({ input }, { axes, keepdim }) => input.amax(axes, keepdim),
  amin: ({ input }, { axes, keepdim }) => input.amin(axes, keepdim),
  var: ({ input }, { axes, dim: _, ...options }) => input.var(axes, options),
  std: ({ input }, { axes, dim: _, ...options }) => input.std(axes, options),
  logsumexp: ({ input }, { axes, keepdim }) => input.logsumexp(axes, keepdim),
  vector_norm: ({ input }, { ord, axes, keepdim }) =>
    input.norm(ord === 'inf' ? Number.POSITIVE_INFINITY : (ord as number), axes, keepdim),
  max: ({ input }, { dim }) => pair(input.max(dim)),
  min: ({ input }, { dim }) => pair(input.min(dim)),
  argmax: ({ input }, { dim }) => input.argmax(dim),
  argmin: ({ input }, { dim }) => input.argmin(dim),
  all: ({ input }, { dim }) => input.all(dim),
  any: ({ input }, { dim }) => input.any(dim),
  cumsum: ({ input }, { dim }) => input.cumsum(dim),
  cumprod: ({ input }, { dim }) => input.cumprod(dim),
  cummax: ({ input }, { dim }) => pair(input.cummax(dim)),
  logcumsumexp: ({ input }, { dim }) => input.logcumsumexp(dim),

  // --- order and places
  sort: ({ input }, { dim, descending }) => pair(input.sort(dim, descending as boolean)),
  argsort: ({ input }, { dim, descending }) => input.argsort(dim, descending as boolean),
  topk: ({ input }, { k, dim, largest }) => pair(input.topk(k as number, dim, largest as boolean)),
  gather: ({ input, index }, { dim }) => input.gather(dim, index),
  take_along_dim: ({ input, indices }, { dim }) => input.takeAlongDim(indices, dim),
  index_select: ({ input, index }, { dim }) => input.indexSelect(dim, index),
  index_add: ({ input, index, source }, { dim }) => input.indexAdd(dim, index, source),
  scatter: ({ input, index, src }, { dim }) => input.scatter(dim, index, src),
  scatter_add: ({ input, index, src }, { dim }) => input.scatterAdd(dim, index, src),
  // Ours is f32, as products want it.
  one_hot: ({ input }, { num_classes }) => oneHot(input, num_classes as number).to('i32'),

  // --- arrangement
  tril: ({ input }, { diagonal }) => input.tril(diagonal as number),
  triu: ({ input }, { diagonal }) => input.triu(diagonal as number),
  diagonal: ({ input }, { offset, dim1, dim2 }) =>
    input.diagonal(offset as number, dim1 as number, dim2 as number),
  roll: ({ input }, { shifts, dims }) =>
    input.roll(shifts as number[], dims as number[] | undefined),
  flip: ({ input }, { dims }) => input.flip(...(dims as number[])),
  pad: ({ input }, { pad, mode, value }) =>
    input.pad(
      widths(pad as number[]),
      mode === 'constant' ? (value as number) : (mode as 'reflect'),
    ),
  unfold: ({ input }, { dimension, size, step }) =>
    input.unfold(dimension as number, size as number, step as number),
  permute: ({ input }, { dims }) => input.permute(...(dims as number[])),
  expand: ({ input }, { size }) => input.expand(size as number[]),
  repeat: ({ input }, { repeats }) => input.repeat(...(repeats as number[])),
  repeat_interleave: ({ input }, { repeats, dim }) =>
    input.repeatInterleave(repeats as number, dim),
  cat: ({ a, b, c }, { dim }) => cat([a, b, c], dim),
  stack: ({ a, b }, { dim }) => stack([a, b], dim),
  split: ({ input }, { split_size, dim }) => input.split(split_size as number, dim),
  chunk: ({ input }, { chunks, dim }) => input.chunk(chunks as number, dim),
  slice: ({ input }, { start, end, step }) =>
    input.slice(null, [start as number, end as number, step as number]),

  // --- products
  matmul: ({ input, other }) => input.matmul(other),
  outer: ({ input, vec2 }) => input.outer(vec2),
  einsum: ({ a, b }, { equation }) => einsum(equation as string, a, b),
  linear: ({ input, weight, bias }) => F.linear(input, weight, bias),
  conv1d: ({ input, weight, bias }, { axes: _, ...options }) =>
    F.conv1d(input, weight, bias, options as F.ConvolutionOptions),
  conv2d: ({ input, weight, bias }, { axes: _, ...options }) =>
    F.conv2d(input, weight, bias, options as F.ConvolutionOptions),
  conv_transpose1d: ({ input, weight, bias }, { output_padding, axes: _, ...options }) =>
    F.convTranspose1d(input, weight, bias, { ...options, outputPadding: output_padding as number }),
  conv_transpose2d: ({ input, weight, bias }, { output_padding, axes: _, ...options }) =>
    F.convTranspose2d(input, weight, bias, { ...options, outputPadding: output_padding as number }),
  std_conv2d: ({ input, weight }, { stride }) => {
    const layer = new StdConv2d(3, 4, 3, { stride: stride as number, bias: false })
    layer.weight = weight as Parameter
    return layer.forward(input)
  },
  max_pool1d: ({ input }, { kernel_size, axes: _, ...args }) =>
    F.maxPool1d(input, kernel_size as number, args as F.MaxPoolOptions),
  max_pool2d: ({ input }, { kernel_size, ceil_mode, axes: _, ...args }) =>
    F.maxPool2d(input, kernel_size as number, { ...args, ceilMode: ceil_mode as boolean }),
  avg_pool1d: ({ input }, { kernel_size, axes: _, ...args }) =>
    F.avgPool1d(input, kernel_size as number, args as F.AvgPoolOptions),
  avg_pool2d: ({ input }, { kernel_size, ceil_mode, count_include_pad, axes: _, ...args }) =>
    F.avgPool2d(input, kernel_size as number, {
      ...args,
      ceilMode: ceil_mode as boolean,
      countIncludePad: count_include_pad as boolean,
    }),
  adaptive_avg_pool1d: ({ input }, { output_size }) =>
    F.adaptiveAvgPool1d(input, output_size as number),
  adaptive_avg_pool2d: ({ input }, { output_size }) =>
    F.adaptiveAvgPool2d(input, output_size as number),
  embedding: ({ input, weight }, { padding_idx }) =>
    F.embedding(input, weight, { paddingIndex: padding_idx as number | undefined }),
  scaled_dot_product_attention: ({ query, key, value, attn_mask }, args) =>
    F.scaledDotProductAttention(query, key, value, {
      mask: attn_mask,
      causal: (args.is_causal ?? args.causal_lower_right) as boolean | undefined,
      scale: args.scale as number | undefined,
    }),

  // --- norms
  layer_norm: ({ input, weight, bias }, { eps }) => F.layerNorm(input, weight, bias, eps as number),
  rms_norm: ({ input, weight }, { eps }) => F.rmsNorm(input, weight, eps as number),
  group_norm: ({ input, weight, bias }, { num_groups, eps }) =>
    F.groupNorm(input, num_groups as number, weight, bias, eps as number),
  instance_norm: ({ input, weight, bias }) => F.instanceNorm(input, weight, bias),
  batch_norm: ({ input, weight, bias, running_mean, running_var }, { eps }) =>
    F.batchNorm(input, {
      mean: running_mean,
      variance: running_var,
      weight,
      bias,
      eps: eps as number,
    }),
  batch_norm_train: ({ input, weight, bias, running_mean, running_var }, { momentum }) => {
    const Layer = input.rank === 4 ? BatchNorm2d : BatchNorm1d
    const layer = new Layer(4, { momentum: momentum as number | undefined })
    layer.loadStateDict({ running_mean, running_var }, { strict: false })
    layer.weight = (weight ?? null) as Parameter | null
    layer.bias = (bias ?? null) as Parameter | null
    const y = layer.forward(input)
    return [y, layer.running_mean as Tensor, layer.running_var as Tensor]
  },
  normalize: ({ input }, { p, dim, eps }) =>
    F.normalize(input, { p: p as number, axis: dim, eps: eps as number }),
  cosine_similarity: ({ x1, x2 }, { dim, eps }) =>
    F.cosineSimilarity(x1, x2, { axis: dim, eps: eps as number }),

  // --- losses
  cross_entropy: ({ input, target }, args) =>
    F.crossEntropy(input, target, {
      ignoreIndex: args.ignore_index as number | undefined,
      labelSmoothing: args.label_smoothing as number | undefined,
      reduction: args.reduction as 'mean' | 'sum' | 'none' | undefined,
    }),
  mse_loss: ({ input, target }) => F.mseLoss(input, target),
  l1_loss: ({ input, target }) => F.l1Loss(input, target),
  smooth_l1_loss: ({ input, target }, { beta }) =>
    F.smoothL1Loss(input, target, { beta: beta as number }),
  binary_cross_entropy_with_logits: ({ input, target }) => F.bceWithLogits(input, target),
  kl_div: ({ input, target }, { reduction }) => F.klDiv(input, target, reduction as 'batchmean'),
  huber_loss: ({ input, target }, { delta, reduction }) =>
    F.huberLoss(input, target, { delta, reduction } as F.HuberOptions),
  triplet_margin_loss: ({ anchor, positive, negative }, { axes: _, ...options }) =>
    F.tripletMarginLoss(anchor, positive, negative, options as object),

  // --- angles
  asin: ({ input }) => input.asin(),
  acos: ({ input }) => input.acos(),
  atan: ({ input }) => input.atan(),
  atan2: ({ input, other }) => input.atan2(other),
  asinh: ({ input }) => input.asinh(),
  acosh: ({ input }) => input.acosh(),
  atanh: ({ input }) => input.atanh(),

  // --- comparison, selection, search
  nan_to_num: ({ input }, { axes: _, ...options }) => input.nanToNum(options as object),
  clone: ({ input }) => input.clone(),
  allclose: async ({ input, other }, { rtol, equal_nan }) =>
    tensor(await input.allclose(other, { rtol, equalNan: equal_nan } as object)),
  equal: async ({ input, other }) => tensor(await input.equal(other)),
  nonzero: ({ input }) => input.nonzero(),
  masked_select: ({ input, mask }) => input.maskedSelect(mask),
  unique: async ({ input }, { dim }) => {
    const { values, inverse, counts } = await input.unique({ axis: dim })
    return [values, inverse, counts]
  },
  bincount: ({ input, weights }, { minlength }) =>
    input.bincount({ weights, minLength: minlength as number | undefined }),
  searchsorted: ({ sorted_sequence, input }, { right }) =>
    searchsorted(sorted_sequence, input, { right: right as boolean }),
  scatter_reduce: ({ input, index, src }, { dim, reduce, include_self }) =>
    input.scatterReduce(dim, index, src, reduce as 'sum', {
      includeSelf: include_self as boolean | undefined,
    }),
  median: ({ input }) => input.median(),
  median_dim: ({ input }, { dim }) => {
    const found = input.median(dim)
    // Of several NaN, PyTorch names any.
    return input.rank === 2 ? found.values : pair(found)
  },
  quantile: ({ input }, { q, dim, keepdim, interpolation }) =>
    input.quantile(q as number, dim, { keepdim, interpolation } as object),

  // --- further arrangement
  T: ({ input }) => input.T,
  mT: ({ input }) => input.mT,
  tile: ({ input }, { dims }) => input.tile(...(dims as number[])),
  broadcast_to: ({ input }, { size }) => input.broadcastTo(size as number[]),
  trace: ({ input }) => input.trace(),
  diag: ({ input }, { diagonal }) => input.diag(diagonal as number),
  meshgrid: ({ a, b, c }, { indexing }) => meshgrid([a, b, c], { indexing: indexing as 'ij' }),
  unfold_images: ({ input }, { kernel_size, axes: _, ...options }) =>
    F.unfold(input, kernel_size as number, options as object),
  fold: ({ input }, { output_size, kernel_size, axes: _, ...options }) =>
    F.fold(input, output_size as number[], kernel_size as number, options as object),
  cdist: ({ x1, x2 }, { p }) =>
    cdist(x1, x2, p === 'inf' ? Number.POSITIVE_INFINITY : (p as number)),

  // --- layers
  transformer_encoder_layer: ({ src, ...weights }, { norm_first, activation, masked }) => {
    const layer = new TransformerEncoderLayer({
      embedDim: 6,
      heads: 2,
      feedforwardDim: 8,
      dropout: 0,
      activation: activation as 'relu',
      normFirst: norm_first as boolean,
    })
    for (const [key, weight] of Object.entries(weights)) {
      const path = key.split('|')
      const owner = layer.getModule(path.slice(0, -1).join('.'))
      Object.assign(owner, { [path[path.length - 1]]: weight })
    }
    if (!masked) return layer.forward(src)
    const attnMask = ones([3, 3]).triu(1).to('bool')
    const keyPaddingMask = tensor([
      [false, false, false],
      [false, false, true],
    ])
    return layer.forward(src, { attnMask, keyPaddingMask })
  },
}

/** The ops that have an entry. */
export const covered = Object.keys(table)

const pair = ({ values, indices }: { values: Tensor; indices: Tensor }): Tensor[] => [
  values,
  indices,
]

/** PyTorch begins with the last axis. */
const widths = (pad: number[]): [number, number][] =>
  Array.from({ length: pad.length / 2 }, (_, i): [number, number] => [
    pad[2 * i],
    pad[2 * i + 1],
  ]).reverse()

const DTYPES = { int32: 'i32', bool: 'bool', float32: 'f32' } as const

function cast(x: Tensor, dtype: string): Tensor {
  // Numbers of 16 bits exist in files only, so the host rounds; the fixtures have their bits.
  const halves = { float16: f32ToF16, bfloat16: f32ToBf16 }[dtype]
  if (!halves) return x.to(DTYPES[dtype as keyof typeof DTYPES])
  const bits = ([values]: readonly TypedArray[]): Int32Array =>
    Int32Array.from(Int16Array.from(halves(Float32Array.from(values))))
  return hostCall(bits, [x], x.shape, 'i32')
}
