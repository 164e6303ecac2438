// BERT (Devlin et al., 2019), the encoder. Field names are checkpoint keys: renaming one breaks loading.
// B batch, T tokens, C = hidden_size, V = vocab_size
import { z } from 'zod'
import {
  activationNames,
  activations,
  attention,
  Dropout,
  Embedding,
  LayerNorm,
  Linear,
  Module,
} from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { EncoderOptions, TextEncoder } from '../heads/text-model.ts'
import { modernKey } from '../shared/checkpoint-keys.ts'
import { few, parseConfig, probability, size } from '../shared/config.ts'
import { encoderMask } from '../shared/encoder-mask.ts'
import { labelFields } from '../shared/labels.ts'

export const bertSchema = z.object({
  vocab_size: size.default(30522),
  hidden_size: size.default(768),
  num_hidden_layers: few.default(12),
  num_attention_heads: few.default(12),
  intermediate_size: size.default(3072),
  hidden_act: z.enum(activationNames).default('gelu'),
  hidden_dropout_prob: probability.default(0.1),
  attention_probs_dropout_prob: probability.default(0.1),
  classifier_dropout: probability.nullable().default(null), // null: hidden_dropout_prob
  max_position_embeddings: size.default(512),
  position_embedding_type: z.literal('absolute').default('absolute'),
  type_vocab_size: size.default(2),
  initializer_range: z.number().positive().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-12),
  is_decoder: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().min(0).nullable().default(0),
  bos_token_id: z.int().nullable().default(null),
  eos_token_id: z.int().nullable().default(null),
  ...labelFields,
})

export type BertConfig = z.output<typeof bertSchema>

export const bertConfig = (config: object): BertConfig => parseConfig(bertSchema, config, 'BERT')

export class BertEmbeddings extends Module<BertConfig> {
  word_embeddings = new Embedding(this.config.vocab_size, this.config.hidden_size, {
    ...initial(this.config),
    paddingIndex: this.config.pad_token_id,
  })
  position_embeddings = new Embedding(
    this.config.max_position_embeddings,
    this.config.hidden_size,
    initial(this.config),
  )
  token_type_embeddings = new Embedding(
    this.config.type_vocab_size,
    this.config.hidden_size,
    initial(this.config),
  )
  LayerNorm = norm(this.config)
  dropout = new Dropout(this.config.hidden_dropout_prob)

  forward(ids: Tensor, tokenTypeIds?: Tensor): Tensor {
    const types = tokenTypeIds
      ? this.token_type_embeddings.forward(tokenTypeIds)
      : this.token_type_embeddings.weight.narrow(0, 0, 1) // (1, C)
    const x = this.word_embeddings.forward(ids).add(types).add(this.positions(ids)) // (B, T, C)
    return this.dropout.forward(this.LayerNorm.forward(x))
  }

  /** (B, T) -> (T, C), or (B, T, C) where texts differ. */
  protected positions(ids: Tensor): Tensor {
    return this.position_embeddings.weight.narrow(0, 0, ids.shape[1])
  }
}

class SelfAttention extends Module<BertConfig> {
  query = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  key = linear(this.config.hidden_size, this.config.hidden_size, this.config)
  value = linear(this.config.hidden_size, this.config.hidden_size, this.config)

  forward(x: Tensor, mask?: Tensor): Tensor {
    return attention(this.query.forward(x), this.key.forward(x), this.value.forward(x), {
      heads: this.config.num_attention_heads,
      mask,
      dropout: this.training ? this.config.attention_probs_dropout_prob : 0,
    })
  }
}

/** What ends both halves of a layer: a projection, added to the half's input and normalised. */
class Output extends Module<BertConfig> {
  dense: Linear
  LayerNorm = norm(this.config)
  dropout = new Dropout(this.config.hidden_dropout_prob)

  constructor(inputs: number, config: BertConfig) {
    super(config)
    this.dense = linear(inputs, config.hidden_size, config)
  }

  forward(x: Tensor, residual: Tensor): Tensor {
    return this.LayerNorm.forward(this.dropout.forward(this.dense.forward(x)).add(residual))
  }
}

class Attention extends Module<BertConfig> {
  self = new SelfAttention(this.config)
  output = new Output(this.config.hidden_size, this.config)

  forward(x: Tensor, mask?: Tensor): Tensor {
    return this.output.forward(this.self.forward(x, mask), x)
  }
}

class Intermediate extends Module<BertConfig> {
  dense = linear(this.config.hidden_size, this.config.intermediate_size, this.config)

  forward(x: Tensor): Tensor {
    return activations[this.config.hidden_act](this.dense.forward(x))
  }
}

class Layer extends Module<BertConfig> {
  attention = new Attention(this.config)
  intermediate = new Intermediate(this.config)
  output = new Output(this.config.intermediate_size, this.config)

  forward(x: Tensor, mask?: Tensor): Tensor {
    const attended = this.attention.forward(x, mask)
    return this.output.forward(this.intermediate.forward(attended), attended)
  }
}

class Encoder extends Module<BertConfig> {
  layer = Array.from({ length: this.config.num_hidden_layers }, () => new Layer(this.config))

  forward(x: Tensor, mask?: Tensor): Tensor {
    return this.layer.reduce((states, layer) => layer.forward(states, mask), x)
  }
}

class Pooler extends Module<BertConfig> {
  dense = linear(this.config.hidden_size, this.config.hidden_size, this.config)

  forward(states: Tensor): Tensor {
    return this.dense.forward(states.select(1, 0)).tanh() // (B, T, C) -> (B, C)
  }
}

export class BertModel extends Module<BertConfig> implements TextEncoder {
  static readonly modelType: string = 'bert'
  static readonly architectures: readonly string[] = ['BertModel']
  static readonly head = 'encoder'
  static readonly base = ['embeddings', 'encoder']

  embeddings = new BertEmbeddings(this.config)
  encoder = new Encoder(this.config)
  /** Only where a head asks for it, as published checkpoints have it. */
  pooler: Pooler | null

  constructor(config: Partial<BertConfig> = {}, { pooler = true } = {}) {
    super(checked(bertConfig(config)))
    this.pooler = pooler ? new Pooler(this.config) : null
  }

  get contextLength(): number {
    return this.config.max_position_embeddings
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  get hiddenSize(): number {
    return this.config.hidden_size
  }

  /** ids (B, T) i32 -> states (B, T, C). */
  forward(ids: Tensor, { attentionMask, tokenTypeIds }: EncoderOptions = {}): Tensor {
    const mask = encoderMask(this, ids, attentionMask)
    return this.encoder.forward(this.embeddings.forward(ids, tokenTypeIds), mask)
  }

  /** The first token's states (B, T, C) through one more layer: (B, C). */
  pooled(states: Tensor): Tensor {
    if (this.pooler) return this.pooler.forward(states)
    throw new HeedError(
      'invalid-config',
      `This ${this.constructor.name} has been made without a pooler`,
    )
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { drop: 'bert' })
  }
}

const initial = ({ initializer_range: std }: BertConfig): { std: number } => ({ std })

export const linear = (inputs: number, outputs: number, config: BertConfig): Linear =>
  new Linear(inputs, outputs, initial(config))

export const norm = ({ hidden_size, layer_norm_eps }: BertConfig): LayerNorm =>
  new LayerNorm(hidden_size, layer_norm_eps)

export const headDropout = ({ classifier_dropout, hidden_dropout_prob }: BertConfig): Dropout =>
  new Dropout(classifier_dropout ?? hidden_dropout_prob)

function checked(config: BertConfig): BertConfig {
  const { hidden_size, num_attention_heads: heads } = config
  if (hidden_size % heads === 0) return config
  throw new HeedError(
    'invalid-config',
    `num_attention_heads ${heads} does not divide hidden_size ${hidden_size}`,
    {
      remedy: `Take ${heads} heads of whole size: hidden_size ${heads * Math.ceil(hidden_size / heads)}, for instance.`,
    },
  )
}
