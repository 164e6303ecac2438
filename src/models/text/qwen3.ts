// Qwen3 (Yang et al., 2025): Llama with normalised queries and keys, and windows in some layers.
import { z } from 'zod'
import { RMSNorm } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { eosTokenId, few, size } from '../shared/config.ts'
import { windowFields, windowOf } from '../shared/windows.ts'
import {
  type Family,
  Llama,
  LlamaAttention,
  LlamaForSequenceClassification,
  llamaPlan,
} from './llama.ts'
import { commonSchema } from './llama-config.ts'

const schema = commonSchema.extend({
  vocab_size: size.default(151936),
  intermediate_size: size.default(22016),
  max_position_embeddings: size.default(32768),
  head_dim: few.nullable().default(128),
  attention_bias: z.boolean().default(false),
  ...windowFields,
  bos_token_id: z.int().nullable().default(null),
  eos_token_id: eosTokenId.default(null),
})

export type Qwen3Config = z.output<typeof schema>

class Attention extends LlamaAttention {
  q_norm = new RMSNorm(this.config.headDim, this.config.rms_norm_eps)
  k_norm = new RMSNorm(this.config.headDim, this.config.rms_norm_eps)

  protected override queries(x: Tensor): Tensor {
    return byHead(this.q_norm, super.queries(x))
  }

  protected override keys(x: Tensor): Tensor {
    return byHead(this.k_norm, super.keys(x))
  }
}

/** (B, T, H·D): each head by itself. */
function byHead(norm: RMSNorm, x: Tensor): Tensor {
  const [batch, tokens] = x.shape
  const [headDim] = norm.weight.shape
  return norm.forward(x.reshape(batch, tokens, -1, headDim)).reshape(x.shape)
}

const family: Family<Qwen3Config> = {
  schema,
  plan: (config) => ({
    ...llamaPlan,
    qkvBias: config.attention_bias,
    outBias: config.attention_bias,
    window: (layer) => windowOf(config, layer),
    Attention,
  }),
}

export class Qwen3 extends Llama<Qwen3Config> {
  static override readonly modelType = 'qwen3'
  static override readonly architectures = ['Qwen3ForCausalLM']
  static override readonly family = family
}

export class Qwen3ForSequenceClassification extends LlamaForSequenceClassification<Qwen3Config> {
  static override readonly modelType = 'qwen3'
  static override readonly architectures = ['Qwen3ForSequenceClassification']
  static override readonly family = family
}
