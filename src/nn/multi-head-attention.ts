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

export interface MultiHeadAttentionConfig {
  embedDim: number
  heads: number
  dropout?: number
  bias?: boolean
  /** (B, T, C), or (T, B, C) as PyTorch's default has it. Default true. */
  batchFirst?: boolean
}

export interface MultiHeadAttentionOptions {
  /** As in PyTorch: bool (true = hidden) or f32 (added), broadcasting to (B, H, T, S). */
  attnMask?: Tensor
  /** bool (B, S), true where a key is padding. */
  keyPaddingMask?: Tensor
  causal?: boolean
}

/** torch.nn.MultiheadAttention, with its parameters' names (Vaswani et al., 2017, section 3.2.2). */
export class MultiHeadAttention extends Module<MultiHeadAttentionConfig> {
  in_proj_weight = new Parameter(
    init.xavierUniform([3 * this.config.embedDim, this.config.embedDim]),
  )
  in_proj_bias =
    this.config.bias === false ? null : new Parameter(init.zeros([3 * this.config.embedDim]))
  out_proj = new Linear(this.config.embedDim, this.config.embedDim, { bias: this.config.bias })

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

  /** Part 0, 1 or 2 of the joint projection: of queries, keys or values. */
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

/** PyTorch's masks, where true hides, as one of ours, where true shows. */
function visible(attnMask?: Tensor, keyPaddingMask?: Tensor): Tensor | null {
  const padding = keyPaddingMask?.logicalNot().unsqueeze(1).unsqueeze(1) // (B, 1, 1, S)
  if (!attnMask) return padding ?? null
  if (attnMask.dtype !== 'bool')
    return padding ? padding.where(attnMask, Number.NEGATIVE_INFINITY) : attnMask
  const shown = attnMask.logicalNot()
  return padding ? shown.logicalAnd(padding) : shown
}
