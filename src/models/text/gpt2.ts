// GPT-2 (Radford et al., 2019). Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = n_embd, V = vocab_size
import { z } from 'zod'
import {
  activationNames,
  activations,
  attention,
  Conv1D,
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
import { HeedError } from '../../util/errors.ts'
import type { CausalLM, CausalLMOptions } from '../heads/causal-lm.ts'
import type { EncoderOptions, JointLossOptions, SequenceClassifier } from '../heads/text-model.ts'
import { few, parseConfig, probability, size } from '../shared/config.ts'
import { checkTokens, lastToken, nextTokenLoss } from '../shared/decoder.ts'
import { classificationLoss, labelFields, labelsOf } from '../shared/labels.ts'

const schema = z.object({
  vocab_size: size.default(50257),
  n_positions: size.default(1024),
  n_embd: size.default(768),
  n_layer: few.default(12),
  n_head: few.default(12),
  n_inner: size.nullable().default(null), // null: four times n_embd
  activation_function: z.enum(activationNames).default('gelu_new'),
  resid_pdrop: probability.default(0.1),
  embd_pdrop: probability.default(0.1),
  attn_pdrop: probability.default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().positive().default(0.02),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  bos_token_id: z.int().nullable().default(50256),
  eos_token_id: z.int().nullable().default(50256),
  pad_token_id: z.int().nullable().default(null),
  ...labelFields,
})

export type GPT2Config = z.output<typeof schema>
/** A layer's, with its number. */
export type LayerConfig = GPT2Config & { layer: number }

export class GPT2Attention extends Module<LayerConfig> {
  c_attn = new Conv1D(this.config.n_embd, 3 * this.config.n_embd, initial(this.config))
  c_proj = new Conv1D(this.config.n_embd, this.config.n_embd, residual(this.config))
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

export class GPT2MLP extends Module<GPT2Config> {
  c_fc = new Conv1D(this.config.n_embd, innerSize(this.config), initial(this.config))
  c_proj = new Conv1D(innerSize(this.config), this.config.n_embd, residual(this.config))
  dropout = new Dropout(this.config.resid_pdrop)

  forward(x: Tensor): Tensor {
    const activate = activations[this.config.activation_function]
    return this.dropout.forward(this.c_proj.forward(activate(this.c_fc.forward(x))))
  }
}

class Block extends Module<LayerConfig> {
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

  forward(ids: Tensor, { cache, attentionMask }: PaddedOptions): Tensor {
    const places = this.wpe.forward(tokenPositions(ids, { cache, attentionMask }))
    const mask = keyMask(attentionMask)
    let x = this.drop.forward(this.wte.forward(ids).add(places)) // (B, T, C)
    this.h.forEach((block, i) => {
      x = block.forward(x, cache?.layers[i], mask)
    })
    return this.ln_f.forward(x)
  }
}

/** The layers, below any head. */
abstract class GPT2Base extends Module<GPT2Config> {
  static readonly modelType = 'gpt2'
  static readonly base = 'transformer'

  transformer = new Transformer(this.config)

  constructor(config: Partial<GPT2Config> = {}) {
    super(gpt2Config(config))
  }

  get contextLength(): number {
    return this.config.n_positions
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  /** Old uploads lack the prefix, and store the causal mask of each layer. */
  protected override keyInCheckpoint(key: string): string | null {
    if (/(^|\.)attn\.(bias|masked_bias)$/.test(key)) return null
    return /^(wte|wpe|h|ln_f)\./.test(key) ? `transformer.${key}` : key
  }
}

export class GPT2 extends GPT2Base implements CausalLM {
  static readonly architectures = ['GPT2LMHeadModel']
  static readonly head = 'causal-lm'

  lm_head = new Linear(this.config.n_embd, this.config.vocab_size, {
    ...initial(this.config),
    bias: false,
    weight: this.config.tie_word_embeddings ? this.transformer.wte.weight : undefined,
  })

  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  forward(ids: Tensor, { logitsAt, ...seen }: CausalLMOptions = {}): Tensor {
    checkTokens(ids, 'GPT-2', this.contextLength, seen.cache)
    const x = this.transformer.forward(ids, seen)
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
export class GPT2ForSequenceClassification extends GPT2Base implements SequenceClassifier {
  static readonly architectures = ['GPT2ForSequenceClassification']
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
    const embeddings = this.transformer.wte.weight
    const next = nextTokenLoss(states, ids, embeddings, options.attentionMask)
    return label.add(next.mul(lmWeight))
  }

  private states(ids: Tensor, { attentionMask }: EncoderOptions): Tensor {
    checkTokens(ids, 'GPT-2', this.contextLength)
    return this.transformer.forward(ids, { attentionMask })
  }

  private logits(states: Tensor, ids: Tensor, { attentionMask }: EncoderOptions): Tensor {
    const padTokenId = this.config.pad_token_id
    return this.score.forward(lastToken(states, ids, { attentionMask, padTokenId }))
  }
}

/** A whole config, with defaults for what is left out. */
export function gpt2Config(raw: Partial<GPT2Config>): GPT2Config {
  const config = parseConfig(schema, raw, 'GPT-2')
  const { n_embd, n_head } = config
  if (n_embd % n_head === 0) return config
  throw new HeedError(
    'invalid-config',
    `GPT-2: n_head ${n_head} does not divide n_embd ${n_embd}`,
    {
      remedy: `Take ${n_head} heads of whole size: n_embd ${n_head * Math.ceil(n_embd / n_head)}, for instance.`,
    },
  )
}

const innerSize = (config: GPT2Config): number => config.n_inner ?? 4 * config.n_embd

const initial = ({ initializer_range: std }: GPT2Config): { std: number } => ({ std })

/** Each layer adds two outputs to the residual stream: their sum is to keep its variance. */
const residual = ({ initializer_range, n_layer }: GPT2Config): { std: number } => ({
  std: initializer_range / Math.sqrt(2 * n_layer),
})

function attentionScale(config: LayerConfig): number {
  const whole = config.scale_attn_weights ? 1 / Math.sqrt(config.n_embd / config.n_head) : 1
  return config.scale_attn_by_inverse_layer_idx ? whole / (config.layer + 1) : whole
}
