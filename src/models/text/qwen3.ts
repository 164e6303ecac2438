// Qwen3 (Yang et al., 2025): Llama with normalised queries and keys, and sliding windows in some layers.
import { z } from 'zod'
import { RMSNorm } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { llamaGGUF } from '../gguf/llama.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { dimension, eosTokenId, layerCount, tokenId } from '../shared/config.ts'
import { llamaDefaults, llamaFamily, type Projections, SeparateAttention } from '../shared/llama.ts'
import { llamaCommonSchema } from '../shared/llama-config.ts'
import { llamaHeads } from '../shared/llama-heads.ts'
import { windowFields, windowOf } from '../shared/windows.ts'

const schema = once(() =>
  llamaCommonSchema().extend({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(151936),
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(22016),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(32768),
    /** Width of a head, D. Null: hidden_size / num_attention_heads. */
    head_dim: layerCount.nullable().default(128),
    /** Whether the projections of the attention have a bias. */
    attention_bias: z.boolean().default(false),
    ...windowFields,
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(null),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(null),
  }),
)

/**
 * Config of Qwen3.
 * @interface
 */
export type Qwen3Config = z.output<ReturnType<typeof schema>>

class Attention extends SeparateAttention {
  q_norm = new RMSNorm(this.config.headDim, this.config.rms_norm_eps)
  k_norm = new RMSNorm(this.config.headDim, this.config.rms_norm_eps)

  protected override project(x: Tensor): Projections {
    const [q, k, v] = super.project(x)
    return [byHead(this.q_norm, q), byHead(this.k_norm, k), v]
  }
}

/** Normalises each head of x (B, T, H·D). */
function byHead(norm: RMSNorm, x: Tensor): Tensor {
  const [batch, tokens] = x.shape
  const [headDim] = norm.weight.shape
  return norm.forward(x.reshape(batch, tokens, -1, headDim)).reshape(x.shape)
}

const family = llamaFamily<Qwen3Config>({
  modelType: 'qwen3',
  title: 'Qwen3',
  schema,
  plan: (config) => ({ window: (layer) => windowOf(config, layer), Attention }),
})

/** Qwen3 as a causal language model. */
export class Qwen3 extends causalLM(family, 'Qwen3ForCausalLM') {}
/** Qwen3 for text classification. */
export class Qwen3ForSequenceClassification extends lastTokenClassifier(
  family,
  'Qwen3ForSequenceClassification',
) {}

/** Definition of the Qwen3 family. */
export const qwen3 = defineModel({
  ...family,
  ...llamaDefaults,
  paper: 'Yang et al. (2025). Qwen3 Technical Report',
  heads: [Qwen3, Qwen3ForSequenceClassification, ...llamaHeads(family, 'Qwen3')],
  gguf: llamaGGUF({
    architecture: 'qwen3',
    className: 'Qwen3ForCausalLM',
    biases: ['attention_bias'],
  }),
})
