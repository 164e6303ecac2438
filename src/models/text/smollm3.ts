// SmolLM3 (Bakouch et al., 2025): Llama with layers without rotary embeddings.
import { z } from 'zod'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { checkLayerList, dimension, eosTokenId, layerCount, tokenId } from '../shared/config.ts'
import { llamaDefaults, llamaFamily } from '../shared/llama.ts'
import { llamaCommonSchema } from '../shared/llama-config.ts'
import { llamaHeads } from '../shared/llama-heads.ts'
import { windowFields, windowOf } from '../shared/windows.ts'

const schema = once(() =>
  llamaCommonSchema().extend({
    ...windowFields,
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(128256),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(2048),
    /** Number of layers. */
    num_hidden_layers: layerCount.default(36),
    /** Number of attention heads of a layer. */
    num_attention_heads: layerCount.default(16),
    /** Number of heads of keys and values (grouped-query attention). Null: num_attention_heads. */
    num_key_value_heads: layerCount.nullable().default(4),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(32768),
    /** Base of the frequencies of rotary embeddings. */
    rope_theta: z.number().positive().default(2e6),
    /** Whether the projections of the attention have a bias. */
    attention_bias: z.boolean().default(false),
    /** Whether the linear layers of the feed-forward network have a bias. */
    mlp_bias: z.boolean().default(false),
    /** Number of tokens that a token attends to, itself included. Null: no limit. */
    sliding_window: dimension.nullable().default(null),
    /** One number per layer: 0 for a layer without rotary embeddings. Null: derived from `no_rope_layer_interval`. */
    no_rope_layers: z.array(z.int()).max(4096).nullable().default(null),
    /** Distance between layers without rotary embeddings, if no_rope_layers is null. */
    no_rope_layer_interval: layerCount.default(4),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(128004),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(128000),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(128001),
  }),
)

/**
 * Config of SmolLM3.
 * @interface
 */
export type SmolLM3Config = z.output<ReturnType<typeof schema>>

const family = llamaFamily<SmolLM3Config>({
  modelType: 'smollm3',
  title: 'SmolLM3',
  schema,
  plan: (config) => {
    checkLayerList(config, 'no_rope_layers', 'SmolLM3')
    const rotates = (layer: number): boolean =>
      config.no_rope_layers
        ? config.no_rope_layers[layer] !== 0
        : (layer + 1) % config.no_rope_layer_interval !== 0
    return {
      rotates,
      window: (layer) =>
        config.layer_types || !rotates(layer)
          ? windowOf({ ...config, max_window_layers: 0 }, layer)
          : null,
    }
  },
})

/** SmolLM3 as a causal language model. */
export class SmolLM3 extends causalLM(family, 'SmolLM3ForCausalLM') {}

/** Definition of the SmolLM3 family. */
export const smollm3 = defineModel({
  ...family,
  ...llamaDefaults,
  paper: 'Bakouch et al. (2025). SmolLM3: smol, multilingual, long-context reasoner',
  heads: [
    SmolLM3,
    lastTokenClassifier(family, 'SmolLM3ForSequenceClassification'),
    ...llamaHeads(family, 'SmolLM3'),
  ],
  gguf: null,
})
