// GPT-Neo (Black et al., 2021). Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size, V = vocab_size
import { z } from 'zod'
import {
  activationNames,
  activations,
  attention,
  Dropout,
  Embedding,
  KVCache,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
  type PaddedOptions,
  tokenPositions,
  visibleKeys,
} from '../../nn/index.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { CausalLM, CausalLMOptions } from '../heads/causal-lm.ts'
import type { EncoderOptions, SequenceClassifier } from '../heads/text-model.ts'
import { eosTokenId, few, parseConfig, probability, size } from '../shared/config.ts'
import { checkTokens, lastToken } from '../shared/decoder.ts'
import { classificationLoss, labelFields, labelsOf } from '../shared/labels.ts'

const attentionType = z.enum(['global', 'local'])

const schema = z.object({
  vocab_size: size.default(50257),
  max_position_embeddings: size.default(2048),
  hidden_size: size.default(2048),
  num_layers: few.default(24),
  num_heads: few.default(16),
  intermediate_size: size.nullable().default(null), // null: four times hidden_size
  // [[["global", "local"], 12]]: both in turns, twelve times over
  attention_types: z
    .array(z.tuple([z.array(attentionType).max(64), few]))
    .max(64)
    .default([[['global', 'local'], 12]]),
  window_size: size.default(256),
  activation_function: z.enum(activationNames).default('gelu_new'),
  resid_dropout: probability.default(0),
  embed_dropout: probability.default(0),
  attention_dropout: probability.default(0),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().positive().default(0.02),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().nullable().default(null),
  bos_token_id: z.int().nullable().default(50256),
  eos_token_id: eosTokenId.default(50256),
  ...labelFields,
})

export type GPTNeoConfig = z.output<typeof schema>

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

  forward(ids: Tensor, padded: PaddedOptions): Tensor {
    const places = this.wpe.forward(tokenPositions(ids, padded))
    let x = this.drop.forward(this.wte.forward(ids).add(places)) // (B, T, C)
    this.h.forEach((block, i) => {
      const window = this.types[i] === 'local' ? this.config.window_size : null
      x = block.forward(x, visibleKeys(ids, { ...padded, window }), padded.cache?.layers[i])
    })
    return this.ln_f.forward(x)
  }
}

/** The layers, below any head. */
abstract class GPTNeoBase extends Module<GPTNeoConfig> {
  static readonly modelType = 'gpt_neo'
  static readonly base = 'transformer'

  transformer = new Transformer(this.config)

  constructor(config: Partial<GPTNeoConfig> = {}) {
    super(checked(parseConfig(schema, config, 'GPT-Neo')))
  }

  get contextLength(): number {
    return this.config.max_position_embeddings
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  /** Old uploads store the mask of each layer. */
  protected override keyInCheckpoint(key: string): string | null {
    if (/\.attention\.(bias|masked_bias)$/.test(key)) return null
    return /^(wte|wpe|h|ln_f)\./.test(key) ? `transformer.${key}` : key
  }
}

export class GPTNeo extends GPTNeoBase implements CausalLM {
  static readonly architectures = ['GPTNeoForCausalLM']
  static readonly head = 'causal-lm'

  lm_head = new Linear(this.config.hidden_size, this.config.vocab_size, {
    ...initial(this.config),
    bias: false,
    weight: this.config.tie_word_embeddings ? this.transformer.wte.weight : undefined,
  })

  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  forward(ids: Tensor, { logitsAt, ...padded }: CausalLMOptions = {}): Tensor {
    checkTokens(ids, 'GPT-Neo', this.contextLength, padded.cache)
    const x = this.transformer.forward(ids, padded)
    return this.lm_head.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }

  loss(ids: Tensor, targets: Tensor): Tensor {
    return F.crossEntropy(this.forward(ids), targets)
  }

  createCache({ capacity = this.contextLength, batch = 1 } = {}): KVCache {
    const { num_layers: layers, num_heads: heads, hidden_size } = this.config
    return new KVCache({ layers, heads, headDim: hidden_size / heads, capacity, batch })
  }
}

/** Labels a text by its last token. */
export class GPTNeoForSequenceClassification extends GPTNeoBase implements SequenceClassifier {
  static readonly architectures = ['GPTNeoForSequenceClassification']
  static readonly head = 'sequence-classification'

  readonly labels = labelsOf(this.config)
  score = new Linear(this.config.hidden_size, this.labels.length, {
    ...initial(this.config),
    bias: false,
  })

  /** ids (B, T) i32 -> logits (B, K). */
  forward(ids: Tensor, { attentionMask }: EncoderOptions = {}): Tensor {
    checkTokens(ids, 'GPT-Neo', this.contextLength)
    const states = this.transformer.forward(ids, { attentionMask })
    const padTokenId = this.config.pad_token_id
    return this.score.forward(lastToken(states, ids, { attentionMask, padTokenId }))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }
}

/** One for each layer. */
const attentionTypes = ({ attention_types }: GPTNeoConfig): readonly ('global' | 'local')[] =>
  attention_types.flatMap(([types, times]) => Array.from({ length: times }, () => types).flat())

function checked(config: GPTNeoConfig): GPTNeoConfig {
  const { hidden_size, num_heads, num_layers } = config
  if (hidden_size % num_heads !== 0)
    throw new HeedError(
      'invalid-config',
      `GPT-Neo: num_heads ${num_heads} does not divide hidden_size ${hidden_size}`,
    )
  const count = attentionTypes(config).length
  if (count === num_layers) return config
  throw new HeedError(
    'invalid-config',
    `GPT-Neo: attention_types is of ${count} layers, num_layers ${num_layers}`,
    {
      remedy: `[[["global"], ${num_layers}]], for instance.`,
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
