// BLOOM (BigScience, 2022). Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, S keys, C = hidden_size, H = n_head, D = C / H, V = vocab_size
import { z } from 'zod'
import {
  alibi,
  attention,
  countedPositions,
  Dropout,
  Embedding,
  keyMask,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
} from '../../nn/index.ts'
import { arange, type Tensor } from '../../tensor/index.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { defineModel } from '../definition.ts'
import { bloomGGUF } from '../gguf/bloom.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { questionAnswerer } from '../heads/question-answering.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { dropoutClassifier, tokenClassifier } from '../heads/token-classification.ts'
import {
  checkDivides,
  deviation,
  dimension,
  eosTokenId,
  epsilon,
  layerCount,
  probability,
  tokenId,
} from '../shared/config.ts'
import { cacheOf, type DecoderFamily, type TextStackOptions } from '../shared/family.ts'
import { labelFields } from '../shared/labels.ts'
import { decoderTokenizer } from '../shared/tokenizers.ts'

const schema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(250880),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(64),
    /** Number of layers. */
    n_layer: layerCount.default(2),
    /** Number of attention heads of a layer. */
    n_head: layerCount.default(8),
    /** Added to the variance in layer normalisation. */
    layer_norm_epsilon: epsilon.default(1e-5),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Whether residuals are taken after the layer normalisation rather than before it. */
    apply_residual_connection_post_layernorm: z.boolean().default(false),
    /** Dropout probability of the output of each block. */
    hidden_dropout: probability.default(0),
    /** Dropout probability of the attention weights. */
    attention_dropout: probability.default(0),
    /** Dropout probability before the layer that classifies tokens. Null: hidden_dropout. */
    classifier_dropout: probability.nullish(),
    /** Number of tokens of a sequence in training. The model accepts any length. */
    seq_length: dimension.default(2048),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(null),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(1),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(2),
    ...labelFields,
  }),
)

/**
 * Config of BLOOM.
 * @interface
 */
export type BloomConfig = z.output<ReturnType<typeof schema>>

/** Inputs that all layers share: the mask of visible keys and the ALiBi biases. */
interface Shared {
  mask?: Tensor
  bias: Tensor
}

class Attention extends Module<BloomConfig> {
  query_key_value = linear(this.config, 1, 3)
  dense = linear(this.config, 1, 1)
  hidden_dropout = new Dropout(this.config.hidden_dropout)

  forward(x: Tensor, shared: Shared, cache?: LayerCache): Tensor {
    const { n_head: heads, attention_dropout } = this.config
    const [batch, tokens, width] = x.shape
    // q, k and v of each head are adjacent.
    const joint = this.query_key_value.forward(x).reshape(batch, tokens, heads, 3, width / heads)
    const [q, k, v] = joint.unbind(3).map((part) => part.reshape(batch, tokens, width))
    const dropout = this.training ? attention_dropout : 0
    const y = attention(q, k, v, { heads, causal: true, ...shared, cache, dropout })
    return this.hidden_dropout.forward(this.dense.forward(y))
  }
}

class MLP extends Module<BloomConfig> {
  dense_h_to_4h = linear(this.config, 1, 4)
  dense_4h_to_h = linear(this.config, 4, 1)
  hidden_dropout = new Dropout(this.config.hidden_dropout)

  forward(x: Tensor): Tensor {
    const inner = this.dense_h_to_4h.forward(x).gelu('tanh')
    return this.hidden_dropout.forward(this.dense_4h_to_h.forward(inner))
  }
}

class Block extends Module<BloomConfig> {
  input_layernorm = norm(this.config)
  self_attention = new Attention(this.config)
  post_attention_layernorm = norm(this.config)
  mlp = new MLP(this.config)

  forward(x: Tensor, shared: Shared, cache?: LayerCache): Tensor {
    const behindNorm = this.config.apply_residual_connection_post_layernorm
    const before = this.input_layernorm.forward(x)
    x = (behindNorm ? before : x).add(this.self_attention.forward(before, shared, cache))
    const between = this.post_attention_layernorm.forward(x)
    return (behindNorm ? between : x).add(this.mlp.forward(between))
  }
}

class Transformer extends Module<BloomConfig> {
  word_embeddings = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    std: this.config.initializer_range,
  })
  word_embeddings_layernorm = norm(this.config)
  h = Array.from({ length: this.config.n_layer }, () => new Block(this.config))
  ln_f = norm(this.config)

  forward(ids: Tensor, { cache, attentionMask, logitsAt }: TextStackOptions): Tensor {
    const keys = cache?.capacity ?? ids.shape[1]
    const positions = attentionMask ? countedPositions(attentionMask) : arange(keys)
    const shared = { mask: keyMask(attentionMask), bias: alibi(this.config.n_head, positions) }
    let x = this.word_embeddings_layernorm.forward(this.word_embeddings.forward(ids)) // (B, T, C)
    this.h.forEach((block, i) => {
      x = block.forward(x, shared, cache?.layers[i])
    })
    return this.ln_f.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }
}

const family: DecoderFamily<BloomConfig, Transformer, 'transformer'> = {
  modelType: 'bloom',
  title: 'BLOOM',
  config: {
    schema,
    aliases: {
      num_hidden_layers: 'n_layer',
      num_attention_heads: 'n_head',
      n_embed: 'hidden_size',
    },
    unread: unreadKeys(
      ...['slow_but_exact', 'n_inner', 'offset_alibi', 'masked_softmax_fusion'],
      ...['attention_softmax_in_fp32', 'bias_dropout_fusion', 'skip_bias_add', 'skip_bias_add_qkv'],
    ),
    complete: (config) => checkDivides(config, 'n_head', 'hidden_size', 'BLOOM'),
  },
  Stack: Transformer,
  prefix: 'transformer',
  names: { width: 'hidden_size', layers: ['h'], embeddings: 'word_embeddings' },
  contextLength: ({ seq_length }) => seq_length,
  cache: cacheOf('n_layer', 'n_head', 'hidden_size'),
}

/** BLOOM as a causal language model. */
export class Bloom extends causalLM(family, 'BloomForCausalLM') {}
/** BLOOM for text classification. */
export class BloomForSequenceClassification extends lastTokenClassifier(
  family,
  'BloomForSequenceClassification',
) {}

/** Definition of the BLOOM family. */
export const bloom = defineModel({
  ...family,
  paper:
    'BigScience Workshop (2022). BLOOM: A 176B-Parameter Open-Access Multilingual Language Model',
  otherNames: [],
  heads: [
    Bloom,
    BloomForSequenceClassification,
    tokenClassifier(
      family,
      dropoutClassifier(
        family,
        'BloomForTokenClassification',
        (config) => config.classifier_dropout ?? config.hidden_dropout,
      ),
    ),
    questionAnswerer(family, { architectures: 'BloomForQuestionAnswering' }),
    textEncoder(family, 'BloomModel'),
  ],
  sizes: ({ layers, heads, dim, context }) => ({
    seq_length: context,
    hidden_size: dim,
    n_layer: layers,
    n_head: heads,
  }),
  dropout: ['hidden_dropout', 'attention_dropout'],
  tokenizer: decoderTokenizer,
  image: null,
  task: 'text-generation',
  maskedLanguageModeling: null,
  gguf: bloomGGUF,
  adapterTargets: {
    lora: ['query_key_value'],
    ia3: ['query_key_value'],
    feedForward: ['mlp.dense_4h_to_h'],
    blocks: { attention: ['self_attention.dense'], feedForward: ['mlp', 'dense_4h_to_h'] },
  },
  presets: {
    // Wu et al. (2023), BloombergGPT, table 4
    bloomberggpt: { vocab_size: 131072, hidden_size: 7680, n_layer: 70, n_head: 40 },
  },
})

const norm = ({ hidden_size, layer_norm_epsilon }: BloomConfig): LayerNorm =>
  new LayerNorm(hidden_size, layer_norm_epsilon)

/** `from` and `to` are multiples of hidden_size. */
const linear = (config: BloomConfig, from: number, to: number): Linear =>
  new Linear(from * config.hidden_size, to * config.hidden_size, { std: config.initializer_range })
