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
    vocab_size: dimension.default(58101),
    decoder_vocab_size: dimension.nullable().default(null), // null: vocab_size
    max_position_embeddings: z.int().min(1).max(65536).default(1024),
    d_model: dimension.default(1024),
    encoder_layers: layerCount.default(12),
    encoder_attention_heads: layerCount.default(16),
    encoder_ffn_dim: dimension.default(4096),
    decoder_layers: layerCount.default(12),
    decoder_attention_heads: layerCount.default(16),
    decoder_ffn_dim: dimension.default(4096),
    activation_function: activation.default('gelu'),
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0),
    activation_dropout: probability.default(0),
    init_std: deviation.default(0.02),
    scale_embedding: z.boolean().default(false),
    share_encoder_decoder_embeddings: z.boolean().default(true),
    tie_word_embeddings: z.boolean().default(true),
    pad_token_id: tokenId.default(58100),
    bos_token_id: tokenId.default(null),
    eos_token_id: eosTokenId.default(0),
    forced_eos_token_id: eosTokenId.default(0),
    decoder_start_token_id: tokenId.default(null), // null: the padding token
    is_encoder_decoder: z.boolean().default(true),
    ...labelFields,
  }),
)

/** Config of Marian. */
export type MarianConfig = z.output<ReturnType<typeof schema>> & { decoder_start_token_id: number }

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
