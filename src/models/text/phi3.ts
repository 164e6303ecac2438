// Phi-3 (Abdin et al., 2024): Llama with fused projections, and LongRoPE for long contexts (Ding et al., 2024).
import { z } from 'zod'
import { once } from '../../util/once.ts'
import { defineModel } from '../definition.ts'
import { phi3GGUF } from '../gguf/phi3.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { dimension, eosTokenId, epsilon, probability, tokenId } from '../shared/config.ts'
import { FusedAttention, FusedMLP, llamaDefaults, llamaFamily } from '../shared/llama.ts'
import { llamaCommonSchema } from '../shared/llama-config.ts'
import { llamaTokenClassifier } from '../shared/llama-heads.ts'
import { ropeFields, ropeOf } from '../shared/rope.ts'

/** The first releases have the type names of LongRoPE's drafts. */
const rope = z.preprocess(
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const { type, rope_type = type, ...rest }: Record<string, unknown> = { ...value }
    return {
      ...rest,
      rope_type: rope_type === 'su' || rope_type === 'yarn' ? 'longrope' : rope_type,
    }
  },
  ropeFields.rope_scaling.refine(
    (value) => [undefined, 'default', 'longrope'].includes(value?.rope_type),
    "must have the rope_type 'longrope' or 'default'",
  ),
)

const schema = once(() =>
  llamaCommonSchema().extend({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(32064),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(3072),
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(8192),
    /** Scaling of rotary embeddings in older files. It overrides `rope_parameters`. */
    rope_scaling: rope,
    /** Type, base and scaling of rotary embeddings. */
    rope_parameters: rope,
    /** Dropout probability of the output of each block. */
    resid_pdrop: probability.default(0),
    /** Dropout probability of the embeddings. Ignored, as in transformers. */
    embd_pdrop: probability.default(0),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(4096),
    /** Context length before it was extended, in tokens, for the scaling of rotary embeddings. */
    original_max_position_embeddings: dimension.default(4096),
    /** Added to the mean square in RMS normalisation. */
    rms_norm_eps: epsilon.default(1e-5),
    /** Number of tokens that a token attends to, itself included. Null: no limit. */
    sliding_window: dimension.nullable().default(null),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(32000),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(32000),
  }),
)

/**
 * Config of Phi-3.
 * @interface
 */
export type Phi3Config = z.output<ReturnType<typeof schema>>

const family = llamaFamily<Phi3Config>({
  modelType: 'phi3',
  title: 'Phi-3',
  schema,
  rotatesPart: true,
  plan: ({ sliding_window, resid_pdrop, ...config }) => ({
    rope: ropeOf(config),
    window: () => sliding_window,
    residualDropout: resid_pdrop,
    Attention: FusedAttention,
    MLP: FusedMLP,
  }),
})

/** Phi-3 as a causal language model. */
export class Phi3 extends causalLM(family, 'Phi3ForCausalLM') {}

/** Definition of the Phi-3 family. */
export const phi3 = defineModel({
  ...family,
  ...llamaDefaults,
  paper:
    'Abdin et al. (2024). Phi-3 Technical Report: A Highly Capable Language Model Locally on Your Phone',
  heads: [
    Phi3,
    lastTokenClassifier(family, 'Phi3ForSequenceClassification'),
    llamaTokenClassifier(family, 'Phi3ForTokenClassification'),
    textEncoder(family, 'Phi3Model'),
  ],
  dropout: ['resid_pdrop', 'attention_dropout'],
  gguf: phi3GGUF,
})
