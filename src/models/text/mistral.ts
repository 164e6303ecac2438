// Mistral 7B (Jiang et al., 2023): Llama with a sliding window.
import type { z } from 'zod'
import { few, size } from '../shared/config.ts'
import { type Family, Llama, LlamaForSequenceClassification, llamaPlan } from './llama.ts'
import { commonSchema } from './llama-config.ts'

const schema = commonSchema.extend({
  intermediate_size: size.default(14336),
  num_key_value_heads: few.nullable().default(8),
  max_position_embeddings: size.default(131072),
  sliding_window: size.nullable().default(4096),
})

export type MistralConfig = z.output<typeof schema>

const family: Family<MistralConfig> = {
  schema,
  plan: ({ sliding_window }) => ({ ...llamaPlan, window: () => sliding_window }),
}

export class Mistral extends Llama<MistralConfig> {
  static override readonly modelType = 'mistral'
  static override readonly architectures = ['MistralForCausalLM']
  static override readonly family = family
}

export class MistralForSequenceClassification extends LlamaForSequenceClassification<MistralConfig> {
  static override readonly modelType = 'mistral'
  static override readonly architectures = ['MistralForSequenceClassification']
  static override readonly family = family
}
