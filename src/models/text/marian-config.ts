// The config of Marian, with the keys of published config.json files.

import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import {
  activation,
  type ConfigFormat,
  checkDivides,
  deviation,
  dimension,
  eosTokenId,
  layerCount,
  probability,
  tokenId,
} from '../shared/config.ts'
import { labelFields } from '../shared/labels.ts'

const schema = once(() =>
  z.object({
    /** Number of tokens in the source vocabulary. */
    vocab_size: dimension.default(58101),
    /** Number of tokens in the target vocabulary. Null: vocab_size. */
    decoder_vocab_size: dimension.nullable().default(null),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: z.int().min(1).max(65536).default(1024),
    /** Width of the hidden states, C. */
    d_model: dimension.default(1024),
    /** Number of layers of the encoder. */
    encoder_layers: layerCount.default(12),
    /** Number of attention heads of a layer of the encoder. */
    encoder_attention_heads: layerCount.default(16),
    /** Width of the hidden layer of the feed-forward network in the encoder. */
    encoder_ffn_dim: dimension.default(4096),
    /** Number of layers of the decoder. */
    decoder_layers: layerCount.default(12),
    /** Number of attention heads of a layer of the decoder. */
    decoder_attention_heads: layerCount.default(16),
    /** Width of the hidden layer of the feed-forward network in the decoder. */
    decoder_ffn_dim: dimension.default(4096),
    /** Activation function of the feed-forward network. */
    activation_function: activation.default('gelu'),
    /** Dropout probability of the embeddings and of the output of each block. */
    dropout: probability.default(0.1),
    /** Dropout probability of the attention weights. */
    attention_dropout: probability.default(0),
    /** Dropout probability of the hidden layer of the feed-forward network. */
    activation_dropout: probability.default(0),
    /** Standard deviation of the initial weights. */
    init_std: deviation.default(0.02),
    /** Whether embeddings are multiplied by √C. */
    scale_embedding: z.boolean().default(false),
    /** Whether encoder and decoder share the embeddings of tokens. */
    share_encoder_decoder_embeddings: z.boolean().default(true),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(58100),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(null),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(0),
    /** Id of the token that ends a text of maximum length, or a list of such ids; null for none. */
    forced_eos_token_id: eosTokenId.default(0),
    /** Id of the first token of the decoder. Null: the padding token. */
    decoder_start_token_id: tokenId.default(null),
    /** Whether the model has an encoder. */
    is_encoder_decoder: z.boolean().default(true),
    ...labelFields,
  }),
)

/** Config of Marian. */
export type MarianConfig = z.output<ReturnType<typeof schema>> & {
  /** Id of the first token of the decoder. */
  decoder_start_token_id: number
}

/** How Marian's config.json is read. */
export const marianFormat: ConfigFormat<MarianConfig> = {
  schema: once(() =>
    schema().transform((config) => ({
      ...config,
      decoder_start_token_id: config.decoder_start_token_id ?? config.pad_token_id ?? 0,
    })),
  ),
  aliases: {
    hidden_size: 'd_model',
    num_attention_heads: 'encoder_attention_heads',
    num_hidden_layers: 'encoder_layers',
  },
  unread: {
    ...unreadKeys(
      'classif_dropout',
      'classifier_dropout',
      'extra_pos_embeddings',
      'add_bias_logits',
    ),
    // As in the paper, norms follow the residual connection and positions are sinusoids. transformers reads none of
    // these.
    normalize_before: [false],
    normalize_embedding: [false],
    add_final_layer_norm: [false],
    static_position_embeddings: [true],
    // LayerDrop: probability of skipping a layer in training
    encoder_layerdrop: [0],
    decoder_layerdrop: [0],
  },
  complete: (config) => {
    checkDivides(config, 'encoder_attention_heads', 'd_model', 'Marian')
    checkDivides(config, 'decoder_attention_heads', 'd_model', 'Marian')
    checkPadding(config)
    checkTied(config)
    return config
  },
}

/** Size of the target vocabulary. With shared embeddings, it is that of the source. */
export const targetVocabSize = (config: MarianConfig): number =>
  config.share_encoder_decoder_embeddings
    ? config.vocab_size
    : (config.decoder_vocab_size ?? config.vocab_size)

function checkPadding(config: MarianConfig): void {
  const { pad_token_id: value, vocab_size } = config
  const limit = Math.min(vocab_size, targetVocabSize(config))
  if (value === null || value < limit) return
  throw new HeedError(
    'invalid-config',
    `Marian: pad_token_id must be below the size of both vocabularies (${limit}), got ${value}`,
    { key: 'pad_token_id', value, expected: `below ${limit}`, try: { pad_token_id: [limit - 1] } },
  )
}

function checkTied({ share_encoder_decoder_embeddings, tie_word_embeddings }: MarianConfig): void {
  if (tie_word_embeddings || !share_encoder_decoder_embeddings) return
  throw new HeedError(
    'invalid-config',
    'Marian: tie_word_embeddings must be true if share_encoder_decoder_embeddings is true, got false',
    {
      key: 'tie_word_embeddings',
      value: false,
      expected: 'true',
      try: { tie_word_embeddings: [true], share_encoder_decoder_embeddings: [false] },
    },
  )
}
