// Llama (Touvron et al., 2023). The stack is in shared/llama.ts.
import { z } from 'zod'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { llamaGGUF } from '../gguf/llama.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { llamaDefaults, llamaFamily } from '../shared/llama.ts'
import { llamaCommonSchema } from '../shared/llama-config.ts'
import { llamaHeads } from '../shared/llama-heads.ts'

const schema = once(() =>
  llamaCommonSchema().extend({
    /** Whether the projections of the attention have a bias. */
    attention_bias: z.boolean().default(false),
    /** Whether the linear layers of the feed-forward network have a bias. */
    mlp_bias: z.boolean().default(false),
  }),
)

/**
 * Config of Llama.
 * @interface
 */
export type LlamaConfig = z.output<ReturnType<typeof schema>>

const family = llamaFamily<LlamaConfig>({
  modelType: 'llama',
  title: 'Llama',
  schema,
})

/** Llama as a causal language model. */
export class Llama extends causalLM(family, 'LlamaForCausalLM') {}
/** Llama for text classification. */
export class LlamaForSequenceClassification extends lastTokenClassifier(
  family,
  'LlamaForSequenceClassification',
) {}

/** Definition of the Llama family. */
export const llama = defineModel({
  ...family,
  ...llamaDefaults,
  paper: 'Touvron et al. (2023). LLaMA: Open and Efficient Foundation Language Models',
  heads: [Llama, LlamaForSequenceClassification, ...llamaHeads(family, 'Llama')],
  // Also used for Mistral, SmolLM2 and other models that differ from Llama only in size.
  gguf: llamaGGUF({
    architecture: 'llama',
    className: 'LlamaForCausalLM',
    interleaved: true,
    biases: ['attention_bias', 'mlp_bias'],
  }),
  presets: {
    // Touvron et al. (2023), table 2
    'llama-7b': size(32, 4096, 32, 11008),
    'llama-13b': size(40, 5120, 40, 13824),
    'llama-33b': size(60, 6656, 52, 17920),
    'llama-65b': size(80, 8192, 64, 22016),
  },
})

function size(layers: number, width: number, heads: number, inner: number) {
  return {
    num_hidden_layers: layers,
    hidden_size: width,
    num_attention_heads: heads,
    intermediate_size: inner,
  }
}
