// Llama (Touvron et al., 2023). Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size, H heads, D = head_dim, V = vocab_size
import { z } from 'zod'
import {
  activations,
  attention,
  Embedding,
  KVCache,
  type LayerCache,
  Linear,
  Module,
  RMSNorm,
  Rotary,
  rotate,
  type Turns,
  tokenPositions,
  visibleKeys,
} from '../../nn/index.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { CausalLM, CausalLMOptions } from '../heads/causal-lm.ts'
import type { EncoderOptions, SequenceClassifier } from '../heads/text-model.ts'
import { checkTokens, lastToken } from '../shared/decoder.ts'
import { classificationLoss, labelsOf } from '../shared/labels.ts'
import { ropeContext, ropeOf } from '../shared/rope.ts'
import {
  type CommonConfig,
  commonSchema,
  type LlamaWidths,
  llamaWidths,
  parseLlamaConfig,
} from './llama-config.ts'

const schema = commonSchema.extend({
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
})

export type LlamaConfig = z.output<typeof schema>

/** What relatives of Llama do in another way. */
export interface Plan {
  /** Of the projections to q, k and v, and of the one behind attention. */
  qkvBias: boolean
  outBias: boolean
  mlpBias: boolean
  /** How many tokens each of a layer sees, itself among them; null: all before it. */
  window: (layer: number) => number | null
  /** Of the embeddings, before the first layer. */
  embeddingScale: number
  Attention: new (config: LayerConfig) => LlamaAttention
  Norm: new (size: number, eps: number) => RMSNorm
}

/** The config of a relative, and its plan. */
export interface Family<C extends CommonConfig = CommonConfig> {
  schema: z.ZodType<C>
  plan(config: C): Plan
}

export type LayerConfig = CommonConfig & LlamaWidths & Plan

export class LlamaAttention extends Module<LayerConfig> {
  q_proj = linear(this.config, 'hidden_size', 'queryWidth', this.config.qkvBias)
  k_proj = linear(this.config, 'hidden_size', 'keyWidth', this.config.qkvBias)
  v_proj = linear(this.config, 'hidden_size', 'keyWidth', this.config.qkvBias)
  o_proj = linear(this.config, 'queryWidth', 'hidden_size', this.config.outBias)

  forward(x: Tensor, turns: Turns, mask: Tensor | null, cache?: LayerCache): Tensor {
    const { num_attention_heads: heads, kvHeads, attention_dropout } = this.config
    const q = rotate(this.queries(x), turns) // (B, T, H·D)
    const k = rotate(this.keys(x), turns) // (B, T, Hk·D)
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
class MLP extends Module<LayerConfig> {
  gate_proj = linear(this.config, 'hidden_size', 'intermediate_size', this.config.mlpBias)
  up_proj = linear(this.config, 'hidden_size', 'intermediate_size', this.config.mlpBias)
  down_proj = linear(this.config, 'intermediate_size', 'hidden_size', this.config.mlpBias)

  forward(x: Tensor): Tensor {
    const gate = activations[this.config.hidden_act](this.gate_proj.forward(x))
    return this.down_proj.forward(gate.mul(this.up_proj.forward(x)))
  }
}

class Layer extends Module<LayerConfig> {
  self_attn = new this.config.Attention(this.config)
  mlp = new MLP(this.config)
  input_layernorm = norm(this.config)
  post_attention_layernorm = norm(this.config)

  forward(x: Tensor, turns: Turns, mask: Tensor | null, cache?: LayerCache): Tensor {
    x = x.add(this.self_attn.forward(this.input_layernorm.forward(x), turns, mask, cache))
    return x.add(this.mlp.forward(this.post_attention_layernorm.forward(x)))
  }
}

class LlamaModel extends Module<LayerConfig> {
  embed_tokens = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    std: this.config.initializer_range,
  })
  layers = Array.from({ length: this.config.num_hidden_layers }, () => new Layer(this.config))
  norm = norm(this.config)
  private readonly rotary = new Rotary({
    headDim: this.config.headDim,
    rope: ropeOf(this.config),
    maxPositions: this.config.max_position_embeddings,
  })

  /** ids (B, T) -> states (B, T, C). */
  forward(ids: Tensor, { logitsAt, ...padded }: CausalLMOptions): Tensor {
    const { embeddingScale, window } = this.config
    const positions = tokenPositions(ids, padded)
    const turns = this.rotary.at(positions, logitsAt && positions.take(logitsAt, -1))
    let x = this.embed_tokens.forward(ids) // (B, T, C)
    if (embeddingScale !== 1) x = x.mul(embeddingScale)
    this.layers.forEach((layer, i) => {
      const mask = visibleKeys(ids, { ...padded, window: window(i) })
      x = layer.forward(x, turns, mask, padded.cache?.layers[i])
    })
    return this.norm.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }
}

export const llamaPlan: Plan = {
  qkvBias: false,
  outBias: false,
  mlpBias: false,
  window: () => null,
  embeddingScale: 1,
  Attention: LlamaAttention,
  Norm: RMSNorm,
}

const llama: Family<LlamaConfig> = {
  schema,
  plan: ({ attention_bias: qkvBias, mlp_bias: mlpBias }) => {
    return { ...llamaPlan, qkvBias, outBias: qkvBias, mlpBias }
  },
}

/** The layers, below any head. */
abstract class LlamaBase<C extends CommonConfig> extends Module<C> {
  static readonly modelType: string = 'llama'
  static readonly base = 'model'
  static readonly family: Family = llama

  model = new LlamaModel(layerConfig(this))

  constructor(config: Partial<C> = {}) {
    super(parseLlamaConfig(new.target.family.schema, config, new.target.modelType) as C)
  }

  get contextLength(): number {
    return ropeContext(this.config)
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  /** Checkpoints of the layers alone lack the prefix; old ones store the frequencies of each layer. */
  protected override keyInCheckpoint(key: string): string | null {
    if (key.endsWith('.rotary_emb.inv_freq')) return null
    return /^(embed_tokens|layers|norm)\./.test(key) ? `model.${key}` : key
  }
}

export class Llama<C extends CommonConfig = LlamaConfig> extends LlamaBase<C> implements CausalLM {
  static readonly architectures: readonly string[] = ['LlamaForCausalLM']
  static readonly head = 'causal-lm'

  lm_head = new Linear(this.config.hidden_size, this.config.vocab_size, {
    std: this.config.initializer_range,
    bias: false,
    weight: this.config.tie_word_embeddings ? this.model.embed_tokens.weight : undefined,
  })

  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  forward(ids: Tensor, options: CausalLMOptions = {}): Tensor {
    checkTokens(ids, this.constructor.name, this.contextLength, options.cache)
    return this.lm_head.forward(this.model.forward(ids, options))
  }

  loss(ids: Tensor, targets: Tensor): Tensor {
    return F.crossEntropy(this.forward(ids), targets)
  }

  createCache({ capacity = this.contextLength, batch = 1 } = {}): KVCache {
    const { num_hidden_layers: layers, kvHeads: heads, headDim } = this.model.config
    return new KVCache({ layers, heads, headDim, capacity, batch })
  }
}

/** Labels a text by its last token. */
export class LlamaForSequenceClassification<C extends CommonConfig = LlamaConfig>
  extends LlamaBase<C>
  implements SequenceClassifier
{
  static readonly architectures: readonly string[] = ['LlamaForSequenceClassification']
  static readonly head = 'sequence-classification'

  readonly labels = labelsOf(this.config)
  score = new Linear(this.config.hidden_size, this.labels.length, {
    std: this.config.initializer_range,
    bias: false,
  })

  /** ids (B, T) i32 -> logits (B, K). */
  forward(ids: Tensor, { attentionMask }: EncoderOptions = {}): Tensor {
    checkTokens(ids, this.constructor.name, this.contextLength)
    const states = this.model.forward(ids, { attentionMask })
    const padTokenId = this.config.pad_token_id
    return this.score.forward(lastToken(states, ids, { attentionMask, padTokenId }))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }
}

function layerConfig(model: LlamaBase<CommonConfig>): LayerConfig {
  const { family } = model.constructor as typeof LlamaBase
  return { ...model.config, ...family.plan(model.config), ...llamaWidths(model.config) }
}

const norm = ({ Norm, hidden_size, rms_norm_eps }: LayerConfig): RMSNorm =>
  new Norm(hidden_size, rms_norm_eps)

type Width = 'hidden_size' | 'intermediate_size' | 'queryWidth' | 'keyWidth'

const linear = (config: LayerConfig, from: Width, to: Width, bias: boolean): Linear =>
  new Linear(config[from], config[to], { bias, std: config.initializer_range })
