// GPT (Radford et al., 2018): GPT-2 with norms after the residual connections. Field names are checkpoint keys.
// B batch, T tokens, C = n_embd, V = vocab_size
import { z } from 'zod'
import {
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
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import {
  checkDivides,
  deviation,
  dimension,
  epsilon,
  layerCount,
  probability,
  tokenId,
} from '../shared/config.ts'
import {
  cacheOf,
  configOf,
  contextOf,
  type DecoderFamily,
  type TextStackOptions,
} from '../shared/family.ts'
import { labelFields } from '../shared/labels.ts'
import { gptSizes } from '../shared/sizes.ts'
import { decoderTokenizer } from '../shared/tokenizers.ts'
import { GPT2Attention, type GPT2LayerConfig, GPT2MLP, gpt2, gptKeys } from './gpt2.ts'

/** Activation functions by their names in this config, where gelu means the tanh approximation. */
const activationsHere = { gelu: 'gelu_new', relu: 'relu', silu: 'silu', swish: 'silu' } as const

const schema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(40478),
    /** Maximum number of tokens in a sequence. */
    n_positions: dimension.default(512),
    /** Width of the hidden states, C. */
    n_embd: dimension.default(768),
    /** Number of layers. */
    n_layer: layerCount.default(12),
    /** Number of attention heads of a layer. */
    n_head: layerCount.default(12),
    /** Activation function of the feed-forward network. `gelu` is its tanh approximation. */
    afn: z.enum(['gelu', 'relu', 'silu', 'swish']).default('gelu'),
    /** Dropout probability of the output of each block. */
    resid_pdrop: probability.default(0.1),
    /** Dropout probability of the embeddings. */
    embd_pdrop: probability.default(0.1),
    /** Dropout probability of the attention weights. */
    attn_pdrop: probability.default(0.1),
    /** Added to the variance in layer normalisation. */
    layer_norm_epsilon: epsilon.default(1e-5),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(null),
    ...labelFields,
  }),
)

/**
 * Config of GPT.
 * @interface
 */
export type OpenAIGPTConfig = z.output<ReturnType<typeof schema>>

class Block extends Module<GPT2LayerConfig> {
  attn = new GPT2Attention(this.config)
  ln_1 = new LayerNorm(this.config.n_embd, this.config.layer_norm_epsilon)
  mlp = new GPT2MLP(this.config)
  ln_2 = new LayerNorm(this.config.n_embd, this.config.layer_norm_epsilon)

  forward(x: Tensor, cache?: LayerCache, mask?: Tensor): Tensor {
    x = this.ln_1.forward(x.add(this.attn.forward(x, cache, mask)))
    return this.ln_2.forward(x.add(this.mlp.forward(x)))
  }
}

class Transformer extends Module<OpenAIGPTConfig> {
  tokens_embed = new Embedding(this.config.vocab_size, this.config.n_embd, initial(this.config))
  positions_embed = new Embedding(this.config.n_positions, this.config.n_embd, initial(this.config))
  drop = new Dropout(this.config.embd_pdrop)
  h = Array.from(
    { length: this.config.n_layer },
    (_, layer) => new Block(layerConfig(this.config, layer)),
  )

  forward(ids: Tensor, { cache, attentionMask, logitsAt }: TextStackOptions): Tensor {
    const places = this.positions_embed.forward(tokenPositions(ids, { cache, attentionMask }))
    const mask = keyMask(attentionMask)
    let x = this.drop.forward(this.tokens_embed.forward(ids).add(places)) // (B, T, C)
    this.h.forEach((block, i) => {
      x = block.forward(x, cache?.layers[i], mask)
    })
    return logitsAt ? x.take(logitsAt, 1) : x
  }
}

const family: DecoderFamily<OpenAIGPTConfig, Transformer, 'transformer'> = {
  modelType: 'openai-gpt',
  title: 'OpenAI GPT',
  config: {
    schema,
    aliases: {
      max_position_embeddings: 'n_positions',
      hidden_size: 'n_embd',
      num_attention_heads: 'n_head',
      num_hidden_layers: 'n_layer',
    },
    unread: unreadKeys(...gptKeys),
    complete: (config) => checkDivides(config, 'n_head', 'n_embd', 'OpenAI GPT'),
  },
  Stack: Transformer,
  prefix: 'transformer',
  names: { width: 'n_embd', layers: ['h'], embeddings: 'tokens_embed' },
  contextLength: contextOf('n_positions'),
  cache: cacheOf('n_layer', 'n_head', 'n_embd'),
  ignoredKeys: /\.attn\.bias$/, // causal masks, stored in old checkpoints
}

/** GPT as a causal language model. */
export class OpenAIGPT extends causalLM(family, 'OpenAIGPTLMHeadModel') {}
/** GPT for text classification. */
export class OpenAIGPTForSequenceClassification extends lastTokenClassifier(
  family,
  'OpenAIGPTForSequenceClassification',
) {}

/** Definition of the GPT family. */
export const openAIGPT = defineModel({
  ...family,
  paper: 'Radford et al. (2018). Improving Language Understanding by Generative Pre-Training',
  otherNames: [],
  heads: [OpenAIGPT, OpenAIGPTForSequenceClassification, textEncoder(family, 'OpenAIGPTModel')],
  sizes: gptSizes,
  dropout: ['resid_pdrop', 'embd_pdrop', 'attn_pdrop'],
  tokenizer: decoderTokenizer,
  image: null,
  task: 'text-generation',
  maskedLanguageModeling: null,
  gguf: null,
  adapterTargets: {
    lora: ['c_attn'],
    ia3: ['c_attn'],
    feedForward: ['mlp.c_proj'],
    blocks: { attention: ['attn.c_proj'], feedForward: ['mlp', 'mlp.c_proj'] },
  },
  presets: {},
})

/** Converts the config to GPT-2's keys. */
function layerConfig({ afn, ...config }: OpenAIGPTConfig, layer: number): GPT2LayerConfig {
  return { ...configOf(gpt2, { ...config, activation_function: activationsHere[afn] }), layer }
}

const initial = ({ initializer_range: std }: OpenAIGPTConfig): { std: number } => ({ std })
