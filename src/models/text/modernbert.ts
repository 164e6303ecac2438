// ModernBERT (Warner et al., 2024): an encoder with pre-norm, rotary positions, GeGLU, and sliding windows in most
// layers. Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size, H heads, D = C / H
import { z } from 'zod'
import {
  activations,
  attention,
  Dropout,
  Embedding,
  LayerNorm,
  Linear,
  Module,
  pool,
  Rotary,
  type RotaryAngles,
  rotate,
  visibleKeys,
} from '../../nn/index.ts'
import { arange, ones, type Tensor } from '../../tensor/index.ts'
import { once } from '../../util/once.ts'
import { unreadKeys } from '../../util/unread-keys.ts'
import { defineModel } from '../definition.ts'
import { headLinear } from '../heads/headed-model.ts'
import { maskedLM } from '../heads/masked-lm.ts'
import { questionAnswerer } from '../heads/question-answering.ts'
import { sequenceClassifier } from '../heads/sequence-classification.ts'
import { textEncoder } from '../heads/text-model.ts'
import { tokenClassifier } from '../heads/token-classification.ts'
import {
  activation,
  checkDivides,
  checkLayerList,
  deviation,
  dimension,
  eosTokenId,
  epsilon,
  layerCount,
  probability,
  tokenId,
} from '../shared/config.ts'
import type { TextFamily, TextStackOptions } from '../shared/family.ts'
import { labelFields } from '../shared/labels.ts'
import { ropeFields, ropeOf, wholeRotation, withoutOverriddenRope } from '../shared/rope.ts'
import { bertSizes } from '../shared/sizes.ts'
import { bertTokenizer } from '../shared/tokenizers.ts'

const layerType = z.enum(['full_attention', 'sliding_attention'])
type LayerType = z.output<typeof layerType>
const theta = z.number().positive()

const schema = once(() =>
  z.object({
    /** Number of tokens in the vocabulary, V. */
    vocab_size: dimension.default(50368),
    /** Width of the hidden states, C. */
    hidden_size: dimension.default(768),
    /** Width of the hidden layer of the gated feed-forward network. */
    intermediate_size: dimension.default(1152),
    /** Number of layers. */
    num_hidden_layers: layerCount.default(22),
    /** Number of attention heads of a layer. */
    num_attention_heads: layerCount.default(12),
    /** Activation function of the feed-forward network. */
    hidden_activation: activation.default('gelu'),
    /** Maximum number of tokens in a sequence. */
    max_position_embeddings: dimension.default(8192),
    /** Standard deviation of the initial weights. */
    initializer_range: deviation.default(0.02),
    /** Added to the variance in layer normalisation. */
    norm_eps: epsilon.default(1e-5),
    /** Whether layer normalisation has a bias. */
    norm_bias: z.boolean().default(false),
    /** Whether the projections of the attention have a bias. */
    attention_bias: z.boolean().default(false),
    /** Dropout probability of the attention weights and of the output of the attention. */
    attention_dropout: probability.default(0),
    /** Kind of attention of each layer. Null: derived from `global_attn_every_n_layers`. */
    layer_types: z.array(layerType).max(4096).nullish(),
    /** Distance between layers with full attention, if layer_types is null. */
    global_attn_every_n_layers: layerCount.default(3),
    /** Rotary embeddings of both kinds of layers. */
    rope_parameters: z
      .strictObject({
        full_attention: ropeFields.rope_parameters,
        sliding_attention: ropeFields.rope_parameters,
      })
      .nullish(),
    /** Rotary embeddings of all layers. It overrides the parameters of both kinds. */
    rope_scaling: ropeFields.rope_scaling,
    /** Base of the frequencies of rotary embeddings in layers with full attention. */
    global_rope_theta: theta.default(160_000),
    /** Base of the frequencies of rotary embeddings in layers with a window. */
    local_rope_theta: theta.default(10_000),
    /** Size of the window in tokens, both sides together. */
    local_attention: dimension.default(128),
    /** Dropout probability of the embeddings. */
    embedding_dropout: probability.default(0),
    /** Whether the linear layers of the feed-forward network have a bias. */
    mlp_bias: z.boolean().default(false),
    /** Dropout probability of the hidden layer of the feed-forward network. */
    mlp_dropout: probability.default(0),
    /** Whether the output layer has a bias. */
    decoder_bias: z.boolean().default(true),
    /** What classification reads: the hidden state of the first token, or the mean of all. */
    classifier_pooling: z.enum(['cls', 'mean']).default('cls'),
    /** Dropout probability before the classification layer. */
    classifier_dropout: probability.default(0),
    /** Whether the dense layer of the head has a bias. */
    classifier_bias: z.boolean().default(false),
    /** Activation function of the head. */
    classifier_activation: activation.default('gelu'),
    /** Whether the output layer shares the weight of the token embeddings. */
    tie_word_embeddings: z.boolean().default(true),
    /** Id of the padding token; null for none. */
    pad_token_id: tokenId.default(50283),
    /** Id of the token at the start of a text; null for none. */
    bos_token_id: tokenId.default(50281),
    /** Id of the token that ends a text, or a list of such ids; null for none. */
    eos_token_id: eosTokenId.default(50282),
    /** Id of the token whose hidden state represents the text. */
    cls_token_id: tokenId.default(50281),
    /** Id of the token between two texts. */
    sep_token_id: tokenId.default(50282),
    ...labelFields,
  }),
)

/**
 * Config of ModernBERT.
 * @interface
 */
export type ModernBertConfig = z.output<ReturnType<typeof schema>>

class Embeddings extends Module<ModernBertConfig> {
  tok_embeddings = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    std: this.config.initializer_range,
    paddingIndex: this.config.pad_token_id,
  })
  norm = norm(this.config)
  drop = new Dropout(this.config.embedding_dropout)

  forward(ids: Tensor): Tensor {
    return this.drop.forward(this.norm.forward(this.tok_embeddings.forward(ids))) // (B, T, C)
  }
}

class Attention extends Module<ModernBertConfig> {
  Wqkv = linear(
    this.config.hidden_size,
    3 * this.config.hidden_size,
    this.config,
    this.config.attention_bias,
  )
  Wo = linear(
    this.config.hidden_size,
    this.config.hidden_size,
    this.config,
    this.config.attention_bias,
  )
  out_drop = new Dropout(this.config.attention_dropout)

  forward(x: Tensor, angles: RotaryAngles, mask: Tensor | null): Tensor {
    const [q, k, v] = this.Wqkv.forward(x).chunk(3, -1) // (B, T, 3C) -> 3 x (B, T, C)
    const headDim = headDimOf(this.config)
    const y = attention(rotate(q, angles, headDim), rotate(k, angles, headDim), v, {
      heads: this.config.num_attention_heads,
      mask,
      dropout: this.training ? this.config.attention_dropout : 0,
    })
    return this.out_drop.forward(this.Wo.forward(y))
  }
}

/** GeGLU (Shazeer, 2020), with a joint projection of values and gate. */
class MLP extends Module<ModernBertConfig> {
  Wi = linear(
    this.config.hidden_size,
    2 * this.config.intermediate_size,
    this.config,
    this.config.mlp_bias,
  )
  drop = new Dropout(this.config.mlp_dropout)
  Wo = linear(
    this.config.intermediate_size,
    this.config.hidden_size,
    this.config,
    this.config.mlp_bias,
  )

  forward(x: Tensor): Tensor {
    const [values, gate] = this.Wi.forward(x).chunk(2, -1)
    const activate = activations[this.config.hidden_activation]
    return this.Wo.forward(this.drop.forward(activate(values).mul(gate)))
  }
}

class Layer extends Module<ModernBertConfig & { layer: number }> {
  /** null in the first layer, because the embeddings are already normalised. */
  attn_norm = this.config.layer === 0 ? null : norm(this.config)
  attn = new Attention(this.config)
  mlp_norm = norm(this.config)
  mlp = new MLP(this.config)

  forward(x: Tensor, angles: RotaryAngles, mask: Tensor | null): Tensor {
    x = x.add(this.attn.forward(this.attn_norm?.forward(x) ?? x, angles, mask))
    return x.add(this.mlp.forward(this.mlp_norm.forward(x)))
  }
}

class ModernBertStack extends Module<ModernBertConfig> {
  /** Embeddings of tokens. */
  embeddings = new Embeddings(this.config)
  /** The layers. */
  layers = Array.from(
    { length: this.config.num_hidden_layers },
    (_, layer) => new Layer({ ...this.config, layer }),
  )
  /** Normalisation of the hidden states. */
  final_norm = norm(this.config)
  private readonly rotary = {
    full_attention: rotaryOf(this.config, 'full_attention'),
    sliding_attention: rotaryOf(this.config, 'sliding_attention'),
  }

  /** Computes hidden states: i32 (B, T) -> f32 (B, T, C). */
  forward(ids: Tensor, { attentionMask }: TextStackOptions): Tensor {
    const positions = arange(ids.shape[1])
    const window = Math.floor(this.config.local_attention / 2) + 1
    const seenBy = {
      full_attention: visibleKeys(ids, { attentionMask }),
      sliding_attention: visibleKeys(ids, { attentionMask, window, bothSides: true }),
    }
    const angles = {
      full_attention: this.rotary.full_attention.at(positions),
      sliding_attention: this.rotary.sliding_attention.at(positions),
    }
    const x = this.layers.reduce((states, layer, i) => {
      const type = layerTypeOf(this.config, i)
      return layer.forward(states, angles[type], seenBy[type])
    }, this.embeddings.forward(ids))
    return this.final_norm.forward(x)
  }
}

class PredictionHead extends Module<ModernBertConfig> {
  dense = linear(
    this.config.hidden_size,
    this.config.hidden_size,
    this.config,
    this.config.classifier_bias,
  )
  norm = norm(this.config)

  forward(states: Tensor): Tensor {
    const activate = activations[this.config.classifier_activation]
    return this.norm.forward(activate(this.dense.forward(states)))
  }
}

const family: TextFamily<ModernBertConfig, ModernBertStack, 'model'> = {
  modelType: 'modernbert',
  title: 'ModernBERT',
  config: {
    schema,
    aliases: {},
    unread: {
      ...unreadKeys('initializer_cutoff_factor', 'deterministic_flash_attn', 'reference_compile'),
      ...unreadKeys('sparse_prediction', 'sparse_pred_ignore_index', 'repad_logits_with_grad'),
      ...unreadKeys('position_embedding_type', 'layer_norm_eps', 'sliding_window'),
    },
    prepare: withoutOverriddenRope,
    complete: (config) => {
      checkLayerList(config, 'layer_types', 'ModernBERT')
      return checkDivides(config, 'num_attention_heads', 'hidden_size', 'ModernBERT')
    },
  },
  Stack: ModernBertStack,
  prefix: 'model',
  names: { width: 'hidden_size', layers: ['layers'], embeddings: 'embeddings.tok_embeddings' },
  contextLength: ({ max_position_embeddings }) => max_position_embeddings,
}

const classifier = (config: ModernBertConfig, { labelCount }: { labelCount: number }) => ({
  head: new PredictionHead(config),
  drop: new Dropout(config.classifier_dropout),
  classifier: headLinear(config.hidden_size, labelCount, config),
})

const classify = (
  { head, drop, classifier: layer }: ReturnType<typeof classifier>,
  states: Tensor,
): Tensor => layer.forward(drop.forward(head.forward(states)))

/** ModernBERT without a head: hidden states of tokens. */
export class ModernBertModel extends textEncoder(family, 'ModernBertModel') {}
/** ModernBERT for masked language modelling. */
export class ModernBertForMaskedLM extends maskedLM(family, {
  architectures: 'ModernBertForMaskedLM',
  layers: (config, { embeddings }) => ({
    /** Dense layer, activation and normalisation of the head. */
    head: new PredictionHead(config),
    /** Hidden states to logits, C to V features. */
    decoder: new Linear(config.hidden_size, config.vocab_size, {
      std: config.initializer_range,
      bias: config.decoder_bias,
      weight: config.tie_word_embeddings ? embeddings().weight : undefined,
    }),
  }),
  logits: ({ head, decoder }, states) => decoder.forward(head.forward(states)),
}) {}

/** Definition of the ModernBERT family. */
export const modernbert = defineModel({
  ...family,
  paper:
    'Warner et al. (2024). Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder for Fast, Memory Efficient, and Long Context Finetuning and Inference',
  otherNames: [],
  heads: [
    ModernBertModel,
    ModernBertForMaskedLM,
    sequenceClassifier(family, {
      architectures: 'ModernBertForSequenceClassification',
      layers: classifier,
      logits: classify,
      pool: (states, _, { classifier_pooling }, mask) =>
        classifier_pooling === 'cls'
          ? states.select(1, 0)
          : pool(states, mask ?? allTokens(states), 'mean'),
    }),
    tokenClassifier(family, {
      architectures: 'ModernBertForTokenClassification',
      layers: classifier,
      logits: classify,
    }),
    questionAnswerer(family, {
      architectures: 'ModernBertForQuestionAnswering',
      layers: (config) => classifier(config, { labelCount: 2 }),
      logits: classify,
    }),
  ],
  sizes: (sizes) => ({ ...bertSizes(sizes), intermediate_size: Math.ceil(1.5 * sizes.dim) }),
  dropout: ['embedding_dropout', 'attention_dropout', 'mlp_dropout'],
  tokenizer: { ...bertTokenizer, spec: 'bpe:4096' },
  image: null,
  task: 'fill-mask',
  maskedLanguageModeling: 'masked-lm',
  gguf: null,
  adapterTargets: {
    lora: ['Wqkv'],
    ia3: ['Wqkv'],
    feedForward: ['mlp.Wo'],
    blocks: { attention: ['attn.Wo'], feedForward: ['mlp', 'mlp.Wo'] },
  },
  presets: {},
})

const allTokens = (states: Tensor): Tensor => ones(states.shape.slice(0, 2)).gt(0)

function layerTypeOf(
  { layer_types, global_attn_every_n_layers }: ModernBertConfig,
  i: number,
): LayerType {
  const usual = i % global_attn_every_n_layers === 0 ? 'full_attention' : 'sliding_attention'
  return layer_types?.[i] ?? usual
}

function rotaryOf(config: ModernBertConfig, type: LayerType): Rotary {
  const rope_theta = type === 'full_attention' ? config.global_rope_theta : config.local_rope_theta
  const { max_position_embeddings } = config
  const rope_parameters = { ...config.rope_parameters?.[type], ...config.rope_scaling }
  const given = ropeOf({ rope_theta, rope_parameters, max_position_embeddings })
  const rope = wholeRotation(given, 'ModernBERT')
  return new Rotary({
    headDim: headDimOf(config),
    rope,
    maxPositions: max_position_embeddings,
  })
}

function headDimOf({ hidden_size, num_attention_heads }: ModernBertConfig): number {
  return hidden_size / num_attention_heads
}

function norm({ hidden_size, norm_eps, norm_bias: bias }: ModernBertConfig): LayerNorm {
  return new LayerNorm(hidden_size, norm_eps, { bias })
}

function linear(inputs: number, outputs: number, config: ModernBertConfig, bias: boolean): Linear {
  return headLinear(inputs, outputs, config, bias)
}
