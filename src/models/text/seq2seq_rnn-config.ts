// The config of recurrent encoder-decoders.
import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'
import { once } from '../../util/once.ts'
import {
  type ConfigFormat,
  deviation,
  dimension,
  eosTokenId,
  layerCount,
  probability,
  tokenId,
} from '../shared/config.ts'

const cellTypes = ['rnn', 'lstm', 'gru'] as const
const attentionTypes = ['none', 'additive', 'mlp', 'dot'] as const

const schema = once(() =>
  z.object({
    vocab_size: dimension.default(8000),
    embedding_size: dimension.default(256),
    hidden_size: dimension.default(256), // of the decoder; of both directions of the encoder together
    num_hidden_layers: layerCount.default(1), // in the encoder and in the decoder
    cell_type: z.enum(cellTypes).default('gru'),
    attention_type: z.enum(attentionTypes).default('additive'), // 'none': the decoder gets only the encoder's last state
    bidirectional: z.boolean().default(true),
    dropout: probability.default(0.1),
    init_std: deviation.default(0.06), // of embeddings
    scale_embedding: z.boolean().default(true), // multiplies embeddings by √embedding_size
    share_encoder_decoder_embeddings: z.boolean().default(true),
    tie_word_embeddings: z.boolean().default(true),
    max_position_embeddings: z.int().min(2).max(4096).default(256), // steps are unrolled, so longer texts need larger programs
    pad_token_id: z.int().min(0).default(0),
    bos_token_id: tokenId.default(null),
    eos_token_id: eosTokenId.default(1),
    decoder_start_token_id: z.int().min(0).nullable().default(null), // null: the padding token
    is_encoder_decoder: z.literal(true).default(true),
  }),
)

/** Config of recurrent encoder-decoders. */
export type Seq2SeqRNNConfig = z.output<ReturnType<typeof schema>> & {
  decoder_start_token_id: number
}

/** How the config.json of a recurrent encoder-decoder is read. */
export const seq2seqRNNFormat: ConfigFormat<Seq2SeqRNNConfig> = {
  schema: once(() =>
    schema().transform((config) => ({
      ...config,
      decoder_start_token_id: config.decoder_start_token_id ?? config.pad_token_id,
    })),
  ),
  aliases: {},
  complete: (config) => {
    checkDirections(config)
    checkToken(config, 'pad_token_id')
    checkToken(config, 'decoder_start_token_id')
    return config
  },
}

/** Each direction of the encoder has half the width. */
function checkDirections({ bidirectional, hidden_size: value }: Seq2SeqRNNConfig): void {
  if (!bidirectional || value % 2 === 0) return
  throw new HeedError(
    'invalid-config',
    `Seq2SeqRNN: hidden_size must be even if bidirectional is true, got ${value}`,
    {
      key: 'hidden_size',
      value,
      expected: 'an even number',
      try: { hidden_size: [value + 1], bidirectional: [false] },
    },
  )
}

function checkToken(
  config: Seq2SeqRNNConfig,
  key: 'pad_token_id' | 'decoder_start_token_id',
): void {
  const { vocab_size, [key]: value } = config
  if (value < vocab_size) return
  throw new HeedError(
    'invalid-config',
    `Seq2SeqRNN: ${key} must be below vocab_size (${vocab_size}), got ${value}`,
    {
      key,
      value,
      expected: `below vocab_size (${vocab_size})`,
      remedy: 'Use the id of a token, or increase vocab_size.',
    },
  )
}
