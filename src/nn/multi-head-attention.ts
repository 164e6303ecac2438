import { checkTensors } from '../tensor/arguments.ts'
import { Parameter, type Tensor } from '../tensor/index.ts'
import { divisorsNear } from '../util/divisors.ts'
import { invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { attention } from './attention.ts'
import * as init from './init.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

// B batch, T queries, S keys, C width

/** Config of `MultiHeadAttention`. */
export interface MultiHeadAttentionConfig {
  /** Width of the input and output. `heads` must divide it. */
  embedDim: number
  /** Number of heads. */
  heads: number
  /** Dropout probability of the attention weights. Default 0. */
  dropout?: number
  /** Whether the projections have a bias. Default true. */
  bias?: boolean
  /** Whether inputs are (B, T, C). If false, they are (T, B, C), as in PyTorch's default. Default true. */
  batchFirst?: boolean
}

/** Options of `MultiHeadAttention.forward`. */
export interface MultiHeadAttentionOptions {
  /** As in PyTorch: bool (true = masked) or f32 (added to the scores). Broadcasts to (B, H, T, S). */
  attnMask?: Tensor
  /** bool (B, S), true where a key is padding. */
  keyPaddingMask?: Tensor
  /** Whether a query attends only to keys up to its position. Default false. */
  causal?: boolean
}

/** torch.nn.MultiheadAttention, with the same parameter names (Vaswani et al., 2017, section 3.2.2). */
export class MultiHeadAttention extends Module<MultiHeadAttentionConfig> {
  /** Weights of the projections of queries, keys and values, (3·C, C). */
  in_proj_weight = new Parameter(
    init.xavierUniform([3 * this.config.embedDim, this.config.embedDim]),
  )
  /** Biases of the projections, (3·C), or null. */
  in_proj_bias =
    this.config.bias === false ? null : new Parameter(init.zeros([3 * this.config.embedDim]))
  /** Projection of the joined heads, C to C. */
  out_proj = new Linear(this.config.embedDim, this.config.embedDim, { bias: this.config.bias })

  /** Creates the layer. @throws HeedError unless `heads` divides `embedDim` */
  constructor(config: MultiHeadAttentionConfig) {
    checkConfig(config)
    super(config)
  }

  forward(
    query: Tensor,
    key = query,
    value = key,
    options: MultiHeadAttentionOptions = {},
  ): Tensor {
    checkTensors('MultiHeadAttention', { query, key, value })
    OPTIONS.check('MultiHeadAttention.forward', options)
    const { attnMask, keyPaddingMask, causal } = options
    const { heads, dropout = 0, batchFirst = true } = this.config
    const [q, k, v] = [query, key, value].map((x, i) =>
      this.project(batchFirst ? x : x.transpose(0, 1), i),
    )
    const y = attention(q, k, v, {
      heads,
      causal,
      mask: visible(attnMask, keyPaddingMask),
      dropout: this.training ? dropout : 0,
    })
    const out = this.out_proj.forward(y)
    return batchFirst ? out : out.transpose(0, 1)
  }

  /** The projection of queries (part 0), keys (1) or values (2). */
  private project(x: Tensor, part: number): Tensor {
    const { embedDim } = this.config
    const weight = this.in_proj_weight.narrow(0, part * embedDim, embedDim)
    const y = x.matmul(weight.t())
    return this.in_proj_bias ? y.add(this.in_proj_bias.narrow(0, part * embedDim, embedDim)) : y
  }
}

const CONFIG = optionKinds<MultiHeadAttentionConfig>({
  embedDim: 'size',
  heads: 'size',
  dropout: 'share?',
  bias: 'flag?',
  batchFirst: 'flag?',
})
const OPTIONS = optionKinds<MultiHeadAttentionOptions>({
  attnMask: 'tensor?',
  keyPaddingMask: 'tensor?',
  causal: 'flag?',
})

function checkConfig(config: MultiHeadAttentionConfig): void {
  CONFIG.check('MultiHeadAttention', config)
  const { embedDim, heads } = config
  if (embedDim % heads !== 0)
    throw invalidOption({
      key: 'heads',
      value: heads,
      expected: `a divisor of \`embedDim\` (${embedDim})`,
      try: { heads: divisorsNear(embedDim, heads) },
    })
}

/** Combines PyTorch's masks, where true means masked, into one of Heed's masks, where true means visible. */
function visible(attnMask?: Tensor, keyPaddingMask?: Tensor): Tensor | null {
  const padding = keyPaddingMask?.logicalNot().unsqueeze(1).unsqueeze(1) // (B, 1, 1, S)
  if (!attnMask) return padding ?? null
  if (attnMask.dtype !== 'bool')
    return padding ? padding.where(attnMask, Number.NEGATIVE_INFINITY) : attnMask
  const shown = attnMask.logicalNot()
  return padding ? shown.logicalAnd(padding) : shown
}
