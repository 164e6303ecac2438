// The stack of BERT (Devlin et al., 2019) and its variants. Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size
import { z } from 'zod'
import {
  activations,
  attention,
  Dropout,
  Embedding,
  type KVCache,
  keyMask,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
  packedTexts,
  tokenPositions,
} from '../../nn/index.ts'
import type { Parameter, Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { type ClassifierLayers, classifierLayers, headLinear } from '../heads/headed-model.ts'
import { bertKeys } from './checkpoint-keys.ts'
import {
  activation,
  checkDivides,
  deviation,
  dimension,
  eosTokenId,
  epsilon,
  layerCount,
  probability,
  tokenId,
} from './config.ts'
import type { DecoderFamily, StackParts, TextStackOptions } from './family.ts'
import { labelFields } from './labels.ts'

/** Schema of BERT's config.json. */
export const bertSchema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(30522),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(768),
    /** Number of layers. */
    num_hidden_layers: layerCount.default(12),
    /** Number of attention heads of a layer. */
    num_attention_heads: layerCount.default(12),
    /** Width of the hidden layer of the feed-forward network. */
    intermediate_size: dimension.default(3072),
    /** Activation function of the feed-forward network. */
    hidden_act: activation.default('gelu'),
    /** Dropout probability of the embeddings and of the output of each block. */
    hidden_dropout_prob: probability.default(0.1),
    /** Dropout probability of the attention weights. */
    attention_probs_dropout_prob: probability.default(0.1),
    /** Dropout probability before the classification layer. Null: hidden_dropout_prob. */
    classifier_dropout: probability.nullable().default(null),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(512),
    /** Number of token types: segments of a text pair. */
    type_vocab_size: dimension.default(2),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Added to the variance in layer normalisation. */
    layer_norm_eps: epsilon.default(1e-12),
    /** Whether tokens attend to earlier ones only. */
    is_decoder: z.boolean().default(false),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(0),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(null),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(null),
    ...labelFields,
  }),
)

/**
 * Config of BERT and its variants.
 * @interface
 */
export type BertConfig = z.output<ReturnType<typeof bertSchema>>

/** Config keys that contain a dropout probability for training. */
export const bertDropout = ['hidden_dropout_prob', 'attention_probs_dropout_prob']

/** Embeddings of tokens, token types and positions. */
export class BertEmbeddings extends Module<BertConfig> {
  word_embeddings = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    ...initial(this.config),
    paddingIndex: this.config.pad_token_id,
  })
  position_embeddings = new Embedding(
    this.config.max_position_embeddings,
    this.config.hidden_size,
    initial(this.config),
  )
  token_type_embeddings = new Embedding(
    this.config.type_vocab_size,
    this.config.hidden_size,
    initial(this.config),
  )
  LayerNorm = norm(this.config)
  dropout = new Dropout(this.config.hidden_dropout_prob)

  forward(ids: Tensor, options: TextStackOptions): Tensor {
    const { tokenTypeIds } = options
    const types = tokenTypeIds
      ? this.token_type_embeddings.forward(tokenTypeIds)
      : this.token_type_embeddings.weight.narrow(0, 0, 1) // (1, C)
    const x = this.word_embeddings.forward(ids).add(types).add(this.positions(ids, options)) // (B, T, C)
    return this.dropout.forward(this.LayerNorm.forward(x))
  }

  /** Position embeddings of ids (B, T): (T, C), or (B, T, C) if positions differ between sequences. */
  protected positions(ids: Tensor, { cache, attentionMask }: TextStackOptions): Tensor {
    const texts = packedTexts(attentionMask)
    if (cache || texts)
      return this.position_embeddings.forward(tokenPositions(ids, { cache, attentionMask: texts }))
    return this.position_embeddings.weight.narrow(0, 0, ids.shape[1])
  }
}

class SelfAttention extends Module<BertConfig> {
  query = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  key = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  value = linear(this.config.hidden_size, this.config.hidden_size, this.config)

  forward(x: Tensor, mask?: Tensor, cache?: LayerCache): Tensor {
    return attention(this.query.forward(x), this.key.forward(x), this.value.forward(x), {
      heads: this.config.num_attention_heads,
      causal: this.config.is_decoder,
      mask,
      cache,
      dropout: this.training ? this.config.attention_probs_dropout_prob : 0,
    })
  }
}

/** The end of both halves of a layer: a projection, the residual connection and a norm. */
class Output extends Module<BertConfig> {
  dense: Linear
  LayerNorm = norm(this.config)
  dropout = new Dropout(this.config.hidden_dropout_prob)

  constructor(inputs: number, config: BertConfig) {
    super(config)
    this.dense = linear(inputs, config.hidden_size, config)
  }

  forward(x: Tensor, residual: Tensor): Tensor {
    return this.LayerNorm.forward(this.dropout.forward(this.dense.forward(x)).add(residual))
  }
}

class Attention extends Module<BertConfig> {
  self = new SelfAttention(this.config)
  output = new Output(this.config.hidden_size, this.config)

  forward(x: Tensor, mask?: Tensor, cache?: LayerCache): Tensor {
    return this.output.forward(this.self.forward(x, mask, cache), x)
  }
}

class Intermediate extends Module<BertConfig> {
  dense = linear(this.config.hidden_size, this.config.intermediate_size, this.config)

  forward(x: Tensor): Tensor {
    return activations[this.config.hidden_act](this.dense.forward(x))
  }
}

class Layer extends Module<BertConfig> {
  attention = new Attention(this.config)
  intermediate = new Intermediate(this.config)
  output = new Output(this.config.intermediate_size, this.config)

  forward(x: Tensor, mask?: Tensor, cache?: LayerCache): Tensor {
    const attended = this.attention.forward(x, mask, cache)
    return this.output.forward(this.intermediate.forward(attended), attended)
  }
}

class Encoder extends Module<BertConfig> {
  layer = Array.from({ length: this.config.num_hidden_layers }, () => new Layer(this.config))

  forward(x: Tensor, mask?: Tensor, cache?: KVCache): Tensor {
    return this.layer.reduce((states, layer, i) => layer.forward(states, mask, cache?.layers[i]), x)
  }
}

class Pooler extends Module<BertConfig> {
  dense = linear(this.config.hidden_size, this.config.hidden_size, this.config)

  forward(states: Tensor): Tensor {
    return this.dense.forward(states.select(1, 0)).tanh() // (B, T, C) -> (B, C)
  }
}

/** The stack of BERT and its variants. */
export class BertStack extends Module<BertConfig> {
  /** Embeddings of tokens, positions and token types. */
  embeddings = new BertEmbeddings(this.config)
  /** The layers. */
  encoder = new Encoder(this.config)
  /** Only present for heads that need it. */
  pooler: Pooler | null

  constructor(config: BertConfig, { pooler }: StackParts) {
    super(config)
    this.pooler = pooler ? new Pooler(this.config) : null
  }

  /** Computes hidden states: i32 (B, T) -> f32 (B, T, C). */
  forward(ids: Tensor, options: TextStackOptions): Tensor {
    const { attentionMask, cache, logitsAt } = options
    const x = this.embeddings.forward(ids, options)
    const states = this.encoder.forward(x, keyMask(attentionMask), cache)
    return logitsAt ? states.take(logitsAt, 1) : states
  }

  /**
   * Applies the pooler to the hidden state of the first token: (B, T, C) -> (B, C). @throws HeedError without a pooler
   */
  pooled(states: Tensor): Tensor {
    if (this.pooler) return this.pooler.forward(states)
    throw new HeedError(
      'invalid-state',
      'This stack must have a pooler, but was created without one',
      {
        remedy: 'Use a head with a pooler, such as sequence classification.',
      },
    )
  }
}

/** Differences of a BERT variant. `P` is the prefix of its keys. */
export interface BertVariant<C extends BertConfig, P extends string> {
  modelType: string
  title: string
  schema: () => z.ZodType<C>
  prefix: P
  Stack?: new (config: BertConfig, has: StackParts) => BertStack
  contextLength?: (config: C) => number
}

/** The family of a BERT variant. */
export const bertFamily = <C extends BertConfig, P extends string>({
  modelType,
  title,
  schema,
  prefix,
  Stack = BertStack,
  contextLength = ({ max_position_embeddings }) => max_position_embeddings,
}: BertVariant<C, P>): DecoderFamily<C, BertStack, P> => ({
  modelType,
  title,
  config: {
    schema,
    aliases: {},
    unread: {
      // Keys of multilingual BERT in its first release
      ...unreadKeys('directionality', 'pooler_fc_size', 'pooler_num_attention_heads'),
      ...unreadKeys('pooler_num_fc_layers', 'pooler_size_per_head', 'pooler_type'),
      position_embedding_type: ['absolute'], // the only one in transformers 5
    },
    complete: (config) => {
      checkDivides(config, 'num_attention_heads', 'hidden_size', title)
      return config
    },
  },
  Stack,
  prefix,
  names: {
    width: 'hidden_size',
    layers: ['encoder.layer'],
    embeddings: 'embeddings.word_embeddings',
    required: ['embeddings', 'encoder'],
  },
  contextLength,
  cache: ({ num_hidden_layers, num_attention_heads, hidden_size }) => ({
    layers: num_hidden_layers,
    heads: num_attention_heads,
    headDim: hidden_size / num_attention_heads,
  }),
  ...bertKeys,
})

/** Layers of a classification head: dropout and a linear layer named `classifier`. */
export const bertClassifier = (
  config: BertConfig,
  { labelCount }: { labelCount: number },
): ClassifierLayers =>
  classifierLayers(
    config.hidden_size,
    labelCount,
    config,
    config.classifier_dropout ?? config.hidden_dropout_prob,
  )

/** @throws HeedError if the config lets tokens attend to later ones */
export function requireDecoder({ is_decoder }: BertConfig, title: string): void {
  if (is_decoder) return
  throw new HeedError(
    'unsupported',
    `is_decoder of ${title} must be true to write text, got false`,
    {
      key: 'is_decoder',
      value: is_decoder,
      expected: 'true',
      remedy:
        'It can fill masks, classify texts and embed them. To make it write text, set is_decoder to true in the config and train it to predict the next token.',
    },
  )
}

function initial({ initializer_range: std }: BertConfig): { std: number } {
  return { std }
}

/** A linear layer, initialised with the standard deviation in the config. */
export function linear(inputs: number, outputs: number, config: BertConfig): Linear {
  return headLinear(inputs, outputs, config)
}

/** The output layer to the vocabulary. As in transformers, an untied layer has its own bias and ignores `bias`. */
export function vocabularyDecoder(
  config: BertConfig,
  embeddings: Parameter,
  bias: Parameter,
): Linear {
  return config.tie_word_embeddings
    ? new Linear(config.hidden_size, config.vocab_size, { weight: embeddings, bias })
    : linear(config.hidden_size, config.vocab_size, config)
}

/** The normalisation layer of all layers. */
export function norm({ hidden_size, layer_norm_eps }: BertConfig): LayerNorm {
  return new LayerNorm(hidden_size, layer_norm_eps)
}
