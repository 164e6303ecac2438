// Llama (Touvron et al., 2023). Its stack is in shared/llama.ts.
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
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
  }),
)

export type LlamaConfig = z.output<ReturnType<typeof schema>>

const family = llamaFamily<LlamaConfig>({
  modelType: 'llama',
  title: 'Llama',
  schema,
})

export class Llama extends causalLM(family, 'LlamaForCausalLM') {}
export class LlamaForSequenceClassification extends lastTokenClassifier(
  family,
  'LlamaForSequenceClassification',
) {}

export const llama = defineModel({
  ...family,
  ...llamaDefaults,
  heads: [Llama, LlamaForSequenceClassification, ...llamaHeads(family, 'Llama')],
  // Also Mistral, SmolLM2 and all others that differ by size alone.
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
