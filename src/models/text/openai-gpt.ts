// GPT (Radford et al., 2018): GPT-2 with norms behind the residuals. Field names are checkpoint keys.
// B batch, T tokens, C = n_embd, V = vocab_size
import { z } from 'zod'
import {
  Dropout,
  Embedding,
  KVCache,
  keyMask,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
  type PaddedOptions,
  tokenPositions,
} from '../../nn/index.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { CausalLM, CausalLMOptions } from '../heads/causal-lm.ts'
import type { EncoderOptions, JointLossOptions, SequenceClassifier } from '../heads/text-model.ts'
import { few, parseConfig, probability, size } from '../shared/config.ts'
import { checkTokens, lastToken, nextTokenLoss } from '../shared/decoder.ts'
import { classificationLoss, labelFields, labelsOf } from '../shared/labels.ts'
import { GPT2Attention, GPT2MLP, gpt2Config, type LayerConfig } from './gpt2.ts'

/** By this config's names, where gelu is the approximation. */
const activationsHere = { gelu: 'gelu_new', relu: 'relu', silu: 'silu', swish: 'silu' } as const

const schema = z.object({
  vocab_size: size.default(40478),
  n_positions: size.default(512),
  n_embd: size.default(768),
  n_layer: few.default(12),
  n_head: few.default(12),
  afn: z.enum(['gelu', 'relu', 'silu', 'swish']).default('gelu'),
  resid_pdrop: probability.default(0.1),
  embd_pdrop: probability.default(0.1),
  attn_pdrop: probability.default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().positive().default(0.02),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().nullable().default(null),
  ...labelFields,
})

export type OpenAIGPTConfig = z.output<typeof schema>

class Block extends Module<LayerConfig> {
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

  forward(ids: Tensor, { cache, attentionMask }: PaddedOptions): Tensor {
    const places = this.positions_embed.forward(tokenPositions(ids, { cache, attentionMask }))
    const mask = keyMask(attentionMask)
    let x = this.drop.forward(this.tokens_embed.forward(ids).add(places)) // (B, T, C)
    this.h.forEach((block, i) => {
      x = block.forward(x, cache?.layers[i], mask)
    })
    return x
  }
}

/** The layers, below any head. */
abstract class OpenAIGPTBase extends Module<OpenAIGPTConfig> {
  static readonly modelType = 'openai-gpt'
  static readonly base = 'transformer'

  transformer = new Transformer(this.config)

  constructor(config: Partial<OpenAIGPTConfig> = {}) {
    super(parseConfig(schema, config, 'OpenAI GPT'))
  }

  get contextLength(): number {
    return this.config.n_positions
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  /** Old uploads lack the prefix, and store the causal mask of each layer. */
  protected override keyInCheckpoint(key: string): string | null {
    if (key.endsWith('.attn.bias')) return null
    return /^(tokens_embed|positions_embed|h)\./.test(key) ? `transformer.${key}` : key
  }
}

export class OpenAIGPT extends OpenAIGPTBase implements CausalLM {
  static readonly architectures = ['OpenAIGPTLMHeadModel']
  static readonly head = 'causal-lm'

  lm_head = new Linear(this.config.n_embd, this.config.vocab_size, {
    ...initial(this.config),
    bias: false,
    weight: this.config.tie_word_embeddings ? this.transformer.tokens_embed.weight : undefined,
  })

  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  forward(ids: Tensor, { logitsAt, ...padded }: CausalLMOptions = {}): Tensor {
    checkTokens(ids, 'OpenAI GPT', this.contextLength, padded.cache)
    const x = this.transformer.forward(ids, padded)
    return this.lm_head.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }

  loss(ids: Tensor, targets: Tensor): Tensor {
    return F.crossEntropy(this.forward(ids), targets)
  }

  createCache({ capacity = this.contextLength, batch = 1 } = {}): KVCache {
    const { n_layer: layers, n_head: heads, n_embd } = this.config
    return new KVCache({ layers, heads, headDim: n_embd / heads, capacity, batch })
  }
}

/** Labels a text by its last token. */
export class OpenAIGPTForSequenceClassification
  extends OpenAIGPTBase
  implements SequenceClassifier
{
  static readonly architectures = ['OpenAIGPTForSequenceClassification']
  static readonly head = 'sequence-classification'

  readonly labels = labelsOf(this.config)
  score = new Linear(this.config.n_embd, this.labels.length, {
    ...initial(this.config),
    bias: false,
  })

  /** ids (B, T) i32 -> logits (B, K). */
  forward(ids: Tensor, options: EncoderOptions = {}): Tensor {
    return this.logits(this.states(ids, options), ids, options)
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }

  jointLoss(ids: Tensor, labels: Tensor, { lmWeight, ...options }: JointLossOptions): Tensor {
    const states = this.states(ids, options)
    const label = classificationLoss(this.logits(states, ids, options), labels, this.config)
    const embeddings = this.transformer.tokens_embed.weight
    const next = nextTokenLoss(states, ids, embeddings, options.attentionMask)
    return label.add(next.mul(lmWeight))
  }

  private states(ids: Tensor, { attentionMask }: EncoderOptions): Tensor {
    checkTokens(ids, 'OpenAI GPT', this.contextLength)
    return this.transformer.forward(ids, { attentionMask })
  }

  private logits(states: Tensor, ids: Tensor, { attentionMask }: EncoderOptions): Tensor {
    const padTokenId = this.config.pad_token_id
    return this.score.forward(lastToken(states, ids, { attentionMask, padTokenId }))
  }
}

/** As GPT-2 names it. */
function layerConfig({ afn, ...config }: OpenAIGPTConfig, layer: number): LayerConfig {
  return { ...gpt2Config({ ...config, activation_function: activationsHere[afn] }), layer }
}

const initial = ({ initializer_range: std }: OpenAIGPTConfig): { std: number } => ({ std })
