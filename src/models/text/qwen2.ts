// Qwen2 (Yang et al., 2024): Llama with biases of queries, keys and values, and windows in some layers.
import { z } from 'zod'
import { eosTokenId, size } from '../shared/config.ts'
import { windowFields, windowOf } from '../shared/windows.ts'
import { type Family, Llama, LlamaForSequenceClassification, llamaPlan } from './llama.ts'
import { commonSchema } from './llama-config.ts'

const schema = commonSchema.extend({
  vocab_size: size.default(151936),
  intermediate_size: size.default(22016),
  max_position_embeddings: size.default(32768),
  ...windowFields,
  bos_token_id: z.int().nullable().default(null),
  eos_token_id: eosTokenId.default(null),
})

export type Qwen2Config = z.output<typeof schema>

const family: Family<Qwen2Config> = {
  schema,
  plan: (config) => ({ ...llamaPlan, qkvBias: true, window: (layer) => windowOf(config, layer) }),
}

export class Qwen2 extends Llama<Qwen2Config> {
  static override readonly modelType = 'qwen2'
  static override readonly architectures = ['Qwen2ForCausalLM']
  static override readonly family = family
}

export class Qwen2ForSequenceClassification extends LlamaForSequenceClassification<Qwen2Config> {
  static override readonly modelType = 'qwen2'
  static override readonly architectures = ['Qwen2ForSequenceClassification']
  static override readonly family = family
}
