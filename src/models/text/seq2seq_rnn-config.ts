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
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(8000),
    /** Width of the embeddings. */
    embedding_size: dimension.default(256),
    /** Width of the states, H: of the decoder, and of both directions of the encoder together. */
    hidden_size: dimension.default(256),
    /** Number of layers of the encoder and of the decoder. */
    num_hidden_layers: layerCount.default(1),
    /** Kind of recurrent network. */
    cell_type: z.enum(cellTypes).default('gru'),
    /** Attention of the decoder to the states of the encoder. 'none': the decoder gets only the last state. */
    attention_type: z.enum(attentionTypes).default('additive'),
    /** Whether the encoder also reads the source in reverse. */
    bidirectional: z.boolean().default(true),
    /** Dropout probability of the embeddings and between layers. */
    dropout: probability.default(0.1),
    /** Standard deviation of the initial embeddings. */
    init_std: deviation.default(0.06),
    /** Whether embeddings are multiplied by √embedding_size. */
    scale_embedding: z.boolean().default(true),
    /** Whether encoder and decoder share the embeddings of tokens. */
    share_encoder_decoder_embeddings: z.boolean().default(true),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Maximum number of tokens in a sequence. Steps are unrolled, so that longer texts need larger programs. */
    max_position_embeddings: z.int().min(2).max(4096).default(256),
    /** Id of the padding token; null for none. */
    pad_token_id: z.int().min(0).default(0),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(null),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(1),
    /** Id of the first token of the decoder. Null: the padding token. */
    decoder_start_token_id: z.int().min(0).nullable().default(null),
    /** Always true. */
    is_encoder_decoder: z.literal(true).default(true),
  }),
)

/** Config of recurrent encoder-decoders. */
export type Seq2SeqRNNConfig = z.output<ReturnType<typeof schema>> & {
  /** Id of the first token of the decoder. */
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
