// The encoder and the decoder of T5. Field names are checkpoint keys: renaming one breaks loading.
// B batch, S source tokens, T target tokens, C = d_model, H = num_heads
import {
  activations,
  attention,
  type CrossCache,
  crossAttention,
  Dropout,
  Embedding,
  keyMask,
  type LayerCache,
  Linear,
  Module,
  RelativeBias,
  RMSNorm,
} from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { type DecodeOptions, shiftRight } from '../heads/seq2seq-lm.ts'
import type { EncoderOptions } from '../heads/text-model.ts'
import { activationOf, decoderLayers, innerSize, isGated, type T5Config } from './t5-config.ts'

/** Base of self-attention and cross-attention. */
export abstract class Attention extends Module<T5Config> {
  q = linear(this.config.d_model, innerSize(this.config), this.config, this.config.d_kv)
  k = linear(this.config.d_model, innerSize(this.config), this.config)
  v = linear(this.config.d_model, innerSize(this.config), this.config)
  o = linear(innerSize(this.config), this.config.d_model, this.config)

  /** Scores are not scaled. Instead, the initial weights of q are smaller. */
  protected options(): { heads: number; scale: number; dropout: number } {
    const { num_heads: heads, dropout_rate } = this.config
    return { heads, scale: 1, dropout: this.training ? dropout_rate : 0 }
  }
}

/** Options of self-attention. */
export interface SelfOptions {
  /** Relative bias (1, H, T, S), shared by all layers of a stack. */
  bias: Tensor
  mask?: Tensor
  causal?: boolean
  cache?: LayerCache
}

/** Self-attention. Only the first layer has a relative bias. */
export class SelfAttention extends Attention {
  relative_attention_bias: RelativeBias | null

  constructor(config: T5Config, bias: RelativeBias | null) {
    super(config)
    this.relative_attention_bias = bias
  }

  forward(x: Tensor, options: SelfOptions): Tensor {
    const [q, k, v] = [this.q, this.k, this.v].map((project) => project.forward(x)) // (B, T, H·d_kv)
    return this.o.forward(attention(q, k, v, { ...options, ...this.options() }))
  }
}

/** The source of cross-attention. */
export interface SourceOptions {
  /** (B, S, C). Default: read keys and values from the cache. */
  encoded?: Tensor
  mask?: Tensor
  cache?: CrossCache
}

/** Cross-attention of the decoder. */
export class EncDecAttention extends Attention {
  forward(x: Tensor, { encoded, ...rest }: SourceOptions): Tensor {
    const source = encoded ? { k: this.k.forward(encoded), v: this.v.forward(encoded) } : null
    const y = crossAttention(this.q.forward(x), source, { ...rest, ...this.options() })
    return this.o.forward(y)
  }
}

/** Feed-forward network, optionally gated. */
export class DenseReluDense extends Module<T5Config> {
  wi = isGated(this.config) ? null : linear(this.config.d_model, this.config.d_ff, this.config)
  wi_0 = isGated(this.config) ? linear(this.config.d_model, this.config.d_ff, this.config) : null
  wi_1 = isGated(this.config) ? linear(this.config.d_model, this.config.d_ff, this.config) : null
  wo = linear(this.config.d_ff, this.config.d_model, this.config)
  dropout = new Dropout(this.config.dropout_rate)

  forward(x: Tensor): Tensor {
    const activate = activations[activationOf(this.config)]
    const gate = activate((this.wi ?? (this.wi_0 as Linear)).forward(x)) // (B, T, d_ff)
    const inner = this.wi_1 ? gate.mul(this.wi_1.forward(x)) : gate
    return this.wo.forward(this.dropout.forward(inner))
  }
}

/** Base of the layers of a block: x + f(norm(x)). */
export abstract class Layer extends Module<T5Config> {
  layer_norm = new RMSNorm(this.config.d_model, this.config.layer_norm_epsilon)
  dropout = new Dropout(this.config.dropout_rate)

  protected residual(x: Tensor, inner: (normed: Tensor) => Tensor): Tensor {
    return x.add(this.dropout.forward(inner(this.layer_norm.forward(x))))
  }
}

/** Self-attention with norm and residual connection. */
export class LayerSelfAttention extends Layer {
  SelfAttention: SelfAttention

  constructor(config: T5Config, bias: RelativeBias | null) {
    super(config)
    this.SelfAttention = new SelfAttention(config, bias)
  }

  forward(x: Tensor, options: SelfOptions): Tensor {
    return this.residual(x, (normed) => this.SelfAttention.forward(normed, options))
  }
}

/** Cross-attention with norm and residual connection. */
export class LayerCrossAttention extends Layer {
  EncDecAttention = new EncDecAttention(this.config)

  forward(x: Tensor, source: SourceOptions): Tensor {
    return this.residual(x, (normed) => this.EncDecAttention.forward(normed, source))
  }
}

/** Feed-forward network with norm and residual connection. */
export class LayerFF extends Layer {
  DenseReluDense = new DenseReluDense(this.config)

  forward(x: Tensor): Tensor {
    return this.residual(x, (normed) => this.DenseReluDense.forward(normed))
  }
}

/** A block of the encoder. */
export class EncoderBlock extends Module<T5Config & { first: boolean }> {
  layer = [
    new LayerSelfAttention(this.config, this.config.first ? biasOf(this.config, true) : null),
    new LayerFF(this.config),
  ] as const

  forward(x: Tensor, options: SelfOptions): Tensor {
    const [self, ff] = this.layer
    return ff.forward(self.forward(x, options))
  }
}

/** A block of the decoder. */
export class DecoderBlock extends Module<T5Config & { first: boolean }> {
  layer = [
    new LayerSelfAttention(this.config, this.config.first ? biasOf(this.config, false) : null),
    new LayerCrossAttention(this.config),
    new LayerFF(this.config),
  ] as const

  forward(x: Tensor, options: SelfOptions, source: SourceOptions): Tensor {
    const [self, cross, ff] = this.layer
    return ff.forward(cross.forward(self.forward(x, options), source))
  }
}

/** Base of encoder and decoder. */
export abstract class Stack<Block extends EncoderBlock | DecoderBlock> extends Module<T5Config> {
  embed_tokens: Embedding
  abstract block: Block[]
  final_layer_norm = new RMSNorm(this.config.d_model, this.config.layer_norm_epsilon)
  dropout = new Dropout(this.config.dropout_rate)

  constructor(config: T5Config, shared: Embedding) {
    super(config)
    this.embed_tokens = shared
  }

  /** The relative bias of the first block, which all blocks use. */
  protected get relativeBias(): RelativeBias {
    return this.block[0].layer[0].SelfAttention.relative_attention_bias as RelativeBias
  }

  protected run(ids: Tensor, through: (x: Tensor, block: Block, i: number) => Tensor): Tensor {
    const x = this.dropout.forward(this.embed_tokens.forward(ids)) // (B, T, C)
    return this.dropout.forward(this.final_layer_norm.forward(this.block.reduce(through, x)))
  }
}

/** The encoder of T5. */
export class EncoderStack extends Stack<EncoderBlock> {
  block = blocks(this.config.num_layers, (first) => new EncoderBlock({ ...this.config, first }))

  /** Computes hidden states: i32 (B, S) -> f32 (B, S, C). */
  forward(ids: Tensor, attentionMask?: Tensor): Tensor {
    const length = ids.shape[1]
    const options = {
      bias: this.relativeBias.forward(length, length),
      mask: keyMask(attentionMask),
    }
    return this.run(ids, (x, block) => block.forward(x, options))
  }
}

/** The decoder of T5. */
export class DecoderStack extends Stack<DecoderBlock> {
  block = blocks(decoderLayers(this.config), (first) => new DecoderBlock({ ...this.config, first }))

  /** Computes hidden states: i32 (B, T) -> f32 (B, T, C). */
  forward(ids: Tensor, { encoded, encodedMask, attentionMask, cache }: DecodeOptions): Tensor {
    const tokens = ids.shape[1]
    const bias = this.relativeBias.forward(tokens, cache?.capacity ?? tokens, cache?.position())
    const self = { bias, mask: keyMask(attentionMask), causal: true }
    const source = { encoded, mask: keyMask(encodedMask) }
    return this.run(ids, (x, block, i) =>
      block.forward(x, { ...self, cache: cache?.layers[i] }, { ...source, cache: cache?.cross[i] }),
    )
  }
}

/** T5's stack without the decoder. */
export class T5Encoder extends Module<T5Config> {
  /** Embeddings of tokens, (V, C). */
  shared = embedding(this.config)
  /** The layers of the encoder. */
  encoder = new EncoderStack(this.config, this.shared)

  /** Computes hidden states: i32 (B, T) -> f32 (B, T, C). */
  forward(ids: Tensor, { attentionMask }: EncoderOptions): Tensor {
    return this.encoder.forward(ids, attentionMask)
  }
}

/** T5's stack. As a text model, encoder and decoder read the same text. */
export class T5EncoderDecoder extends Module<T5Config> {
  /** Embeddings of tokens, (V, C), for encoder and decoder. */
  shared = embedding(this.config)
  /** The layers of the encoder. */
  encoder = new EncoderStack(this.config, this.shared)
  /** The layers of the decoder. */
  decoder = new DecoderStack(this.config, this.shared)

  forward(ids: Tensor, options: EncoderOptions): Tensor {
    return sameTextStates(this, ids, options)
  }
}

/**
 * Computes hidden states of the decoder, f32 (B, T, C), from ids (B, T). The decoder reads the text of the encoder,
 * shifted by one.
 */
export function sameTextStates(
  { encoder, decoder, config }: Pick<T5EncoderDecoder, 'encoder' | 'decoder' | 'config'>,
  ids: Tensor,
  { attentionMask }: EncoderOptions,
): Tensor {
  const encoded = encoder.forward(ids, attentionMask)
  const { decoder_start_token_id: decoderStartTokenId, pad_token_id } = config
  const shifted = shiftRight(ids, { decoderStartTokenId, padTokenId: pad_token_id ?? 0 })
  return decoder.forward(shifted, { encoded, encodedMask: attentionMask })
}

const embedding = (config: T5Config): Embedding =>
  new Embedding(config.vocab_size, config.d_model, { std: config.initializer_factor })

const blocks = <Block>(count: number, make: (first: boolean) => Block): Block[] =>
  Array.from({ length: count }, (_, i) => make(i === 0))

/** A linear layer, initialised so that its outputs have the variance of its inputs divided by `wider`. */
const linear = (inputs: number, outputs: number, config: T5Config, wider = 1): Linear =>
  new Linear(inputs, outputs, {
    bias: false,
    std: config.initializer_factor / Math.sqrt(inputs * wider),
  })

function biasOf(config: T5Config, bidirectional: boolean): RelativeBias {
  return new RelativeBias({
    heads: config.num_heads,
    buckets: config.relative_attention_num_buckets,
    maxDistance: config.relative_attention_max_distance,
    bidirectional,
    std: config.initializer_factor / Math.sqrt(config.d_model),
  })
}
