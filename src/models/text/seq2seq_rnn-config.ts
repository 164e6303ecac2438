// What config.json of a recurrent encoder-decoder says.
import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'
import { eosTokenId, few, parseConfig, probability, size } from '../shared/config.ts'

const cellTypes = ['rnn', 'lstm', 'gru'] as const
const attentionTypes = ['none', 'additive', 'mlp', 'dot'] as const

const schema = z.object({
  vocab_size: size.default(8000),
  embedding_size: size.default(256),
  hidden_size: size.default(256), // of the decoder, and of both directions of the encoder together
  num_hidden_layers: few.default(1), // on either side
  cell_type: z.enum(cellTypes).default('gru'),
  attention_type: z.enum(attentionTypes).default('additive'), // 'none': the decoder starts from the encoder's last state and sees no more
  bidirectional: z.boolean().default(true),
  dropout: probability.default(0.1),
  init_std: z.number().positive().default(0.06), // of embeddings
  scale_embedding: z.boolean().default(true), // by √embedding_size, where they are read
  share_encoder_decoder_embeddings: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(true),
  max_position_embeddings: z.int().min(2).max(4096).default(256), // steps are unrolled: a longer text is a longer program
  pad_token_id: z.int().min(0).default(0),
  bos_token_id: z.int().nullable().default(null),
  eos_token_id: eosTokenId.default(1),
  decoder_start_token_id: z.int().min(0).nullable().default(null), // null: the pad token
  is_encoder_decoder: z.literal(true).default(true),
})

export type Seq2SeqRNNConfig = z.output<typeof schema> & { decoder_start_token_id: number }

/** @throws HeedError that names what does not fit */
export function seq2SeqRNNConfig(raw: unknown): Seq2SeqRNNConfig {
  const read = parseConfig(schema, raw, 'Seq2SeqRNN')
  const decoder_start_token_id = read.decoder_start_token_id ?? read.pad_token_id
  if (read.bidirectional && read.hidden_size % 2 !== 0)
    throw new HeedError(
      'invalid-config',
      `Seq2SeqRNN: hidden_size ${read.hidden_size} is not even`,
      {
        remedy: 'Each direction of the encoder has half of it; or set bidirectional to false.',
      },
    )
  const outside = Math.max(read.pad_token_id, decoder_start_token_id)
  if (outside >= read.vocab_size)
    throw new HeedError('invalid-config', `Seq2SeqRNN: token ${outside} is not in the vocabulary`, {
      remedy: `pad_token_id and decoder_start_token_id are below vocab_size, ${read.vocab_size}.`,
    })
  return { ...read, decoder_start_token_id }
}
