// DistilBERT (Sanh et al., 2019): half of BERT's layers, without token types and pooler.
// B batch, T tokens, C = dim, V = vocab_size
import { z } from 'zod'
import {
  activations,
  attention,
  Dropout,
  Embedding,
  keyMask,
  LayerNorm,
  Linear,
  Module,
} from '../../nn/index.ts'
import { Parameter, type Tensor, tensor } from '../../tensor/index.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { defineModel } from '../definition.ts'
import { classifierLayers, classify, headLinear } from '../heads/headed-model.ts'
import { maskedLM } from '../heads/masked-lm.ts'
import { questionAnswerer } from '../heads/question-answering.ts'
import { sequenceClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { dropoutClassifier, tokenClassifier } from '../heads/token-classification.ts'
import { bertKeys } from '../shared/checkpoint-keys.ts'
import {
  activation,
  checkDivides,
  deviation,
  dimension,
  layerCount,
  probability,
  tokenId,
} from '../shared/config.ts'
import type { TextFamily, TextStackOptions } from '../shared/family.ts'
import { labelFields } from '../shared/labels.ts'
import { narrowDeviation } from '../shared/sizes.ts'
import { bertTokenizer } from '../shared/tokenizers.ts'

const schema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(30522),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(512),
    /** Whether position embeddings start as sinusoids (Vaswani et al., 2017, section 3.5). */
    sinusoidal_pos_embds: z.boolean().default(false),
    /** Number of layers. */
    n_layers: layerCount.default(6),
    /** Number of attention heads of a layer. */
    n_heads: layerCount.default(12),
    /** Width of the hidden states, C. */
    dim: dimension.default(768),
    /** Width of the hidden layer of the feed-forward network. */
    hidden_dim: dimension.default(3072),
    /** Dropout probability of the embeddings and of the output of each feed-forward network. */
    dropout: probability.default(0.1),
    /** Dropout probability of the attention weights. */
    attention_dropout: probability.default(0.1),
    /** Activation function of the feed-forward network. */
    activation: activation.default('gelu'),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Dropout probability before the question answering layer. */
    qa_dropout: probability.default(0.1),
    /** Dropout probability before the classification layer. */
    seq_classif_dropout: probability.default(0.2),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(0),
    ...labelFields,
  }),
)

/**
 * Config of DistilBERT.
 * @interface
 */
export type DistilBertConfig = z.output<ReturnType<typeof schema>>

class Embeddings extends Module<DistilBertConfig> {
  word_embeddings = new Embedding(this.config.vocab_size, this.config.dim, {
    std: this.config.initializer_range,
    paddingIndex: this.config.pad_token_id,
  })
  position_embeddings = positions(this.config)
  LayerNorm = norm(this.config)
  dropout = new Dropout(this.config.dropout)

  forward(ids: Tensor): Tensor {
    const places = this.position_embeddings.weight.narrow(0, 0, ids.shape[1]) // (T, C)
    const x = this.word_embeddings.forward(ids).add(places) // (B, T, C)
    return this.dropout.forward(this.LayerNorm.forward(x))
  }
}

class SelfAttention extends Module<DistilBertConfig> {
  q_lin = headLinear(this.config.dim, this.config.dim, this.config)
  k_lin = headLinear(this.config.dim, this.config.dim, this.config)
  v_lin = headLinear(this.config.dim, this.config.dim, this.config)
  out_lin = headLinear(this.config.dim, this.config.dim, this.config)

  forward(x: Tensor, mask?: Tensor): Tensor {
    const y = attention(this.q_lin.forward(x), this.k_lin.forward(x), this.v_lin.forward(x), {
      heads: this.config.n_heads,
      mask,
      dropout: this.training ? this.config.attention_dropout : 0,
    })
    return this.out_lin.forward(y)
  }
}

class FFN extends Module<DistilBertConfig> {
  lin1 = headLinear(this.config.dim, this.config.hidden_dim, this.config)
  lin2 = headLinear(this.config.hidden_dim, this.config.dim, this.config)
  dropout = new Dropout(this.config.dropout)

  forward(x: Tensor): Tensor {
    const hidden = activations[this.config.activation](this.lin1.forward(x))
    return this.dropout.forward(this.lin2.forward(hidden))
  }
}

class Block extends Module<DistilBertConfig> {
  attention = new SelfAttention(this.config)
  sa_layer_norm = norm(this.config)
  ffn = new FFN(this.config)
  output_layer_norm = norm(this.config)

  forward(x: Tensor, mask?: Tensor): Tensor {
    x = this.sa_layer_norm.forward(this.attention.forward(x, mask).add(x))
    return this.output_layer_norm.forward(this.ffn.forward(x).add(x))
  }
}

class Transformer extends Module<DistilBertConfig> {
  layer = Array.from({ length: this.config.n_layers }, () => new Block(this.config))

  forward(x: Tensor, mask?: Tensor): Tensor {
    return this.layer.reduce((states, layer) => layer.forward(states, mask), x)
  }
}

/** The stack of DistilBERT. */
class DistilBertStack extends Module<DistilBertConfig> {
  /** Embeddings of tokens and positions. */
  embeddings = new Embeddings(this.config)
  /** The layers. */
  transformer = new Transformer(this.config)

  /** Computes hidden states: i32 (B, T) -> f32 (B, T, C). */
  forward(ids: Tensor, { attentionMask }: TextStackOptions): Tensor {
    return this.transformer.forward(this.embeddings.forward(ids), keyMask(attentionMask))
  }
}

const family: TextFamily<DistilBertConfig, DistilBertStack, 'distilbert'> = {
  modelType: 'distilbert',
  title: 'DistilBERT',
  config: {
    schema,
    aliases: { hidden_size: 'dim', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' },
    unread: unreadKeys('tie_weights_'),
    complete: (config) => {
      checkDivides(config, 'n_heads', 'dim', 'DistilBERT')
      return config
    },
  },
  Stack: DistilBertStack,
  prefix: 'distilbert',
  names: {
    width: 'dim',
    layers: ['transformer.layer'],
    embeddings: 'embeddings.word_embeddings',
  },
  contextLength: ({ max_position_embeddings }) => max_position_embeddings,
  ...bertKeys,
}

/** DistilBERT without a head: hidden states of tokens. */
export class DistilBertModel extends textEncoder(family, 'DistilBertModel') {}
/** DistilBERT for masked language modelling. */
export class DistilBertForMaskedLM extends maskedLM(family, {
  architectures: 'DistilBertForMaskedLM',
  layers: (config, { embeddings }) => ({
    /** Dense layer of the head, C to C features. */
    vocab_transform: headLinear(config.dim, config.dim, config),
    /** Normalisation of the head. */
    vocab_layer_norm: norm(config),
    /** Hidden states to logits, C to V features. */
    vocab_projector: new Linear(config.dim, config.vocab_size, {
      std: config.initializer_range,
      weight: config.tie_word_embeddings ? embeddings().weight : undefined,
    }),
  }),
  logits: ({ vocab_transform, vocab_layer_norm, vocab_projector }, states, { config }) => {
    const hidden = activations[config.activation](vocab_transform.forward(states))
    return vocab_projector.forward(vocab_layer_norm.forward(hidden))
  },
}) {}
/** DistilBERT for text classification. */
export class DistilBertForSequenceClassification extends sequenceClassifier(family, {
  architectures: 'DistilBertForSequenceClassification',
  layers: (config, { labelCount }) => ({
    /** Dense layer of the head, C to C features. */
    pre_classifier: headLinear(config.dim, config.dim, config),
    ...classifierLayers(config.dim, labelCount, config, config.seq_classif_dropout),
  }),
  logits: (layers, states) =>
    classify(layers, layers.pre_classifier.forward(states.select(1, 0)).relu()), // (B, T, C) -> (B, K)
}) {}
/** DistilBERT for token classification. */
export class DistilBertForTokenClassification extends tokenClassifier(
  family,
  dropoutClassifier(family, 'DistilBertForTokenClassification', ({ dropout }) => dropout),
) {}
/** DistilBERT for extractive question answering. */
export class DistilBertForQuestionAnswering extends questionAnswerer(family, {
  architectures: 'DistilBertForQuestionAnswering',
  layers: (config) => ({
    /** Hidden states to scores of start and end, C to 2 features. */
    qa_outputs: headLinear(config.dim, 2, config),
    /** Dropout of the hidden states. */
    dropout: new Dropout(config.qa_dropout),
  }),
  logits: ({ qa_outputs, dropout }, states) => qa_outputs.forward(dropout.forward(states)),
}) {}

/** Definition of the DistilBERT family. */
export const distilbert = defineModel({
  ...family,
  paper:
    'Sanh et al. (2019). DistilBERT, a distilled version of BERT: smaller, faster, cheaper and lighter',
  otherNames: [],
  heads: [
    DistilBertModel,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
    DistilBertForQuestionAnswering,
  ],
  sizes: ({ layers, heads, dim, context }) => ({
    max_position_embeddings: context,
    dim,
    n_layers: layers,
    n_heads: heads,
    hidden_dim: 4 * dim,
    initializer_range: narrowDeviation(dim),
  }),
  dropout: ['dropout', 'attention_dropout'],
  tokenizer: bertTokenizer,
  image: null,
  task: 'fill-mask',
  maskedLanguageModeling: 'masked-lm',
  gguf: null,
  adapterTargets: {
    lora: ['q_lin', 'v_lin'],
    ia3: ['k_lin', 'v_lin'],
    feedForward: ['ffn.lin2'],
    blocks: { attention: ['attention.out_lin'], feedForward: ['ffn', 'ffn.lin2'] },
  },
  presets: {},
})

/**
 * Learned positions. As in transformers, they may be initialised with sinusoids (Vaswani et al., 2017, section 3.5).
 */
function positions(config: DistilBertConfig): Embedding {
  const { max_position_embeddings: count, dim, initializer_range: std } = config
  const table = new Embedding(count, dim, { std })
  if (!config.sinusoidal_pos_embds) return table
  const waves = Float32Array.from({ length: count * dim }, (_, i) => {
    const angle = Math.floor(i / dim) / 10000 ** ((2 * Math.floor((i % dim) / 2)) / dim)
    return (i % dim) % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  table.weight = new Parameter(tensor(waves, { shape: [count, dim] }))
  return table
}

function norm({ dim }: DistilBertConfig): LayerNorm {
  return new LayerNorm(dim, 1e-12)
}
