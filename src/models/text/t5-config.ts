// The config of T5 and its variants, with the keys of published config.json files.
import { z } from 'zod'
import { type Activation, activationNames } from '../../nn/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { warn } from '../../util/warn.ts'
import {
  activation,
  type ConfigFormat,
  deviation,
  dimension,
  eosTokenId,
  epsilon,
  layerCount,
  probability,
  tokenId,
  truth,
} from '../shared/config.ts'
import { labelFields } from '../shared/labels.ts'

/** Schema of T5's config.json. */
export const t5Schema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(32128),
    /** Width of the hidden states, C. */
    d_model: dimension.default(512),
    /** Width of a head, D. `num_heads`·`d_kv` need not be `d_model`. */
    d_kv: dimension.default(64),
    /** Width of the hidden layer of the feed-forward network. */
    d_ff: dimension.default(2048),
    /** Number of layers of the encoder. */
    num_layers: layerCount.default(6),
    /** Number of layers of the decoder. Null: num_layers. */
    num_decoder_layers: layerCount.nullable().default(null),
    /** Number of attention heads of a layer. */
    num_heads: layerCount.default(8),
    /** Number of buckets of distances between query and key. */
    relative_attention_num_buckets: z.int().min(4).max(4096).default(32),
    /** Keys at this distance in tokens or farther share one bucket. */
    relative_attention_max_distance: z.int().min(2).max(65536).default(128),
    /** Dropout probability. */
    dropout_rate: probability.default(0.1),
    /** Dropout probability of classification heads. Default 0. */
    classifier_dropout: probability.optional(),
    /** Added to the mean square in RMS normalisation. */
    layer_norm_epsilon: epsilon.default(1e-6),
    /** Factor of the standard deviations of the initial weights. */
    initializer_factor: deviation.default(1),
    /** Activation function of the feed-forward network, after `gated-` for a gated one. */
    feed_forward_proj: z.string().default('relu'),
    /** Activation function of the feed-forward network. Default: that of `feed_forward_proj`. */
    dense_act_fn: activation.optional(),
    /** Whether the feed-forward network is gated. Default: that of `feed_forward_proj`. */
    is_gated_act: truth.optional(),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z
      .unknown()
      .optional()
      .transform((value) => value !== false),
    /** Whether hidden states are divided by √C before the output layer. Default: tie_word_embeddings. */
    scale_decoder_outputs: truth.optional(),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(0),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(1),
    /** Id of the first token of the decoder. Null: the padding token. */
    decoder_start_token_id: tokenId.default(null),
    /** Whether the model has a decoder. False is ignored with a warning. */
    is_encoder_decoder: z.boolean().default(true),
    ...labelFields,
  }),
)

type Config = z.output<ReturnType<typeof t5Schema>>
/** Config of T5 and its variants. */
export type T5Config = Config & {
  /** Id of the first token of the decoder. */
  decoder_start_token_id: number
}

/** How a variant's config.json is read. Variants differ in the defaults of the schema. */
export const t5Format = (
  schema: () => z.ZodType<Config>,
  title: string,
): ConfigFormat<T5Config> => ({
  schema: once(() =>
    schema().transform((config) => ({
      ...config,
      decoder_start_token_id: config.decoder_start_token_id ?? config.pad_token_id ?? 0,
    })),
  ),
  aliases: {
    head_dim: 'd_kv',
    hidden_size: 'd_model',
    num_attention_heads: 'num_heads',
    num_hidden_layers: 'num_layers',
  },
  unread: unreadKeys('n_positions'), // of training; positions are relative
  complete: (config) => {
    checkActivation(config, title)
    checkDistance(config, title)
    if (!config.is_encoder_decoder)
      warn(`${title}: is_encoder_decoder false in the config is not supported and was ignored.`)
    // Always set, because tie_word_embeddings may change if a checkpoint has a separate output layer.
    return {
      ...config,
      scale_decoder_outputs: config.scale_decoder_outputs ?? config.tie_word_embeddings,
    }
  },
})

/** Number of decoder layers. */
export const decoderLayers = (config: T5Config): number =>
  config.num_decoder_layers ?? config.num_layers

/** Width of the queries, keys and values of all heads together. */
export const innerSize = (config: T5Config): number => config.num_heads * config.d_kv

/** Whether the feed-forward network is gated. */
export const isGated = ({ is_gated_act, feed_forward_proj }: T5Config): boolean =>
  is_gated_act ?? feed_forward_proj.startsWith('gated-')

/** Returns the activation function. 'gated-gelu' always means the tanh approximation. */
export function activationOf({ dense_act_fn, feed_forward_proj: name }: T5Config): Activation {
  if (dense_act_fn !== undefined) return dense_act_fn
  if (name === 'gated-gelu') return 'gelu_new'
  return name.replace(/^gated-/, '') as Activation
}

function checkActivation(config: T5Config, title: string): void {
  if (activationNames.includes(activationOf(config))) return
  const { feed_forward_proj: value } = config
  const expected = `one of ${activationNames.join(', ')}, or one of them after 'gated-'`
  throw new HeedError(
    'invalid-config',
    `${title}: feed_forward_proj must be ${expected}, got ${shown(value)}`,
    {
      key: 'feed_forward_proj',
      value,
      expected,
      try: { feed_forward_proj: ['relu', 'gated-gelu'] },
    },
  )
}

/** Half of the buckets are for exact distances, the others for ranges up to the maximum. */
function checkDistance(config: T5Config, title: string): void {
  const { relative_attention_num_buckets: buckets, relative_attention_max_distance: value } = config
  if (value > buckets / 2) return
  const expected = `more than half of relative_attention_num_buckets (${buckets})`
  throw new HeedError(
    'invalid-config',
    `${title}: relative_attention_max_distance must be ${expected}, got ${value}`,
    {
      key: 'relative_attention_max_distance',
      value,
      expected,
      try: { relative_attention_max_distance: [buckets, 4 * buckets] },
    },
  )
}
