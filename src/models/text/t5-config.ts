// What config.json of a T5 says.
import { z } from 'zod'
import { type Activation, activations } from '../../nn/index.ts'
import { HeedError } from '../../util/errors.ts'
import { few, parseConfig, probability, size } from '../shared/config.ts'

const schema = z.object({
  vocab_size: size.default(32128),
  d_model: size.default(512),
  d_kv: size.default(64), // of one head; all heads together may differ from d_model
  d_ff: size.default(2048),
  num_layers: few.default(6),
  num_decoder_layers: few.nullable().default(null), // null: as many as num_layers
  num_heads: few.default(8),
  relative_attention_num_buckets: few.default(32),
  relative_attention_max_distance: z.int().min(2).max(65536).default(128),
  dropout_rate: probability.default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  initializer_factor: z.number().positive().default(1),
  feed_forward_proj: z.string().default('relu'),
  tie_word_embeddings: z.boolean().default(true),
  scale_decoder_outputs: z.boolean().optional(), // when left out: where embeddings are tied
  pad_token_id: z.int().nullable().default(0),
  eos_token_id: z
    .union([z.int(), z.array(z.int())])
    .nullable()
    .default(1),
  decoder_start_token_id: z.int().nullable().default(null), // null: the pad token
  is_encoder_decoder: z.boolean().default(true),
})

export type T5Config = z.output<typeof schema> & { decoder_start_token_id: number }

/** @throws HeedError that names what does not fit */
export function t5Config(raw: unknown): T5Config {
  const read = parseConfig(schema, raw, 'T5')
  const decoder_start_token_id = read.decoder_start_token_id ?? read.pad_token_id ?? 0
  const config = { ...read, decoder_start_token_id }
  const { relative_attention_num_buckets: buckets, relative_attention_max_distance: far } = config
  if (!Object.hasOwn(activations, activationOf(config)))
    throw new HeedError(
      'invalid-config',
      `T5: feed_forward_proj '${config.feed_forward_proj.slice(0, 80)}'`,
      {
        remedy: `It is one of ${Object.keys(activations).join(', ')}, or one with 'gated-' before it.`,
      },
    )
  if (buckets < 4 || far <= buckets / 2)
    throw new HeedError(
      'invalid-config',
      `T5: relative_attention_num_buckets ${buckets}, relative_attention_max_distance ${far}`,
      { remedy: 'There are 4 buckets or more, and the distance is above half of their number.' },
    )
  return config
}

export const decoderLayers = (config: T5Config): number =>
  config.num_decoder_layers ?? config.num_layers

/** Of all heads together. */
export const innerSize = (config: T5Config): number => config.num_heads * config.d_kv

/** Where the head is the embedding, its inputs are made smaller to fit. */
export const isScaled = (config: T5Config): boolean =>
  config.scale_decoder_outputs ?? config.tie_word_embeddings

export const isGated = (config: T5Config): boolean => config.feed_forward_proj.startsWith('gated-')

/** 'gated-gelu' has always meant the approximation by tanh. */
export function activationOf({ feed_forward_proj: name }: T5Config): Activation {
  if (name === 'gated-gelu') return 'gelu_new'
  return name.replace(/^gated-/, '') as Activation
}
