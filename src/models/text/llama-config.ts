// The config of Llama and its relatives, with the keys of the published config.json.
import { z } from 'zod'
import { activationNames } from '../../nn/index.ts'
import { HeedError } from '../../util/errors.ts'
import { eosTokenId, few, parseConfig, probability, size } from '../shared/config.ts'
import { labelFields } from '../shared/labels.ts'
import { ropeFields } from '../shared/rope.ts'

/** What all relatives have. */
export const commonSchema = z.object({
  vocab_size: size.default(32000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11008),
  num_hidden_layers: few.default(32),
  num_attention_heads: few.default(32),
  num_key_value_heads: few.nullable().optional(), // none: as many as of queries
  head_dim: few.nullable().optional(), // none: the heads share hidden_size
  hidden_act: z.enum(activationNames).default('silu'),
  max_position_embeddings: size.default(2048),
  initializer_range: z.number().positive().default(0.02),
  rms_norm_eps: z.number().positive().default(1e-6),
  ...ropeFields,
  attention_dropout: probability.default(0),
  tie_word_embeddings: z.boolean().default(false),
  pad_token_id: z.int().nullable().default(null),
  bos_token_id: z.int().nullable().default(1),
  eos_token_id: eosTokenId.default(2),
  ...labelFields,
})

export type CommonConfig = z.output<typeof commonSchema>

/**
 * A config as the schema of a relative has it.
 * @throws HeedError that names what does not fit
 */
export function parseLlamaConfig<C extends CommonConfig>(
  schema: z.ZodType<C>,
  raw: object,
  model: string,
): C {
  const config = parseConfig(schema, raw, model)
  const { hidden_size, num_attention_heads: heads, num_key_value_heads: kvHeads } = config
  if (!config.head_dim && hidden_size % heads !== 0)
    throw new HeedError(
      'invalid-config',
      `num_attention_heads ${heads} does not divide hidden_size ${hidden_size}`,
      {
        remedy: 'Take another number of heads, or tell their size as head_dim.',
      },
    )
  if (kvHeads && heads % kvHeads !== 0)
    throw new HeedError(
      'invalid-config',
      `num_key_value_heads ${kvHeads} does not divide num_attention_heads ${heads}`,
      { remedy: 'Each head of keys and values serves as many heads of queries.' },
    )
  return config
}

/** The sizes that the config leaves to be worked out. */
export function llamaWidths(config: CommonConfig): LlamaWidths {
  const heads = config.num_attention_heads
  const headDim = config.head_dim ?? config.hidden_size / heads
  const kvHeads = config.num_key_value_heads ?? heads
  return { headDim, kvHeads, queryWidth: heads * headDim, keyWidth: kvHeads * headDim }
}

export interface LlamaWidths {
  headDim: number
  kvHeads: number
  /** Of the queries of all heads together, and of keys or values. */
  queryWidth: number
  keyWidth: number
}
