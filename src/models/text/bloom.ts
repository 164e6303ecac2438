// BLOOM (BigScience, 2022). Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, S keys, C = hidden_size, H = n_head, D = C / H, V = vocab_size
import { z } from 'zod'
import {
  alibi,
  attention,
  countedPositions,
  Dropout,
  Embedding,
  KVCache,
  keyMask,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
  type PaddedOptions,
} from '../../nn/index.ts'
import { arange, F, type Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { CausalLM, CausalLMOptions } from '../heads/causal-lm.ts'
import type { EncoderOptions, SequenceClassifier } from '../heads/text-model.ts'
import { eosTokenId, few, parseConfig, probability, size } from '../shared/config.ts'
import { checkTokens, lastToken } from '../shared/decoder.ts'
import { classificationLoss, labelFields, labelsOf } from '../shared/labels.ts'

const schema = z.object({
  vocab_size: size.default(250880),
  hidden_size: size.optional(),
  n_embed: size.optional(), // as older configs call it
  n_layer: few.default(2),
  n_head: few.default(8),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().positive().default(0.02),
  apply_residual_connection_post_layernorm: z.boolean().default(false),
  hidden_dropout: probability.default(0),
  attention_dropout: probability.default(0),
  seq_length: size.default(2048), // of the training: any length can be computed
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().nullable().default(null),
  bos_token_id: z.int().nullable().default(1),
  eos_token_id: eosTokenId.default(2),
  ...labelFields,
})

type Stored = z.output<typeof schema>
export type BloomConfig = Omit<Stored, 'n_embed'> & { hidden_size: number }

/** What all layers share: which keys are seen, and how much each counts. */
interface Shared {
  mask?: Tensor
  bias: Tensor
}

class Attention extends Module<BloomConfig> {
  query_key_value = linear(this.config, 1, 3)
  dense = linear(this.config, 1, 1)
  hidden_dropout = new Dropout(this.config.hidden_dropout)

  forward(x: Tensor, shared: Shared, cache?: LayerCache): Tensor {
    const { n_head: heads, attention_dropout } = this.config
    const [batch, tokens, width] = x.shape
    // Each head's q, k and v lie together.
    const joint = this.query_key_value.forward(x).reshape(batch, tokens, heads, 3, width / heads)
    const [q, k, v] = joint.unbind(3).map((part) => part.reshape(batch, tokens, width))
    const dropout = this.training ? attention_dropout : 0
    const y = attention(q, k, v, { heads, causal: true, ...shared, cache, dropout })
    return this.hidden_dropout.forward(this.dense.forward(y))
  }
}

class MLP extends Module<BloomConfig> {
  dense_h_to_4h = linear(this.config, 1, 4)
  dense_4h_to_h = linear(this.config, 4, 1)
  hidden_dropout = new Dropout(this.config.hidden_dropout)

  forward(x: Tensor): Tensor {
    const inner = this.dense_h_to_4h.forward(x).gelu('tanh')
    return this.hidden_dropout.forward(this.dense_4h_to_h.forward(inner))
  }
}

class Block extends Module<BloomConfig> {
  input_layernorm = norm(this.config)
  self_attention = new Attention(this.config)
  post_attention_layernorm = norm(this.config)
  mlp = new MLP(this.config)

  forward(x: Tensor, shared: Shared, cache?: LayerCache): Tensor {
    const behindNorm = this.config.apply_residual_connection_post_layernorm
    const before = this.input_layernorm.forward(x)
    x = (behindNorm ? before : x).add(this.self_attention.forward(before, shared, cache))
    const between = this.post_attention_layernorm.forward(x)
    return (behindNorm ? between : x).add(this.mlp.forward(between))
  }
}

class Transformer extends Module<BloomConfig> {
  word_embeddings = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    std: this.config.initializer_range,
  })
  word_embeddings_layernorm = norm(this.config)
  h = Array.from({ length: this.config.n_layer }, () => new Block(this.config))
  ln_f = norm(this.config)

  forward(ids: Tensor, { cache, attentionMask }: PaddedOptions): Tensor {
    const keys = cache?.capacity ?? ids.shape[1]
    const positions = attentionMask ? countedPositions(attentionMask) : arange(keys)
    const shared = { mask: keyMask(attentionMask), bias: alibi(this.config.n_head, positions) }
    let x = this.word_embeddings_layernorm.forward(this.word_embeddings.forward(ids)) // (B, T, C)
    this.h.forEach((block, i) => {
      x = block.forward(x, shared, cache?.layers[i])
    })
    return this.ln_f.forward(x)
  }
}

/** The layers, below any head. */
abstract class BloomBase extends Module<BloomConfig> {
  static readonly modelType = 'bloom'
  static readonly base = 'transformer'

  transformer = new Transformer(this.config)

  constructor(config: Partial<Stored> = {}) {
    super(checked(parseConfig(schema, config, 'BLOOM')))
  }

  get contextLength(): number {
    return this.config.seq_length
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  /** The published checkpoints lack the prefix. */
  protected override keyInCheckpoint(key: string): string | null {
    return /^(word_embeddings|word_embeddings_layernorm|h|ln_f)\./.test(key)
      ? `transformer.${key}`
      : key
  }
}

export class Bloom extends BloomBase implements CausalLM {
  static readonly architectures = ['BloomForCausalLM']
  static readonly head = 'causal-lm'

  lm_head = new Linear(this.config.hidden_size, this.config.vocab_size, {
    std: this.config.initializer_range,
    bias: false,
    weight: this.config.tie_word_embeddings ? this.transformer.word_embeddings.weight : undefined,
  })

  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  forward(ids: Tensor, { logitsAt, ...padded }: CausalLMOptions = {}): Tensor {
    checkTokens(ids, 'BLOOM', this.contextLength, padded.cache)
    const x = this.transformer.forward(ids, padded)
    return this.lm_head.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }

  loss(ids: Tensor, targets: Tensor): Tensor {
    return F.crossEntropy(this.forward(ids), targets)
  }

  createCache({ capacity = this.contextLength, batch = 1 } = {}): KVCache {
    const { n_layer: layers, n_head: heads, hidden_size } = this.config
    return new KVCache({ layers, heads, headDim: hidden_size / heads, capacity, batch })
  }
}

/** Labels a text by its last token. */
export class BloomForSequenceClassification extends BloomBase implements SequenceClassifier {
  static readonly architectures = ['BloomForSequenceClassification']
  static readonly head = 'sequence-classification'

  readonly labels = labelsOf(this.config)
  score = new Linear(this.config.hidden_size, this.labels.length, {
    std: this.config.initializer_range,
    bias: false,
  })

  /** ids (B, T) i32 -> logits (B, K). */
  forward(ids: Tensor, { attentionMask }: EncoderOptions = {}): Tensor {
    checkTokens(ids, 'BLOOM', this.contextLength)
    const states = this.transformer.forward(ids, { attentionMask })
    const padTokenId = this.config.pad_token_id
    return this.score.forward(lastToken(states, ids, { attentionMask, padTokenId }))
  }

  loss(ids: Tensor, labels: Tensor, options?: EncoderOptions): Tensor {
    return classificationLoss(this.forward(ids, options), labels, this.config)
  }
}

function checked({ n_embed, hidden_size = n_embed ?? 64, ...config }: Stored): BloomConfig {
  if (hidden_size % config.n_head === 0) return { ...config, hidden_size }
  throw new HeedError(
    'invalid-config',
    `BLOOM: n_head ${config.n_head} does not divide hidden_size ${hidden_size}`,
    {
      remedy: 'Take another number of heads.',
    },
  )
}

const norm = ({ hidden_size, layer_norm_epsilon }: BloomConfig): LayerNorm =>
  new LayerNorm(hidden_size, layer_norm_epsilon)

/** From so many times hidden_size to so many. */
const linear = (config: BloomConfig, from: number, to: number): Linear =>
  new Linear(from * config.hidden_size, to * config.hidden_size, { std: config.initializer_range })
