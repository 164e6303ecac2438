// DistilBERT (Sanh et al., 2019): half of BERT's layers, without token types and pooler.
// B batch, T tokens, C = dim, V = vocab_size
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
import { Parameter, type Tensor, tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { EncoderOptions, TextEncoder } from '../heads/text-model.ts'
import { modernKey } from '../shared/checkpoint-keys.ts'
import { few, parseConfig, probability, size } from '../shared/config.ts'
import { encoderMask } from '../shared/encoder-mask.ts'
import { labelFields } from '../shared/labels.ts'

const schema = z.object({
  vocab_size: size.default(30522),
  max_position_embeddings: size.default(512),
  sinusoidal_pos_embds: z.boolean().default(false), // what positions start from
  n_layers: few.default(6),
  n_heads: few.default(12),
  dim: size.default(768),
  hidden_dim: size.default(3072),
  dropout: probability.default(0.1),
  attention_dropout: probability.default(0.1),
  activation: z.enum(activationNames).default('gelu'),
  initializer_range: z.number().positive().default(0.02),
  qa_dropout: probability.default(0.1),
  seq_classif_dropout: probability.default(0.2),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().min(0).nullable().default(0),
  ...labelFields,
})

export type DistilBertConfig = z.output<typeof schema>

export const distilBertConfig = (config: object): DistilBertConfig =>
  parseConfig(schema, config, 'DistilBERT')

class Embeddings extends Module<DistilBertConfig> {
  word_embeddings = new Embedding(this.config.vocab_size, this.config.dim, {
    std: this.config.initializer_range,
    paddingIndex: this.config.pad_token_id,
  })
  position_embeddings = positions(this.config)
  LayerNorm = norm(this.config)
  dropout = new Dropout(this.config.dropout)

  forward(ids: Tensor): Tensor {
    const places = this.position_embeddings.weight.narrow(0, 0, ids.shape[1]) // (T, C)
    const x = this.word_embeddings.forward(ids).add(places) // (B, T, C)
    return this.dropout.forward(this.LayerNorm.forward(x))
  }
}

class SelfAttention extends Module<DistilBertConfig> {
  q_lin = linear(this.config.dim, this.config.dim, this.config)
  k_lin = linear(this.config.dim, this.config.dim, this.config)
  v_lin = linear(this.config.dim, this.config.dim, this.config)
  out_lin = linear(this.config.dim, this.config.dim, this.config)

  forward(x: Tensor, mask?: Tensor): Tensor {
    const y = attention(this.q_lin.forward(x), this.k_lin.forward(x), this.v_lin.forward(x), {
      heads: this.config.n_heads,
      mask,
      dropout: this.training ? this.config.attention_dropout : 0,
    })
    return this.out_lin.forward(y)
  }
}

class FFN extends Module<DistilBertConfig> {
  lin1 = linear(this.config.dim, this.config.hidden_dim, this.config)
  lin2 = linear(this.config.hidden_dim, this.config.dim, this.config)
  dropout = new Dropout(this.config.dropout)

  forward(x: Tensor): Tensor {
    const hidden = activations[this.config.activation](this.lin1.forward(x))
    return this.dropout.forward(this.lin2.forward(hidden))
  }
}

class Block extends Module<DistilBertConfig> {
  attention = new SelfAttention(this.config)
  sa_layer_norm = norm(this.config)
  ffn = new FFN(this.config)
  output_layer_norm = norm(this.config)

  forward(x: Tensor, mask?: Tensor): Tensor {
    x = this.sa_layer_norm.forward(this.attention.forward(x, mask).add(x))
    return this.output_layer_norm.forward(this.ffn.forward(x).add(x))
  }
}

class Transformer extends Module<DistilBertConfig> {
  layer = Array.from({ length: this.config.n_layers }, () => new Block(this.config))

  forward(x: Tensor, mask?: Tensor): Tensor {
    return this.layer.reduce((states, layer) => layer.forward(states, mask), x)
  }
}

export class DistilBertModel extends Module<DistilBertConfig> implements TextEncoder {
  static readonly modelType = 'distilbert'
  static readonly architectures = ['DistilBertModel']
  static readonly head = 'encoder'
  static readonly base = ['embeddings', 'transformer']

  embeddings = new Embeddings(this.config)
  transformer = new Transformer(this.config)

  constructor(config: Partial<DistilBertConfig> = {}) {
    super(checked(distilBertConfig(config)))
  }

  get contextLength(): number {
    return this.config.max_position_embeddings
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  get hiddenSize(): number {
    return this.config.dim
  }

  /** ids (B, T) i32 -> states (B, T, C). */
  forward(ids: Tensor, { attentionMask }: EncoderOptions = {}): Tensor {
    const mask = encoderMask(this, ids, attentionMask)
    return this.transformer.forward(this.embeddings.forward(ids), mask)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modernKey(key, { drop: 'distilbert' })
  }
}

/** Learned; or what they start from, as transformers writes it: waves (Vaswani et al., 2017, section 3.5). */
function positions(config: DistilBertConfig): Embedding {
  const { max_position_embeddings: count, dim, initializer_range: std } = config
  const table = new Embedding(count, dim, { std })
  if (!config.sinusoidal_pos_embds) return table
  const waves = Float32Array.from({ length: count * dim }, (_, i) => {
    const angle = Math.floor(i / dim) / 10000 ** ((2 * Math.floor((i % dim) / 2)) / dim)
    return (i % dim) % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  table.weight = new Parameter(tensor(waves, { shape: [count, dim] }))
  return table
}

export const linear = (inputs: number, outputs: number, config: DistilBertConfig): Linear =>
  new Linear(inputs, outputs, { std: config.initializer_range })

export const norm = ({ dim }: DistilBertConfig): LayerNorm => new LayerNorm(dim, 1e-12)

function checked(config: DistilBertConfig): DistilBertConfig {
  const { dim, n_heads } = config
  if (dim % n_heads === 0) return config
  throw new HeedError(
    'invalid-config',
    `DistilBERT: n_heads ${n_heads} does not divide dim ${dim}`,
    {
      remedy: `Take ${n_heads} heads of whole size: dim ${n_heads * Math.ceil(dim / n_heads)}, for instance.`,
    },
  )
}
