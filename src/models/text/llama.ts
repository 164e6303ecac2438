// Llama (Touvron et al., 2023), and what its variants share. Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size, H heads, D = head_dim, V = vocab_size
import { z } from 'zod'
import {
  activations,
  attention,
  Embedding,
  type LayerCache,
  Linear,
  Module,
  RMSNorm,
  Rotary,
  type RotaryAngles,
  rotate,
  tokenPositions,
  visibleKeys,
} from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { defineModel } from '../definition.ts'
import { llamaGGUF } from '../gguf/llama.ts'
import { causalLM } from '../heads/causal-lm.ts'
import { lastTokenClassifier } from '../heads/sequence-classification.ts'
import type { DecoderFamily, TextStackOptions } from '../shared/family.ts'
import {
  completeLlamaConfig,
  type LlamaCommonConfig,
  type LlamaWidths,
  llamaCommonSchema,
  llamaWidths,
} from '../shared/llama-config.ts'
import { llamaHeads } from '../shared/llama-heads.ts'
import { ropeContext, ropeOf } from '../shared/rope.ts'
import { llamaSizes } from '../shared/sizes.ts'
import { decoderTokenizer } from '../shared/tokenizers.ts'

const schema = llamaCommonSchema.extend({
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
})

export type LlamaConfig = z.output<typeof schema>

/** Where Llama variants differ. */
export interface LlamaPlan {
  /** Bias of the q, k, v projections. */
  qkvBias: boolean
  /** Bias of the output projection of attention. */
  outBias: boolean
  mlpBias: boolean
  /** How many tokens each token of a layer sees, itself included; null: all before it. */
  window: (layer: number) => number | null
  /** Factor of the embeddings, before the first layer. */
  embeddingScale: number
  Attention: new (config: LlamaLayerConfig) => LlamaAttention
  Norm: new (size: number, eps: number) => RMSNorm
}

export const llamaPlan: LlamaPlan = {
  get Attention() {
    return LlamaAttention
  },
  qkvBias: false,
  outBias: false,
  mlpBias: false,
  window: () => null,
  embeddingScale: 1,
  Norm: RMSNorm,
}

export type LlamaLayerConfig = LlamaCommonConfig & LlamaWidths & LlamaPlan

export class LlamaAttention extends Module<LlamaLayerConfig> {
  q_proj = linear(this.config, 'hidden_size', 'queryWidth', this.config.qkvBias)
  k_proj = linear(this.config, 'hidden_size', 'keyWidth', this.config.qkvBias)
  v_proj = linear(this.config, 'hidden_size', 'keyWidth', this.config.qkvBias)
  o_proj = linear(this.config, 'queryWidth', 'hidden_size', this.config.outBias)

  forward(x: Tensor, angles: RotaryAngles, mask: Tensor | null, cache?: LayerCache): Tensor {
    const { num_attention_heads: heads, kvHeads, attention_dropout } = this.config
    const q = rotate(this.queries(x), angles) // (B, T, H·D)
    const k = rotate(this.keys(x), angles) // (B, T, Hk·D)
    const v = this.v_proj.forward(x)
    const dropout = this.training ? attention_dropout : 0
    const y = attention(q, k, v, { heads, kvHeads, causal: true, mask, cache, dropout })
    return this.o_proj.forward(y)
  }

  protected queries(x: Tensor): Tensor {
    return this.q_proj.forward(x)
  }

  protected keys(x: Tensor): Tensor {
    return this.k_proj.forward(x)
  }
}

/** SwiGLU (Shazeer, 2020), or with another activation. */
class MLP extends Module<LlamaLayerConfig> {
  gate_proj = linear(this.config, 'hidden_size', 'intermediate_size', this.config.mlpBias)
  up_proj = linear(this.config, 'hidden_size', 'intermediate_size', this.config.mlpBias)
  down_proj = linear(this.config, 'intermediate_size', 'hidden_size', this.config.mlpBias)

  forward(x: Tensor): Tensor {
    const gate = activations[this.config.hidden_act](this.gate_proj.forward(x))
    return this.down_proj.forward(gate.mul(this.up_proj.forward(x)))
  }
}

class Layer extends Module<LlamaLayerConfig> {
  self_attn = new this.config.Attention(this.config)
  mlp = new MLP(this.config)
  input_layernorm = norm(this.config)
  post_attention_layernorm = norm(this.config)

  forward(x: Tensor, angles: RotaryAngles, mask: Tensor | null, cache?: LayerCache): Tensor {
    x = x.add(this.self_attn.forward(this.input_layernorm.forward(x), angles, mask, cache))
    return x.add(this.mlp.forward(this.post_attention_layernorm.forward(x)))
  }
}

/** The stack of Llama and its variants, which state in `plan` where they differ. */
export abstract class LlamaModel<C extends LlamaCommonConfig> extends Module<C> {
  private readonly layer = {
    ...this.config,
    ...llamaWidths(this.config),
    ...this.plan(this.config),
  }
  embed_tokens = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    std: this.config.initializer_range,
  })
  layers = Array.from({ length: this.config.num_hidden_layers }, () => new Layer(this.layer))
  norm = norm(this.layer)
  private readonly rotary = new Rotary({
    headDim: this.layer.headDim,
    rope: ropeOf(this.config),
    maxPositions: this.config.max_position_embeddings,
  })

  protected abstract plan(config: C): LlamaPlan

  /** ids (B, T) -> states (B, T, C). */
  forward(ids: Tensor, { logitsAt, cache, attentionMask }: TextStackOptions): Tensor {
    const { embeddingScale, window } = this.layer
    const positions = tokenPositions(ids, { cache, attentionMask })
    const angles = this.rotary.at(positions, logitsAt && positions.take(logitsAt, -1))
    let x = this.embed_tokens.forward(ids) // (B, T, C)
    if (embeddingScale !== 1) x = x.mul(embeddingScale)
    this.layers.forEach((layer, i) => {
      const mask = visibleKeys(ids, { cache, attentionMask, window: window(i) })
      x = layer.forward(x, angles, mask, cache?.layers[i])
    })
    return this.norm.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }
}

/** A variant of Llama: its config, and where it differs. */
export interface LlamaVariant<C extends LlamaCommonConfig> {
  modelType: string
  title: string
  schema: z.ZodType<C>
  plan: (config: C) => LlamaPlan
}

/** The family of a variant. */
export const llamaFamily = <C extends LlamaCommonConfig>({
  modelType,
  title,
  schema,
  plan,
}: LlamaVariant<C>): DecoderFamily<C, LlamaModel<C>, 'model'> => ({
  modelType,
  title,
  config: {
    schema,
    aliases: {},
    complete: (config) => completeLlamaConfig(config, title),
  },
  Stack: class extends LlamaModel<C> {
    protected override plan(config: C): LlamaPlan {
      return plan(config)
    }
  },
  prefix: 'model',
  names: { width: 'hidden_size', layers: ['layers'], embeddings: 'embed_tokens' },
  contextLength: ropeContext,
  cache: (config) => {
    const { kvHeads: heads, headDim } = llamaWidths(config)
    return { layers: config.num_hidden_layers, heads, headDim }
  },
  ignoredKeys: /\.rotary_emb\.inv_freq$/, // frequencies of each layer, in old checkpoints
})

/** What the definitions of all variants share. */
export const llamaDefaults = {
  otherNames: [],
  sizes: llamaSizes,
  dropout: ['attention_dropout'],
  tokenizer: decoderTokenizer,
  image: null,
  task: 'text-generation',
  maskedLanguageModeling: null,
  presets: {},
} as const

const family = llamaFamily<LlamaConfig>({
  modelType: 'llama',
  title: 'Llama',
  schema,
  plan: ({ attention_bias: qkvBias, mlp_bias: mlpBias }) => {
    return { ...llamaPlan, qkvBias, outBias: qkvBias, mlpBias }
  },
})

export class Llama extends causalLM(family, 'LlamaForCausalLM') {}
export class LlamaForSequenceClassification extends lastTokenClassifier(
  family,
  'LlamaForSequenceClassification',
) {}

export const llama = defineModel({
  ...family,
  ...llamaDefaults,
  heads: [Llama, LlamaForSequenceClassification, ...llamaHeads(family, 'Llama')],
  // Also Mistral, SmolLM2 and all others that differ by size alone.
  gguf: llamaGGUF({ architecture: 'llama', className: 'LlamaForCausalLM', interleaved: true }),
  presets: {
    // Touvron et al. (2023), table 2
    'llama-7b': size(32, 4096, 32, 11008),
    'llama-13b': size(40, 5120, 40, 13824),
    'llama-33b': size(60, 6656, 52, 17920),
    'llama-65b': size(80, 8192, 64, 22016),
  },
})

function size(layers: number, width: number, heads: number, inner: number) {
  return {
    num_hidden_layers: layers,
    hidden_size: width,
    num_attention_heads: heads,
    intermediate_size: inner,
  }
}

function norm({ Norm, hidden_size, rms_norm_eps }: LlamaLayerConfig): RMSNorm {
  return new Norm(hidden_size, rms_norm_eps)
}

type Width = 'hidden_size' | 'intermediate_size' | 'queryWidth' | 'keyWidth'

function linear(config: LlamaLayerConfig, from: Width, to: Width, bias: boolean): Linear {
  return new Linear(config[from], config[to], { bias, std: config.initializer_range })
}
