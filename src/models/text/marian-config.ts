// What config.json of a Marian says.
import { z } from 'zod'
import { activationNames } from '../../nn/index.ts'
import { HeedError } from '../../util/errors.ts'
import { few, parseConfig, probability, size } from '../shared/config.ts'

const schema = z.object({
  vocab_size: size.default(58101),
  decoder_vocab_size: size.nullable().default(null), // null: vocab_size
  max_position_embeddings: z.int().min(1).max(65536).default(1024),
  d_model: size.default(1024),
  encoder_layers: few.default(12),
  encoder_attention_heads: few.default(16),
  encoder_ffn_dim: size.default(4096),
  decoder_layers: few.default(12),
  decoder_attention_heads: few.default(16),
  decoder_ffn_dim: size.default(4096),
  activation_function: z.enum(activationNames).default('gelu'),
  dropout: probability.default(0.1),
  attention_dropout: probability.default(0),
  activation_dropout: probability.default(0),
  init_std: z.number().positive().default(0.02),
  scale_embedding: z.boolean().default(false),
  normalize_before: z.literal(false).optional(), // layers normalise what they give, as in the paper
  share_encoder_decoder_embeddings: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().min(0).default(58100),
  bos_token_id: z.int().nullable().default(null),
  eos_token_id: z
    .union([z.int(), z.array(z.int())])
    .nullable()
    .default(0),
  forced_eos_token_id: z
    .union([z.int(), z.array(z.int())])
    .nullable()
    .default(0),
  decoder_start_token_id: z.int().nullable().default(null), // null: the pad token
  is_encoder_decoder: z.boolean().default(true),
})

export type MarianConfig = z.output<typeof schema> & { decoder_start_token_id: number }

/** @throws HeedError that names what does not fit */
export function marianConfig(raw: unknown): MarianConfig {
  const read = parseConfig(schema, raw, 'Marian')
  const decoder_start_token_id = read.decoder_start_token_id ?? read.pad_token_id
  const config = { ...read, decoder_start_token_id }
  const { d_model, pad_token_id, vocab_size } = config
  for (const key of ['encoder_attention_heads', 'decoder_attention_heads'] as const)
    if (d_model % config[key] !== 0)
      throw new HeedError(
        'invalid-config',
        `Marian: ${key} ${config[key]} does not divide d_model ${d_model}`,
        {
          remedy: `Take heads of whole size: d_model ${config[key] * Math.ceil(d_model / config[key])}, for instance.`,
        },
      )
  if (pad_token_id >= Math.min(vocab_size, targetVocabSize(config)))
    throw new HeedError(
      'invalid-config',
      `Marian: pad_token_id ${pad_token_id} is not in the vocabulary`,
      {
        remedy: `Ids are below vocab_size, ${vocab_size}, and decoder_vocab_size.`,
      },
    )
  if (config.share_encoder_decoder_embeddings && !config.tie_word_embeddings)
    throw new HeedError('invalid-config', 'Marian: shared embeddings with a head of its own', {
      remedy: 'Set tie_word_embeddings, or switch share_encoder_decoder_embeddings off.',
    })
  return config
}

/** Where both sides share their embedding, there is one vocabulary. */
export const targetVocabSize = (config: MarianConfig): number =>
  config.share_encoder_decoder_embeddings
    ? config.vocab_size
    : (config.decoder_vocab_size ?? config.vocab_size)
