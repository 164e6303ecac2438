// The config of Llama and its variants, with the keys of published config.json files.
import { z } from 'zod'
import { once } from '../../util/once.ts'
import {
  activation,
  checkDivides,
  deviation,
  dimension,
  eosTokenId,
  epsilon,
  layerCount,
  probability,
  tokenId,
} from './config.ts'
import { labelFields } from './labels.ts'
import { ropeFields } from './rope.ts'

/** Keys that all variants have. */
export const llamaCommonSchema = once(() =>
  z.object({
    vocab_size: dimension.default(32000),
    hidden_size: dimension.default(4096),
    intermediate_size: dimension.default(11008),
    num_hidden_layers: layerCount.default(32),
    num_attention_heads: layerCount.default(32),
    num_key_value_heads: layerCount.nullable().optional(), // null: same as num_attention_heads
    head_dim: layerCount.nullable().optional(), // null: hidden_size / num_attention_heads
    hidden_act: activation.default('silu'),
    max_position_embeddings: dimension.default(2048),
    initializer_range: deviation.default(0.02),
    rms_norm_eps: epsilon.default(1e-6),
    ...ropeFields,
    attention_dropout: probability.nullish().transform((rate) => rate ?? 0),
    classifier_dropout: probability.nullish(), // for token classification; null: 0.1
    tie_word_embeddings: z.boolean().default(false),
    pad_token_id: tokenId.default(null),
    bos_token_id: tokenId.default(1),
    eos_token_id: eosTokenId.default(2),
    ...labelFields,
  }),
)

/** Config keys that all Llama variants have. */
export type LlamaCommonConfig = z.output<ReturnType<typeof llamaCommonSchema>>

/** Checks rules that involve several keys. */
export function completeLlamaConfig<C extends LlamaCommonConfig>(config: C, title: string): C {
  if (!config.head_dim) checkDivides(config, 'num_attention_heads', 'hidden_size', title)
  if (config.num_key_value_heads)
    checkDivides(config, 'num_key_value_heads', 'num_attention_heads', title)
  return config
}

/** Returns sizes derived from the config. */
export function llamaWidths(config: LlamaCommonConfig): LlamaWidths {
  const heads = config.num_attention_heads
  const headDim = config.head_dim ?? config.hidden_size / heads
  const kvHeads = config.num_key_value_heads ?? heads
  return { headDim, kvHeads, queryWidth: heads * headDim, keyWidth: kvHeads * headDim }
}

/** Sizes derived from the config. */
export interface LlamaWidths {
  headDim: number
  kvHeads: number
  /** Number of query features over all heads. */
  queryWidth: number
  /** Number of key or value features over all heads. */
  keyWidth: number
}
