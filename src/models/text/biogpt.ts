// BioGPT (Luo et al., 2022). Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size, V = vocab_size
import { z } from 'zod'
import {
  activations,
  attention,
  Dropout,
  Embedding,
  keyMask,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
  tokenPositions,
} from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { defineModel } from '../definition.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { dropoutClassifier, tokenClassifier } from '../heads/token-classification.ts'
import {
  activation,
  checkDivides,
  deviation,
  dimension,
  eosTokenId,
  layerCount,
  probability,
  tokenId,
} from '../shared/config.ts'
import { cacheOf, contextOf, type DecoderFamily, type TextStackOptions } from '../shared/family.ts'
import { labelFields } from '../shared/labels.ts'
import { bertSizes } from '../shared/sizes.ts'
import { decoderTokenizer } from '../shared/tokenizers.ts'

/** Added to the variance in layer normalisation, whatever `layer_norm_eps` of the config says. */
const EPSILON = 1e-5
/** Rows of the position embeddings before that of position 0, as in fairseq. */
const FIRST_POSITION = 2

const schema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(42384),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(1024),
    /** Number of layers. */
    num_hidden_layers: layerCount.default(24),
    /** Number of attention heads of a layer. */
    num_attention_heads: layerCount.default(16),
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(4096),
    /** Activation function of the feed-forward network. */
    hidden_act: activation.default('gelu'),
    /** Dropout probability of the embeddings and of the output of each block. */
    hidden_dropout_prob: probability.default(0.1),
    /** Dropout probability of the attention weights. */
    attention_probs_dropout_prob: probability.default(0.1),
    /** Dropout probability of the hidden layer of the feed-forward network. */
    activation_dropout: probability.default(0),
    /** Dropout probability before the layer that classifies tokens. Null: hidden_dropout_prob. */
    classifier_dropout: probability.nullish(),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(1024),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Whether token embeddings are multiplied by √C. */
    scale_embedding: z.boolean().default(true),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(1),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(0),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(2),
    ...labelFields,
  }),
)

/**
 * Config of BioGPT.
 * @interface
 */
export type BioGptConfig = z.output<ReturnType<typeof schema>>

class Attention extends Module<BioGptConfig> {
  k_proj = linear(this.config, this.config.hidden_size, this.config.hidden_size)
  v_proj = linear(this.config, this.config.hidden_size, this.config.hidden_size)
  q_proj = linear(this.config, this.config.hidden_size, this.config.hidden_size)
  out_proj = linear(this.config, this.config.hidden_size, this.config.hidden_size)

  forward(x: Tensor, mask?: Tensor, cache?: LayerCache): Tensor {
    const { num_attention_heads: heads, attention_probs_dropout_prob } = this.config
    const [q, k, v] = [this.q_proj, this.k_proj, this.v_proj].map((proj) => proj.forward(x))
    const dropout = this.training ? attention_probs_dropout_prob : 0
    return this.out_proj.forward(attention(q, k, v, { heads, causal: true, mask, cache, dropout }))
  }
}

class Block extends Module<BioGptConfig> {
  self_attn = new Attention(this.config)
  self_attn_layer_norm = norm(this.config)
  fc1 = linear(this.config, this.config.hidden_size, this.config.intermediate_size)
  fc2 = linear(this.config, this.config.intermediate_size, this.config.hidden_size)
  final_layer_norm = norm(this.config)
  dropout = new Dropout(this.config.hidden_dropout_prob)
  activation_dropout = new Dropout(this.config.activation_dropout)

  forward(x: Tensor, mask?: Tensor, cache?: LayerCache): Tensor {
    const attended = this.self_attn.forward(this.self_attn_layer_norm.forward(x), mask, cache)
    x = x.add(this.dropout.forward(attended))
    const activate = activations[this.config.hidden_act]
    const inner = activate(this.fc1.forward(this.final_layer_norm.forward(x)))
    return x.add(this.dropout.forward(this.fc2.forward(this.activation_dropout.forward(inner))))
  }
}

class Transformer extends Module<BioGptConfig> {
  embed_tokens = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    ...initial(this.config),
    paddingIndex: this.config.pad_token_id,
  })
  embed_positions = new Embedding(
    this.config.max_position_embeddings + FIRST_POSITION,
    this.config.hidden_size,
    initial(this.config),
  )
  layers = Array.from({ length: this.config.num_hidden_layers }, () => new Block(this.config))
  layer_norm = norm(this.config)
  dropout = new Dropout(this.config.hidden_dropout_prob)

  forward(ids: Tensor, { cache, attentionMask, logitsAt }: TextStackOptions): Tensor {
    const { scale_embedding, hidden_size } = this.config
    const positions = tokenPositions(ids, { cache, attentionMask }).add(FIRST_POSITION)
    const mask = keyMask(attentionMask)
    const tokens = this.embed_tokens.forward(ids)
    const scaled = scale_embedding ? tokens.mul(Math.sqrt(hidden_size)) : tokens
    let x = this.dropout.forward(scaled.add(this.embed_positions.forward(positions))) // (B, T, C)
    this.layers.forEach((layer, i) => {
      x = layer.forward(x, mask, cache?.layers[i])
    })
    return this.layer_norm.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }
}

const family: DecoderFamily<BioGptConfig, Transformer, 'biogpt'> = {
  modelType: 'biogpt',
  title: 'BioGPT',
  config: {
    schema,
    aliases: {},
    unread: {
      ...unreadKeys('layer_norm_eps'),
      layerdrop: [0], // skips whole layers in training
    },
    complete: (config) => checkDivides(config, 'num_attention_heads', 'hidden_size', 'BioGPT'),
  },
  Stack: Transformer,
  prefix: 'biogpt',
  names: { width: 'hidden_size', layers: ['layers'], embeddings: 'embed_tokens' },
  contextLength: contextOf('max_position_embeddings'),
  cache: cacheOf('num_hidden_layers', 'num_attention_heads', 'hidden_size'),
}

/** The output layer of BioGPT. */
export interface BioGptOutputLayer {
  /** Hidden states to logits, C to V features. */
  output_projection: Linear
}

/** BioGPT as a causal language model. */
export class BioGpt extends causalLM(family, 'BioGptForCausalLM', {
  layers: (config, { embeddings }): BioGptOutputLayer => ({
    output_projection: new Linear(config.hidden_size, config.vocab_size, {
      ...initial(config),
      bias: false,
      weight: config.tie_word_embeddings ? embeddings().weight : undefined,
    }),
  }),
  logits: ({ output_projection }, states) => output_projection.forward(states),
}) {}
/** BioGPT for text classification. */
export class BioGptForSequenceClassification extends lastTokenClassifier(
  family,
  'BioGptForSequenceClassification',
) {}
/** BioGPT for token classification. */
export class BioGptForTokenClassification extends tokenClassifier(
  family,
  dropoutClassifier(
    family,
    'BioGptForTokenClassification',
    (config) => config.classifier_dropout ?? config.hidden_dropout_prob,
  ),
) {}

/** Definition of the BioGPT family. */
export const bioGpt = defineModel({
  ...family,
  paper:
    'Luo et al. (2022). BioGPT: Generative Pre-trained Transformer for Biomedical Text Generation and Mining',
  otherNames: [],
  heads: [
    BioGpt,
    BioGptForSequenceClassification,
    BioGptForTokenClassification,
    textEncoder(family, 'BioGptModel'),
  ],
  sizes: bertSizes,
  dropout: ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'activation_dropout'],
  tokenizer: decoderTokenizer,
  image: null,
  task: 'text-generation',
  maskedLanguageModeling: null,
  gguf: null,
  adapterTargets: {
    lora: ['q_proj', 'v_proj'],
    ia3: ['q_proj', 'v_proj'],
    feedForward: ['fc2'],
    blocks: { attention: ['self_attn.out_proj'], feedForward: ['fc1', 'fc2'] },
  },
  presets: {
    biogpt: {},
    'biogpt-large': {
      vocab_size: 57717,
      hidden_size: 1600,
      num_hidden_layers: 48,
      num_attention_heads: 25,
      intermediate_size: 6400,
      max_position_embeddings: 2048,
    },
  },
})

const initial = ({ initializer_range: std }: BioGptConfig): { std: number } => ({ std })

const norm = ({ hidden_size }: BioGptConfig): LayerNorm => new LayerNorm(hidden_size, EPSILON)

const linear = (config: BioGptConfig, from: number, to: number): Linear =>
  new Linear(from, to, initial(config))
