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
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(32000),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(4096),
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(11008),
    /** Number of layers. */
    num_hidden_layers: layerCount.default(32),
    /** Number of attention heads of a layer. */
    num_attention_heads: layerCount.default(32),
    /** Number of heads of keys and values (grouped-query attention). Null: num_attention_heads. */
    num_key_value_heads: layerCount.nullable().optional(),
    /** Width of a head, D. Null: hidden_size / num_attention_heads. */
    head_dim: layerCount.nullable().optional(),
    /** Activation function of the feed-forward network. */
    hidden_act: activation.default('silu'),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(2048),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Added to the mean square in RMS normalisation. */
    rms_norm_eps: epsilon.default(1e-6),
    ...ropeFields,
    /** Dropout probability of the attention weights. */
    attention_dropout: probability.nullish().transform((rate) => rate ?? 0),
    /** Dropout probability before the layer that classifies tokens. Null: 0.1. */
    classifier_dropout: probability.nullish(),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(false),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(null),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(1),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
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
