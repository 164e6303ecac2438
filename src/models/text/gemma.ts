// Gemma (Gemma Team, 2024): Llama with GeGLU, scaled embeddings, and norms whose weights are stored minus 1.
import { z } from 'zod'
import { RMSNorm } from '../../nn/index.ts'
import { F, Parameter, type Tensor, zeros } from '../../tensor/index.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { defineModel } from '../definition.ts'
import { llamaGGUF } from '../gguf/llama.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { activation, dimension, eosTokenId, layerCount, tokenId } from '../shared/config.ts'
import { llamaDefaults, llamaFamily } from '../shared/llama.ts'
import { llamaCommonSchema } from '../shared/llama-config.ts'
import { llamaTokenClassifier } from '../shared/llama-heads.ts'

const schema = once(() =>
  llamaCommonSchema().extend({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(256000),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(3072),
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(24576),
    /** Number of layers. */
    num_hidden_layers: layerCount.default(28),
    /** Number of attention heads of a layer. */
    num_attention_heads: layerCount.default(16),
    /** Number of heads of keys and values (grouped-query attention). Null: num_attention_heads. */
    num_key_value_heads: layerCount.nullable().default(16),
    /** Width of a head, D. Null: hidden_size / num_attention_heads. */
    head_dim: layerCount.nullable().default(256),
    // The first releases specify gelu, but use its tanh approximation.
    /** Activation function of the feed-forward network. `gelu` is read as its tanh approximation. */
    hidden_act: activation
      .default('gelu_pytorch_tanh')
      .transform((name) => (name === 'gelu' ? 'gelu_pytorch_tanh' : name)),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(8192),
    /** Whether the projections of the attention have a bias. */
    attention_bias: z.boolean().default(false),
    /** Whether tokens attend to later ones. Not supported: false or null. */
    use_bidirectional_attention: z.literal(false).nullable().default(null),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(0),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(2),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(1),
  }),
)

/**
 * Config of Gemma.
 * @interface
 */
export type GemmaConfig = z.output<ReturnType<typeof schema>>

class Norm extends RMSNorm {
  constructor(size: number, eps: number) {
    super(size, eps)
    this.weight = new Parameter(zeros([size]))
  }

  override forward(x: Tensor): Tensor {
    return F.rmsNorm(x, this.weight.add(1), this.eps)
  }
}

const family = llamaFamily<GemmaConfig>({
  modelType: 'gemma',
  title: 'Gemma',
  schema,
  unread: unreadKeys('hidden_activation'), // used by versions that did not read hidden_act
  plan: ({ hidden_size }) => ({ embeddingScale: Math.sqrt(hidden_size), Norm }),
})

/** Gemma as a causal language model. */
export class Gemma extends causalLM(family, 'GemmaForCausalLM') {}
/** Gemma for text classification. */
export class GemmaForSequenceClassification extends lastTokenClassifier(
  family,
  'GemmaForSequenceClassification',
) {}

/** Definition of the Gemma family. */
export const gemma = defineModel({
  ...family,
  ...llamaDefaults,
  paper: 'Gemma Team (2024). Gemma: Open Models Based on Gemini Research and Technology',
  heads: [
    Gemma,
    GemmaForSequenceClassification,
    llamaTokenClassifier(family, 'GemmaForTokenClassification'),
    textEncoder(family, 'GemmaModel'),
  ],
  gguf: llamaGGUF({
    architecture: 'gemma',
    className: 'GemmaForCausalLM',
    biases: ['attention_bias'],
    fields: { hidden_act: 'gelu_pytorch_tanh', hidden_activation: 'gelu_pytorch_tanh' },
    normShift: -1, // norms multiply by 1 + weight, and files contain the sum
  }),
})
