// Marian (Junczys-Dowmunt et al., 2018): the Transformer of Vaswani et al. (2017), as OPUS-MT has
// published it for many pairs of languages. Field names are checkpoint keys.
// B batch, S source tokens, T target tokens, C = d_model, V = size of the target's vocabulary
import {
  activations,
  attention,
  type CrossCache,
  crossAttention,
  Dropout,
  Embedding,
  EncoderDecoderCache,
  keyMask,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
  Sinusoidal,
} from '../../nn/index.ts'
import { arange, Parameter, type Tensor, zeros } from '../../tensor/index.ts'
import {
  type CacheRoom,
  checkIds,
  type DecodeOptions,
  EncoderDecoder,
  type Seq2SeqOptions,
} from '../heads/seq2seq-lm.ts'
import { type MarianConfig, marianConfig, targetVocabSize } from './marian-config.ts'

interface Surroundings {
  mask?: Tensor
  causal?: boolean
  cache?: LayerCache
}

interface Source {
  /** (B, S, C); what the cache holds, when left out. */
  encoded?: Tensor
  mask?: Tensor
  cache?: CrossCache
}

abstract class Attention extends Module<MarianConfig & { heads: number }> {
  k_proj = linear(this.config.d_model, this.config.d_model, this.config)
  v_proj = linear(this.config.d_model, this.config.d_model, this.config)
  q_proj = linear(this.config.d_model, this.config.d_model, this.config)
  out_proj = linear(this.config.d_model, this.config.d_model, this.config)

  protected options(): { heads: number; dropout: number } {
    const { heads, attention_dropout } = this.config
    return { heads, dropout: this.training ? attention_dropout : 0 }
  }
}

class SelfAttention extends Attention {
  forward(x: Tensor, around: Surroundings): Tensor {
    const projections = [this.q_proj, this.k_proj, this.v_proj]
    const [q, k, v] = projections.map((project) => project.forward(x)) // (B, T, C)
    return this.out_proj.forward(attention(q, k, v, { ...around, ...this.options() }))
  }
}

class CrossAttention extends Attention {
  forward(x: Tensor, { encoded, ...rest }: Source): Tensor {
    const q = this.q_proj.forward(x) // (B, T, C)
    const source = encoded
      ? { k: this.k_proj.forward(encoded), v: this.v_proj.forward(encoded) } // (B, S, C)
      : null
    return this.out_proj.forward(crossAttention(q, source, { ...rest, ...this.options() }))
  }
}

/** What the layers of both sides have: attention to their own text, then two linear layers. */
abstract class Layer extends Module<MarianConfig & { heads: number; inner: number }> {
  self_attn = new SelfAttention(this.config)
  self_attn_layer_norm = new LayerNorm(this.config.d_model)
  fc1 = linear(this.config.d_model, this.config.inner, this.config)
  fc2 = linear(this.config.inner, this.config.d_model, this.config)
  final_layer_norm = new LayerNorm(this.config.d_model)
  dropout = new Dropout(this.config.dropout)
  activation_dropout = new Dropout(this.config.activation_dropout)

  protected selfAttend(x: Tensor, around: Surroundings): Tensor {
    return this.self_attn_layer_norm.forward(
      x.add(this.dropout.forward(this.self_attn.forward(x, around))),
    )
  }

  protected feedForward(x: Tensor): Tensor {
    const activate = activations[this.config.activation_function]
    const inner = this.activation_dropout.forward(activate(this.fc1.forward(x)))
    return this.final_layer_norm.forward(x.add(this.dropout.forward(this.fc2.forward(inner))))
  }
}

class EncoderLayer extends Layer {
  forward(x: Tensor, around: Surroundings): Tensor {
    return this.feedForward(this.selfAttend(x, around))
  }
}

class DecoderLayer extends Layer {
  encoder_attn = new CrossAttention(this.config)
  encoder_attn_layer_norm = new LayerNorm(this.config.d_model)

  forward(x: Tensor, around: Surroundings, source: Source): Tensor {
    const y = this.selfAttend(x, around)
    const seen = this.dropout.forward(this.encoder_attn.forward(y, source))
    return this.feedForward(this.encoder_attn_layer_norm.forward(y.add(seen)))
  }
}

abstract class Side extends Module<MarianConfig> {
  embed_tokens: Embedding
  embed_positions = new Sinusoidal({ size: this.config.d_model, interleaved: false })
  dropout = new Dropout(this.config.dropout)

  constructor(config: MarianConfig, embedding: Embedding) {
    super(config)
    this.embed_tokens = embedding
  }

  /** ids (B, T) at the places `positions` (T), all below `limit` -> (B, T, C). */
  protected embed(ids: Tensor, positions: Tensor, limit: number): Tensor {
    const { scale_embedding, d_model } = this.config
    const tokens = this.embed_tokens.forward(ids)
    const scaled = scale_embedding ? tokens.mul(Math.sqrt(d_model)) : tokens
    return this.dropout.forward(scaled.add(this.embed_positions.forward(positions, limit)))
  }
}

class Encoder extends Side {
  layers = Array.from({ length: this.config.encoder_layers }, () => {
    const { encoder_attention_heads: heads, encoder_ffn_dim: inner } = this.config
    return new EncoderLayer({ ...this.config, heads, inner })
  })

  forward(ids: Tensor, attentionMask?: Tensor): Tensor {
    const tokens = ids.shape[1]
    const mask = keyMask(attentionMask)
    const x = this.embed(ids, arange(tokens), tokens) // (B, S, C)
    return this.layers.reduce((y, layer) => layer.forward(y, { mask }), x)
  }
}

class Decoder extends Side {
  layers = Array.from({ length: this.config.decoder_layers }, () => {
    const { decoder_attention_heads: heads, decoder_ffn_dim: inner } = this.config
    return new DecoderLayer({ ...this.config, heads, inner })
  })

  forward(ids: Tensor, { encoded, encodedMask, attentionMask, cache }: DecodeOptions): Tensor {
    const tokens = ids.shape[1]
    const own = arange(tokens)
    const positions = cache ? own.add(cache.position()) : own
    const around = { mask: keyMask(attentionMask), causal: true }
    const source = { encoded, mask: keyMask(encodedMask) }
    let x = this.embed(ids, positions, cache?.capacity ?? tokens) // (B, T, C)
    this.layers.forEach((layer, i) => {
      const own = { ...around, cache: cache?.layers[i] }
      x = layer.forward(x, own, { ...source, cache: cache?.cross[i] })
    })
    return x
  }
}

class Both extends Module<MarianConfig> {
  shared = this.config.share_encoder_decoder_embeddings
    ? embedding(this.config.vocab_size, this.config)
    : null
  encoder = new Encoder(this.config, this.shared ?? embedding(this.config.vocab_size, this.config))
  decoder = new Decoder(
    this.config,
    this.shared ?? embedding(targetVocabSize(this.config), this.config),
  )

  forward(ids: Tensor, decoderIds: Tensor): Tensor {
    return this.decoder.forward(decoderIds, { encoded: this.encoder.forward(ids) })
  }
}

export class Marian extends EncoderDecoder<MarianConfig> {
  static readonly modelType = 'marian'
  static readonly architectures = ['MarianMTModel']
  static readonly head = 'seq2seq-lm'

  model = new Both(this.config)
  final_logits_bias = fixed(zeros([1, targetVocabSize(this.config)]))
  lm_head = new Linear(this.config.d_model, targetVocabSize(this.config), {
    bias: false,
    std: this.config.init_std,
    weight: this.config.tie_word_embeddings ? this.model.decoder.embed_tokens.weight : undefined,
  })

  constructor(config: Partial<MarianConfig> = {}) {
    super(marianConfig(config))
  }

  get contextLength(): number {
    return this.config.max_position_embeddings
  }

  get vocabSize(): number {
    return targetVocabSize(this.config)
  }

  get padTokenId(): number {
    return this.config.pad_token_id
  }

  get decoderStartTokenId(): number {
    return this.config.decoder_start_token_id
  }

  /** ids (B, S) i32 -> states (B, S, C). */
  encode(ids: Tensor, { attentionMask }: Seq2SeqOptions = {}): Tensor {
    checkIds(ids, this.contextLength, 'Marian')
    return this.model.encoder.forward(ids, attentionMask)
  }

  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  decode(ids: Tensor, { logitsAt, ...options }: DecodeOptions): Tensor {
    checkIds(ids, this.contextLength, 'Marian', options.cache?.length)
    const states = this.model.decoder.forward(ids, options)
    const x = logitsAt ? states.take(logitsAt, 1) : states
    return this.lm_head.forward(x).add(this.final_logits_bias)
  }

  createCache(room: CacheRoom): EncoderDecoderCache {
    const { decoder_layers: layers, decoder_attention_heads: heads, d_model } = this.config
    return new EncoderDecoderCache({ layers, heads, headDim: d_model / heads, ...room })
  }

  /** Positions are computed, though some uploads store them. */
  protected override keyInCheckpoint(key: string): string | null {
    return /\.embed_positions\.weight$/.test(key) ? null : key
  }
}

const linear = (inputs: number, outputs: number, { init_std: std }: MarianConfig): Linear =>
  new Linear(inputs, outputs, { std })

const embedding = (count: number, { d_model, init_std, pad_token_id }: MarianConfig): Embedding =>
  new Embedding(count, d_model, { std: init_std, paddingIndex: pad_token_id })

/** Saved with the others, but not trained. */
function fixed(values: Tensor): Parameter {
  const parameter = new Parameter(values)
  parameter.requiresGrad = false
  return parameter
}
