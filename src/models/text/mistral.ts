// Mistral 7B (Jiang et al., 2023): Llama with a sliding window.
import type { z } from 'zod'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { dimension, layerCount } from '../shared/config.ts'
import { llamaDefaults, llamaFamily } from '../shared/llama.ts'
import { llamaCommonSchema } from '../shared/llama-config.ts'
import { llamaHeads } from '../shared/llama-heads.ts'

const schema = once(() =>
  llamaCommonSchema().extend({
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(14336),
    /** Number of heads of keys and values (grouped-query attention). Null: num_attention_heads. */
    num_key_value_heads: layerCount.nullable().default(8),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(131072),
    /** Number of tokens that a token attends to, itself included. Null: no limit. */
    sliding_window: dimension.nullable().default(4096),
  }),
)

/**
 * Config of Mistral.
 * @interface
 */
export type MistralConfig = z.output<ReturnType<typeof schema>>

const family = llamaFamily<MistralConfig>({
  modelType: 'mistral',
  title: 'Mistral',
  schema,
  plan: ({ sliding_window }) => ({ window: () => sliding_window }),
})

/** Mistral as a causal language model. */
export class Mistral extends causalLM(family, 'MistralForCausalLM') {}
/** Mistral for text classification. */
export class MistralForSequenceClassification extends lastTokenClassifier(
  family,
  'MistralForSequenceClassification',
) {}

/** Definition of the Mistral family. */
export const mistral = defineModel({
  ...family,
  ...llamaDefaults,
  paper: 'Jiang et al. (2023). Mistral 7B',
  heads: [Mistral, MistralForSequenceClassification, ...llamaHeads(family, 'Mistral', 'model')],
  gguf: null, // Mistral's GGUF files have the architecture `llama`
})
