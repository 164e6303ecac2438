// GPT-Neo (Black et al., 2021). Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size, V = vocab_size
import { z } from 'zod'
import {
  activations,
  attention,
  Dropout,
  Embedding,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
  tokenPositions,
  visibleKeys,
} from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { defineModel } from '../definition.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { questionAnswerer } from '../heads/question-answering.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { dropoutClassifier, tokenClassifier } from '../heads/token-classification.ts'
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
} from '../shared/config.ts'
import { cacheOf, contextOf, type DecoderFamily, type TextStackOptions } from '../shared/family.ts'
import { labelFields } from '../shared/labels.ts'
import { decoderTokenizer } from '../shared/tokenizers.ts'
import { gptKeys } from './gpt2.ts'

const attentionType = z.enum(['global', 'local'])

const schema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(50257),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(2048),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(2048),
    /** Number of layers. */
    num_layers: layerCount.default(24),
    /** Number of attention heads of a layer. */
    num_heads: layerCount.default(16),
    /** Width of the hidden layer of the feed-forward network. Null: four times hidden_size. */
    intermediate_size: dimension.nullable().default(null),
    /** Lists of kinds of attention with their number of repetitions: `[[["global", "local"], 12]]` for 24 layers. */
    attention_types: z
      .array(z.tuple([z.array(attentionType).max(64), layerCount]))
      .max(64)
      .nullish()
      .transform((types) => types ?? [[['global' as const, 'local' as const], 12] as const]),
    /** Kind of attention of each layer. Some configs contain it in addition to `attention_types`. */
    attention_layers: z.array(attentionType).max(4096).nullish(),
    /** Number of tokens that a token attends to in local layers, itself included. */
    window_size: dimension.default(256),
    /** Activation function of the feed-forward network. */
    activation_function: activation.default('gelu_new'),
    /** Dropout probability of the output of each block. */
    resid_dropout: probability.default(0),
    /** Dropout probability of the embeddings. */
    embed_dropout: probability.default(0),
    /** Dropout probability of the attention weights. */
    attention_dropout: probability.default(0),
    /** Dropout probability before the layer that classifies tokens. */
    classifier_dropout: probability.default(0.1),
    /** Added to the variance in layer normalisation. */
    layer_norm_epsilon: epsilon.default(1e-5),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(null),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(50256),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(50256),
    ...labelFields,
  }),
)

/**
 * Config of GPT-Neo.
 * @interface
 */
export type GPTNeoConfig = z.output<ReturnType<typeof schema>>

class SelfAttention extends Module<GPTNeoConfig> {
  k_proj = square(this.config, false)
  v_proj = square(this.config, false)
  q_proj = square(this.config, false)
  out_proj = square(this.config, true)
  resid_dropout = new Dropout(this.config.resid_dropout)

  forward(x: Tensor, mask: Tensor | null, cache?: LayerCache): Tensor {
    const { num_heads: heads, attention_dropout } = this.config
    const [q, k, v] = [this.q_proj, this.k_proj, this.v_proj].map((proj) => proj.forward(x))
    const dropout = this.training ? attention_dropout : 0
    const y = attention(q, k, v, { heads, causal: true, mask, cache, dropout, scale: 1 })
    return this.resid_dropout.forward(this.out_proj.forward(y))
  }
}

class Attention extends Module<GPTNeoConfig> {
  attention = new SelfAttention(this.config)

  forward(x: Tensor, mask: Tensor | null, cache?: LayerCache): Tensor {
    return this.attention.forward(x, mask, cache)
  }
}

class MLP extends Module<GPTNeoConfig> {
  c_fc = new Linear(this.config.hidden_size, innerSize(this.config), initial(this.config))
  c_proj = new Linear(innerSize(this.config), this.config.hidden_size, initial(this.config))
  dropout = new Dropout(this.config.resid_dropout)

  forward(x: Tensor): Tensor {
    const activate = activations[this.config.activation_function]
    return this.dropout.forward(this.c_proj.forward(activate(this.c_fc.forward(x))))
  }
}

class Block extends Module<GPTNeoConfig> {
  ln_1 = norm(this.config)
  attn = new Attention(this.config)
  ln_2 = norm(this.config)
  mlp = new MLP(this.config)

  forward(x: Tensor, mask: Tensor | null, cache?: LayerCache): Tensor {
    x = x.add(this.attn.forward(this.ln_1.forward(x), mask, cache))
    return x.add(this.mlp.forward(this.ln_2.forward(x)))
  }
}

class Transformer extends Module<GPTNeoConfig> {
  wte = new Embedding(this.config.vocab_size, this.config.hidden_size, initial(this.config))
  wpe = new Embedding(
    this.config.max_position_embeddings,
    this.config.hidden_size,
    initial(this.config),
  )
  drop = new Dropout(this.config.embed_dropout)
  h = Array.from({ length: this.config.num_layers }, () => new Block(this.config))
  ln_f = norm(this.config)
  private readonly types = attentionTypes(this.config)

  forward(ids: Tensor, { logitsAt, ...padded }: TextStackOptions): Tensor {
    const places = this.wpe.forward(tokenPositions(ids, padded))
    let x = this.drop.forward(this.wte.forward(ids).add(places)) // (B, T, C)
    this.h.forEach((block, i) => {
      const window = this.types[i] === 'local' ? this.config.window_size : null
      x = block.forward(x, visibleKeys(ids, { ...padded, window }), padded.cache?.layers[i])
    })
    return this.ln_f.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }
}

const family: DecoderFamily<GPTNeoConfig, Transformer, 'transformer'> = {
  modelType: 'gpt_neo',
  title: 'GPT-Neo',
  config: {
    schema,
    aliases: { num_attention_heads: 'num_heads', num_hidden_layers: 'num_layers' },
    unread: unreadKeys(...gptKeys),
    complete: checked,
  },
  Stack: Transformer,
  prefix: 'transformer',
  names: { width: 'hidden_size', layers: ['h'], embeddings: 'wte' },
  contextLength: contextOf('max_position_embeddings'),
  cache: cacheOf('num_layers', 'num_heads', 'hidden_size'),
  ignoredKeys: /\.attention\.(bias|masked_bias)$/, // causal masks, stored in old checkpoints
}

/** GPT-Neo as a causal language model. */
export class GPTNeo extends causalLM(family, 'GPTNeoForCausalLM') {}
/** GPT-Neo for text classification. */
export class GPTNeoForSequenceClassification extends lastTokenClassifier(
  family,
  'GPTNeoForSequenceClassification',
) {}

/** Definition of the GPT-Neo family. */
export const gptNeo = defineModel({
  ...family,
  paper:
    'Black et al. (2021). GPT-Neo: Large Scale Autoregressive Language Modeling with Mesh-Tensorflow',
  otherNames: [],
  heads: [
    GPTNeo,
    GPTNeoForSequenceClassification,
    tokenClassifier(
      family,
      dropoutClassifier(
        family,
        'GPTNeoForTokenClassification',
        (config) => config.classifier_dropout,
      ),
    ),
    questionAnswerer(family, { architectures: 'GPTNeoForQuestionAnswering' }),
    textEncoder(family, 'GPTNeoModel'),
  ],
  sizes: ({ layers, heads, dim, context }) => ({
    max_position_embeddings: context,
    hidden_size: dim,
    num_layers: layers,
    num_heads: heads,
    attention_types: [[Array.from({ length: layers }, (_, i) => (i % 2 ? 'local' : 'global')), 1]],
  }),
  dropout: ['resid_dropout', 'embed_dropout', 'attention_dropout'],
  tokenizer: decoderTokenizer,
  image: null,
  task: 'text-generation',
  maskedLanguageModeling: null,
  gguf: null,
  adapterTargets: {
    lora: ['q_proj', 'v_proj'],
    ia3: ['q_proj', 'v_proj'],
    feedForward: ['c_proj'],
    blocks: { attention: ['out_proj'], feedForward: ['mlp', 'mlp.c_proj'] },
  },
  presets: {},
})

/** The type of attention of each layer. */
function attentionTypes({
  attention_layers,
  attention_types,
}: GPTNeoConfig): readonly ('global' | 'local')[] {
  if (attention_layers) return attention_layers
  return attention_types.flatMap(([types, times]) =>
    Array.from({ length: times }, () => types).flat(),
  )
}

function checked(config: GPTNeoConfig): GPTNeoConfig {
  checkDivides(config, 'num_heads', 'hidden_size', 'GPT-Neo')
  const { num_layers } = config
  const count = attentionTypes(config).length
  if (count === num_layers) return config
  throw new HeedError(
    'invalid-config',
    `GPT-Neo: attention_types must describe num_layers (${num_layers}) layers, got ${count}`,
    {
      key: 'attention_types',
      value: config.attention_types,
      remedy: `Write, for example, [[["global"], ${num_layers}]].`,
    },
  )
}

const innerSize = (config: GPTNeoConfig): number =>
  config.intermediate_size ?? 4 * config.hidden_size

const initial = ({ initializer_range: std }: GPTNeoConfig): { std: number } => ({ std })

const norm = ({ hidden_size, layer_norm_epsilon }: GPTNeoConfig): LayerNorm =>
  new LayerNorm(hidden_size, layer_norm_epsilon)

const square = (config: GPTNeoConfig, bias: boolean): Linear =>
  new Linear(config.hidden_size, config.hidden_size, { ...initial(config), bias })
