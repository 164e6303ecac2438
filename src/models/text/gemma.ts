// Gemma (Gemma Team, 2024): Llama with GeGLU, scaled embeddings, and norms that store their distance from 1.
import { z } from 'zod'
import { activationNames, RMSNorm } from '../../nn/index.ts'
import { F, Parameter, type Tensor, zeros } from '../../tensor/index.ts'
import { eosTokenId, few, size } from '../shared/config.ts'
import { type Family, Llama, LlamaForSequenceClassification, llamaPlan } from './llama.ts'
import { commonSchema } from './llama-config.ts'

const schema = commonSchema.extend({
  vocab_size: size.default(256000),
  hidden_size: size.default(3072),
  intermediate_size: size.default(24576),
  num_hidden_layers: few.default(28),
  num_attention_heads: few.default(16),
  num_key_value_heads: few.nullable().default(16),
  head_dim: few.nullable().default(256),
  // The first uploads say gelu and mean its approximation.
  hidden_act: z
    .enum(activationNames)
    .default('gelu_pytorch_tanh')
    .transform((name) => (name === 'gelu' ? 'gelu_pytorch_tanh' : name)),
  max_position_embeddings: size.default(8192),
  attention_bias: z.boolean().default(false),
  use_bidirectional_attention: z.literal(false).nullable().default(null),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().nullable().default(0),
  bos_token_id: z.int().nullable().default(2),
  eos_token_id: eosTokenId.default(1),
})

export type GemmaConfig = z.output<typeof schema>

class Norm extends RMSNorm {
  constructor(size: number, eps: number) {
    super(size, eps)
    this.weight = new Parameter(zeros([size]))
  }

  override forward(x: Tensor): Tensor {
    return F.rmsNorm(x, this.weight.add(1), this.eps)
  }
}

const family: Family<GemmaConfig> = {
  schema,
  plan: ({ attention_bias: qkvBias, hidden_size }) => ({
    ...llamaPlan,
    qkvBias,
    outBias: qkvBias,
    embeddingScale: Math.sqrt(hidden_size),
    Norm,
  }),
}

export class Gemma extends Llama<GemmaConfig> {
  static override readonly modelType = 'gemma'
  static override readonly architectures = ['GemmaForCausalLM']
  static override readonly family = family
}

export class GemmaForSequenceClassification extends LlamaForSequenceClassification<GemmaConfig> {
  static override readonly modelType = 'gemma'
  static override readonly architectures = ['GemmaForSequenceClassification']
  static override readonly family = family
}
