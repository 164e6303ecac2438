// GPT-2 (Radford et al., 2019). Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = n_embd, V = vocab_size
import { z } from 'zod'
import {
  activations,
  attention,
  Conv1D,
  Dropout,
  Embedding,
  keyMask,
  type LayerCache,
  LayerNorm,
  Module,
  tokenPositions,
} from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { defineModel } from '../definition.ts'
import { gpt2GGUF } from '../gguf/gpt2.ts'
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
  wholeConfig,
} from '../shared/config.ts'
import { cacheOf, contextOf, type DecoderFamily, type TextStackOptions } from '../shared/family.ts'
import { labelFields } from '../shared/labels.ts'
import { gptSizes } from '../shared/sizes.ts'
import { decoderTokenizer } from '../shared/tokenizers.ts'

const schema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(50257),
    /** Maximum number of tokens in a sequence. */
    n_positions: dimension.default(1024),
    /** Width of the hidden states, C. */
    n_embd: dimension.default(768),
    /** Number of layers. */
    n_layer: layerCount.default(12),
    /** Number of attention heads of a layer. */
    n_head: layerCount.default(12),
    /** Width of the hidden layer of the feed-forward network. Null: four times n_embd. */
    n_inner: dimension.nullable().default(null),
    /** Activation function of the feed-forward network. */
    activation_function: activation.default('gelu_new'),
    /** Dropout probability of the output of each block. */
    resid_pdrop: probability.default(0.1),
    /** Dropout probability of the embeddings. */
    embd_pdrop: probability.default(0.1),
    /** Dropout probability of the attention weights. */
    attn_pdrop: probability.default(0.1),
    /** Dropout probability before the layer that classifies tokens. Null: 0.1. */
    classifier_dropout: probability.nullish(),
    /** Added to the variance in layer normalisation. */
    layer_norm_epsilon: epsilon.default(1e-5),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Whether scores are divided by √D. */
    scale_attn_weights: z.boolean().default(true),
    /** Whether scores of layer i, from 0, are also divided by i + 1. */
    scale_attn_by_inverse_layer_idx: z.boolean().default(false),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(50256),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(50256),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(null),
    ...labelFields,
  }),
)

/** Keys for multiple choice heads, and keys of the first releases. */
export const gptKeys = [
  ...['summary_type', 'summary_use_proj', 'summary_activation', 'summary_proj_to_labels'],
  ...['summary_first_dropout', 'n_ctx', 'n_special', 'predict_special_tokens'],
]

/**
 * Config of GPT-2.
 * @interface
 */
export type GPT2Config = z.output<ReturnType<typeof schema>>
/** Config of a layer of GPT-2, with its index. */
export type GPT2LayerConfig = GPT2Config & {
  /** Number of the layer, counted from 0. */
  layer: number
}

/** Causal self-attention of GPT-2: x (B, T, C) -> (B, T, C). */
export class GPT2Attention extends Module<GPT2LayerConfig> {
  /** @hidden */
  static readonly configRules = wholeConfig
  /** Projection to queries, keys and values, C to 3·C features. */
  c_attn = new Conv1D(this.config.n_embd, 3 * this.config.n_embd, initial(this.config))
  /** Projection of the joined heads, C to C features. */
  c_proj = new Conv1D(this.config.n_embd, this.config.n_embd, residual(this.config))
  /** Dropout of the output. */
  resid_dropout = new Dropout(this.config.resid_pdrop)

  forward(x: Tensor, cache?: LayerCache, mask?: Tensor): Tensor {
    const { n_head, attn_pdrop } = this.config
    const [q, k, v] = this.c_attn.forward(x).chunk(3, -1) // (B, T, 3C) -> 3 x (B, T, C)
    const dropout = this.training ? attn_pdrop : 0
    const scale = attentionScale(this.config)
    const y = attention(q, k, v, { heads: n_head, causal: true, cache, dropout, scale, mask })
    return this.resid_dropout.forward(this.c_proj.forward(y))
  }
}

/** Feed-forward network of GPT-2: x (B, T, C) -> (B, T, C). */
export class GPT2MLP extends Module<GPT2Config> {
  /** @hidden */
  static readonly configRules = wholeConfig
  /** First layer, C to `n_inner` features. */
  c_fc = new Conv1D(this.config.n_embd, innerSize(this.config), initial(this.config))
  /** Second layer, `n_inner` to C features. */
  c_proj = new Conv1D(innerSize(this.config), this.config.n_embd, residual(this.config))
  /** Dropout of the output. */
  dropout = new Dropout(this.config.resid_pdrop)

  forward(x: Tensor): Tensor {
    const activate = activations[this.config.activation_function]
    return this.dropout.forward(this.c_proj.forward(activate(this.c_fc.forward(x))))
  }
}

class Block extends Module<GPT2LayerConfig> {
  ln_1 = new LayerNorm(this.config.n_embd, this.config.layer_norm_epsilon)
  attn = new GPT2Attention(this.config)
  ln_2 = new LayerNorm(this.config.n_embd, this.config.layer_norm_epsilon)
  mlp = new GPT2MLP(this.config)

  forward(x: Tensor, cache?: LayerCache, mask?: Tensor): Tensor {
    x = x.add(this.attn.forward(this.ln_1.forward(x), cache, mask))
    return x.add(this.mlp.forward(this.ln_2.forward(x)))
  }
}

class Transformer extends Module<GPT2Config> {
  wte = new Embedding(this.config.vocab_size, this.config.n_embd, initial(this.config))
  wpe = new Embedding(this.config.n_positions, this.config.n_embd, initial(this.config))
  drop = new Dropout(this.config.embd_pdrop)
  h = Array.from(
    { length: this.config.n_layer },
    (_, layer) => new Block({ ...this.config, layer }),
  )
  ln_f = new LayerNorm(this.config.n_embd, this.config.layer_norm_epsilon)

  forward(ids: Tensor, { cache, attentionMask, logitsAt }: TextStackOptions): Tensor {
    const places = this.wpe.forward(tokenPositions(ids, { cache, attentionMask }))
    const mask = keyMask(attentionMask)
    let x = this.drop.forward(this.wte.forward(ids).add(places)) // (B, T, C)
    this.h.forEach((block, i) => {
      x = block.forward(x, cache?.layers[i], mask)
    })
    return this.ln_f.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }
}

const family: DecoderFamily<GPT2Config, Transformer, 'transformer'> = {
  modelType: 'gpt2',
  title: 'GPT-2',
  config: {
    schema,
    aliases: {
      hidden_size: 'n_embd',
      max_position_embeddings: 'n_positions',
      num_attention_heads: 'n_head',
      num_hidden_layers: 'n_layer',
    },
    unread: unreadKeys(...gptKeys, 'reorder_and_upcast_attn'), // affects only summation in float16
    complete: (config) => checkDivides(config, 'n_head', 'n_embd', 'GPT-2'),
  },
  Stack: Transformer,
  prefix: 'transformer',
  names: { width: 'n_embd', layers: ['h'], embeddings: 'wte' },
  contextLength: contextOf('n_positions'),
  cache: cacheOf('n_layer', 'n_head', 'n_embd'),
  ignoredKeys: /(^|\.)attn\.(bias|masked_bias)$/, // causal masks, stored in old checkpoints
}

/** GPT-2 as a causal language model. */
export class GPT2 extends causalLM(family, 'GPT2LMHeadModel') {}
/** GPT-2 for text classification. */
export class GPT2ForSequenceClassification extends lastTokenClassifier(
  family,
  'GPT2ForSequenceClassification',
) {}

/** Definition of the GPT-2 family. */
export const gpt2 = defineModel({
  ...family,
  paper: 'Radford et al. (2019). Language Models are Unsupervised Multitask Learners',
  otherNames: [],
  heads: [
    GPT2,
    GPT2ForSequenceClassification,
    tokenClassifier(
      family,
      dropoutClassifier(
        family,
        'GPT2ForTokenClassification',
        (config) => config.classifier_dropout ?? 0.1,
      ),
    ),
    questionAnswerer(family, { architectures: 'GPT2ForQuestionAnswering' }),
    textEncoder(family, 'GPT2Model'),
  ],
  sizes: gptSizes,
  dropout: ['resid_pdrop', 'embd_pdrop', 'attn_pdrop'],
  tokenizer: decoderTokenizer,
  image: null,
  task: 'text-generation',
  maskedLanguageModeling: null,
  gguf: gpt2GGUF,
  adapterTargets: {
    lora: ['c_attn'],
    ia3: ['c_attn'],
    feedForward: ['mlp.c_proj'],
    blocks: { attention: ['attn.c_proj'], feedForward: ['mlp', 'mlp.c_proj'] },
  },
  presets: {
    // Radford et al. (2019), table 2
    gpt2: size(12, 768, 12),
    'gpt2-medium': size(24, 1024, 16),
    'gpt2-large': size(36, 1280, 20),
    'gpt2-xl': size(48, 1600, 25),
    // Brown et al. (2020), table 2.1. Here all layers have full attention; in GPT-3, every second layer has local
    // attention.
    'gpt3-175b': size(96, 12288, 96, 2048),
    // Bolton et al. (2024), BioMedLM: GPT-2 with a vocabulary for biomedical texts
    biomedlm: { ...size(32, 2560, 20), vocab_size: 28896 },
  },
})

function size(n_layer: number, n_embd: number, n_head: number, n_positions = 1024) {
  return { n_layer, n_embd, n_head, n_positions }
}

const innerSize = (config: GPT2Config): number => config.n_inner ?? 4 * config.n_embd

const initial = ({ initializer_range: std }: GPT2Config): { std: number } => ({ std })

/** Scales the initial weights, because each layer adds two outputs to the residual stream. This keeps its variance. */
const residual = ({ initializer_range, n_layer }: GPT2Config): { std: number } => ({
  std: initializer_range / Math.sqrt(2 * n_layer),
})

function attentionScale(config: GPT2LayerConfig): number {
  const scale = config.scale_attn_weights ? 1 / Math.sqrt(config.n_embd / config.n_head) : 1
  return config.scale_attn_by_inverse_layer_idx ? scale / (config.layer + 1) : scale
}
