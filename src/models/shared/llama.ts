// The stack of Llama (Touvron et al., 2023) and its variants. Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size, H query heads, Hk key and value heads, D = head_dim
import type { z } from 'zod'
import {
  activations,
  attention,
  Dropout,
  Embedding,
  type LayerCache,
  Linear,
  Module,
  RMSNorm,
  type RopeParameters,
  Rotary,
  type RotaryAngles,
  rotate,
  tokenPositions,
  visibleKeys,
} from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { UnreadKeys } from '../../util/unread-keys.ts'
import type { DecoderFamily, TextStackOptions } from './family.ts'
import {
  completeLlamaConfig,
  type LlamaCommonConfig,
  type LlamaWidths,
  llamaWidths,
} from './llama-config.ts'
import {
  ropeCacheLimit,
  ropeContext,
  ropeOf,
  rotatedDim,
  wholeRotation,
  withoutOverriddenRope,
  withoutPartialRotation,
} from './rope.ts'
import { llamaSizes } from './sizes.ts'
import { decoderTokenizer } from './tokenizers.ts'

/** Where Llama variants differ. */
export interface LlamaPlan {
  /** Whether the q, k and v projections have a bias. */
  qkvBias: boolean
  /** Whether the output projection of attention has a bias. */
  outBias: boolean
  mlpBias: boolean
  /** Size of the sliding window of a layer, including the token itself; null: no window. */
  window: (layer: number) => number | null
  /** Whether a layer applies rotary embeddings. */
  rotates: (layer: number) => boolean
  rope: RopeParameters
  /** Factor of the attention scores. Default 1/√D. */
  attentionScale?: number
  /** Factor of the embeddings before the first layer. */
  embeddingScale: number
  /** Factor of the outputs of attention and MLP before they are added to the residual stream. */
  residualScale: number
  /** Dropout probability of these outputs. */
  residualDropout: number
  Attention: new (config: LlamaLayerConfig) => LlamaAttention
  MLP: new (config: LlamaLayerConfig) => LlamaMLP
  Norm: new (size: number, eps: number) => RMSNorm
}

/** Config of a layer: keys of config.json, derived sizes, plan and layer index. */
export type LlamaLayerConfig = LlamaCommonConfig & LlamaWidths & LlamaPlan & { layer: number }

/** Queries (B, T, H·D), keys and values (B, T, Hk·D). */
export type Projections = readonly [q: Tensor, k: Tensor, v: Tensor]

/** Attention of a layer. Variants differ in the projections. */
export abstract class LlamaAttention extends Module<LlamaLayerConfig> {
  abstract readonly o_proj: Linear

  /** Computes queries, keys and values from x (B, T, C), before rotation. */
  protected abstract project(x: Tensor): Projections

  forward(x: Tensor, angles: RotaryAngles, mask: Tensor | null, cache?: LayerCache): Tensor {
    const { num_attention_heads: heads, kvHeads, attention_dropout, headDim } = this.config
    const { rotates, attentionScale: scale, layer } = this.config
    const [queries, keys, v] = this.project(x)
    const [q, k] = rotates(layer)
      ? [rotate(queries, angles, headDim), rotate(keys, angles, headDim)]
      : [queries, keys]
    const dropout = this.training ? attention_dropout : 0
    const y = attention(q, k, v, { heads, kvHeads, causal: true, mask, cache, dropout, scale })
    return this.o_proj.forward(y)
  }
}

/** Attention with separate projections of queries, keys and values. */
export class SeparateAttention extends LlamaAttention {
  q_proj = linear(this.config, 'hidden_size', 'queryWidth', this.config.qkvBias)
  k_proj = linear(this.config, 'hidden_size', 'keyWidth', this.config.qkvBias)
  v_proj = linear(this.config, 'hidden_size', 'keyWidth', this.config.qkvBias)
  o_proj = linear(this.config, 'queryWidth', 'hidden_size', this.config.outBias)

  protected override project(x: Tensor): Projections {
    return [this.q_proj.forward(x), this.k_proj.forward(x), this.v_proj.forward(x)]
  }
}

/** Attention with a joint projection of queries, keys and values. */
export class FusedAttention extends LlamaAttention {
  qkv_proj = new Linear(
    this.config.hidden_size,
    this.config.queryWidth + 2 * this.config.keyWidth,
    { bias: this.config.qkvBias, std: this.config.initializer_range },
  )
  o_proj = linear(this.config, 'queryWidth', 'hidden_size', this.config.outBias)

  protected override project(x: Tensor): Projections {
    const { queryWidth, keyWidth } = this.config
    const joint = this.qkv_proj.forward(x) // (B, T, (H + 2·Hk)·D)
    return [
      joint.narrow(-1, 0, queryWidth),
      joint.narrow(-1, queryWidth, keyWidth),
      joint.narrow(-1, queryWidth + keyWidth, keyWidth),
    ]
  }
}

/** SwiGLU (Shazeer, 2020), or a gated MLP with another activation function. */
export abstract class LlamaMLP extends Module<LlamaLayerConfig> {
  abstract readonly down_proj: Linear

  /** Computes gate and values from x (B, T, C), each (B, T, intermediate_size). */
  protected abstract project(x: Tensor): readonly [gate: Tensor, values: Tensor]

  forward(x: Tensor): Tensor {
    const [gate, values] = this.project(x)
    return this.down_proj.forward(activations[this.config.hidden_act](gate).mul(values))
  }
}

/** MLP with separate projections of gate and values. */
export class SeparateMLP extends LlamaMLP {
  gate_proj = linear(this.config, 'hidden_size', 'intermediate_size', this.config.mlpBias)
  up_proj = linear(this.config, 'hidden_size', 'intermediate_size', this.config.mlpBias)
  down_proj = linear(this.config, 'intermediate_size', 'hidden_size', this.config.mlpBias)

  protected override project(x: Tensor): readonly [Tensor, Tensor] {
    return [this.gate_proj.forward(x), this.up_proj.forward(x)]
  }
}

/** MLP with a joint projection of gate and values. */
export class FusedMLP extends LlamaMLP {
  gate_up_proj = new Linear(this.config.hidden_size, 2 * this.config.intermediate_size, {
    bias: this.config.mlpBias,
    std: this.config.initializer_range,
  })
  down_proj = linear(this.config, 'intermediate_size', 'hidden_size', this.config.mlpBias)

  protected override project(x: Tensor): readonly [Tensor, Tensor] {
    const [gate, values] = this.gate_up_proj.forward(x).chunk(2, -1)
    return [gate, values]
  }
}

/** The plan of Llama. Biases follow `attention_bias` and `mlp_bias` if the config has them. */
const llamaPlan = (
  { attention_bias = false, mlp_bias = false }: BiasKeys,
  rope: RopeParameters,
): LlamaPlan => ({
  qkvBias: attention_bias,
  outBias: attention_bias,
  mlpBias: mlp_bias,
  window: () => null,
  rotates: () => true,
  rope,
  embeddingScale: 1,
  residualScale: 1,
  residualDropout: 0,
  Attention: SeparateAttention,
  MLP: SeparateMLP,
  Norm: RMSNorm,
})

interface BiasKeys {
  attention_bias?: boolean
  mlp_bias?: boolean
}

class Layer extends Module<LlamaLayerConfig> {
  self_attn = new this.config.Attention(this.config)
  mlp = new this.config.MLP(this.config)
  input_layernorm = norm(this.config)
  post_attention_layernorm = norm(this.config)
  private readonly dropout = new Dropout(this.config.residualDropout)

  forward(x: Tensor, angles: RotaryAngles, mask: Tensor | null, cache?: LayerCache): Tensor {
    const y = this.self_attn.forward(this.input_layernorm.forward(x), angles, mask, cache)
    x = this.residual(x, y)
    return this.residual(x, this.mlp.forward(this.post_attention_layernorm.forward(x)))
  }

  private residual(x: Tensor, y: Tensor): Tensor {
    const { residualScale, residualDropout } = this.config
    if (residualScale !== 1) y = y.mul(residualScale)
    return x.add(residualDropout > 0 ? this.dropout.forward(y) : y)
  }
}

/** The stack of Llama and its variants. A variant overrides parts of `plan`. */
export abstract class LlamaModel<C extends LlamaCommonConfig> extends Module<C> {
  private readonly layer = {
    ...this.config,
    ...llamaWidths(this.config),
    ...this.plan(this.config),
    layer: 0,
  }
  embed_tokens = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    std: this.config.initializer_range,
  })
  layers = Array.from(
    { length: this.config.num_hidden_layers },
    (_, layer) => new Layer({ ...this.layer, layer }),
  )
  norm = norm(this.layer)
  private readonly rotary = new Rotary({
    headDim: rotatedDim(this.layer.headDim, this.layer.rope),
    rope: this.layer.rope,
    maxPositions: this.config.max_position_embeddings,
  })

  protected abstract plan(config: C): LlamaPlan

  /** Computes hidden states: i32 (B, T) -> f32 (B, T, C). */
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

/** Differences of a Llama variant. */
export interface LlamaVariant<C extends LlamaCommonConfig & BiasKeys> {
  modelType: string
  title: string
  schema: () => z.ZodType<C>
  unread?: UnreadKeys
  /** Whether `partial_rotary_factor` is used. Default false, as in transformers. */
  rotatesPart?: boolean
  /** Differences from the plan of Llama. */
  plan?: (config: C) => Partial<LlamaPlan>
}

/** The family of a Llama variant. */
export const llamaFamily = <C extends LlamaCommonConfig & BiasKeys>({
  modelType,
  title,
  schema,
  unread,
  rotatesPart = false,
  plan,
}: LlamaVariant<C>): DecoderFamily<C, LlamaModel<C>, 'model'> => ({
  modelType,
  title,
  config: {
    schema,
    aliases: {},
    unread,
    prepare: (raw) => {
      const config = withoutOverriddenRope(raw)
      return rotatesPart ? config : withoutPartialRotation(config, title)
    },
    complete: (config) => completeLlamaConfig(config, title),
  },
  Stack: class extends LlamaModel<C> {
    protected override plan(config: C): LlamaPlan {
      const changes = plan?.(config) ?? {}
      const rope = changes.rope ?? wholeRotation(ropeOf(config), title)
      return { ...llamaPlan(config, rope), ...changes }
    }
  },
  prefix: 'model',
  names: { width: 'hidden_size', layers: ['layers'], embeddings: 'embed_tokens' },
  contextLength: ropeContext,
  cacheValidTo: ropeCacheLimit,
  cache: (config) => {
    const { kvHeads: heads, headDim } = llamaWidths(config)
    return { layers: config.num_hidden_layers, heads, headDim }
  },
  ignoredKeys: /\.rotary_emb\.inv_freq$/, // rotary frequencies, stored per layer in old checkpoints
})

/** Parts of the definition that all variants share. */
export const llamaDefaults = {
  otherNames: [],
  sizes: llamaSizes,
  dropout: ['attention_dropout'],
  tokenizer: decoderTokenizer,
  image: null,
  task: 'text-generation',
  maskedLanguageModeling: null,
  adapterTargets: {
    lora: ['q_proj', 'v_proj'],
    ia3: ['k_proj', 'v_proj'],
    feedForward: ['down_proj'],
    blocks: { attention: ['o_proj'], feedForward: ['mlp', 'down_proj'] },
  },
  presets: {},
} as const

function norm({ Norm, hidden_size, rms_norm_eps }: LlamaLayerConfig): RMSNorm {
  return new Norm(hidden_size, rms_norm_eps)
}

type Width = 'hidden_size' | 'intermediate_size' | 'queryWidth' | 'keyWidth'

function linear(config: LlamaLayerConfig, from: Width, to: Width, bias: boolean): Linear {
  return new Linear(config[from], config[to], { bias, std: config.initializer_range })
}
