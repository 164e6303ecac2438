// Qwen2 (Yang et al., 2024): Llama with biases in the q, k and v projections, and sliding windows in some layers.
import type { z } from 'zod'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { llamaGGUF } from '../gguf/llama.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { dimension, eosTokenId, tokenId } from '../shared/config.ts'
import { llamaDefaults, llamaFamily } from '../shared/llama.ts'
import { llamaCommonSchema } from '../shared/llama-config.ts'
import { llamaHeads } from '../shared/llama-heads.ts'
import { windowFields, windowOf } from '../shared/windows.ts'

const schema = once(() =>
  llamaCommonSchema().extend({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(151936),
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(22016),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(32768),
    ...windowFields,
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(null),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(null),
  }),
)

/**
 * Config of Qwen2.
 * @interface
 */
export type Qwen2Config = z.output<ReturnType<typeof schema>>

const family = llamaFamily<Qwen2Config>({
  modelType: 'qwen2',
  title: 'Qwen2',
  schema,
  plan: (config) => ({ qkvBias: true, window: (layer) => windowOf(config, layer) }),
})

/** Qwen2 as a causal language model. */
export class Qwen2 extends causalLM(family, 'Qwen2ForCausalLM') {}
/** Qwen2 for text classification. */
export class Qwen2ForSequenceClassification extends lastTokenClassifier(
  family,
  'Qwen2ForSequenceClassification',
) {}

/** Definition of the Qwen2 family. */
export const qwen2 = defineModel({
  ...family,
  ...llamaDefaults,
  paper: 'Yang et al. (2024). Qwen2 Technical Report',
  heads: [Qwen2, Qwen2ForSequenceClassification, ...llamaHeads(family, 'Qwen2')],
  gguf: llamaGGUF({ architecture: 'qwen2', className: 'Qwen2ForCausalLM' }),
})
