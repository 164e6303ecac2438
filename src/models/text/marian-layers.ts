// The encoder and the decoder of Marian. Field names are checkpoint keys: renaming one breaks loading.
// B batch, S source tokens, T target tokens, C = d_model
import {
  activations,
  attention,
  type CrossCache,
  crossAttention,
  Dropout,
  Embedding,
  keyMask,
  type LayerCache,
  LayerNorm,
  Linear,
  Module,
  Sinusoidal,
  tokenPositions,
} from '../../nn/index.ts'
import { arange, type Tensor } from '../../tensor/index.ts'
import type { DecodeOptions } from '../heads/seq2seq-lm.ts'
import type { TextStackOptions } from '../shared/family.ts'
import { type MarianConfig, targetVocabSize } from './marian-config.ts'

interface TargetOptions {
  mask?: Tensor
  causal?: boolean
  cache?: LayerCache
}

interface SourceOptions {
  /** (B, S, C). Default: read keys and values from the cache. */
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
  forward(x: Tensor, options: TargetOptions): Tensor {
    const projections = [this.q_proj, this.k_proj, this.v_proj]
    const [q, k, v] = projections.map((project) => project.forward(x)) // (B, T, C)
    return this.out_proj.forward(attention(q, k, v, { ...options, ...this.options() }))
  }
}

class CrossAttention extends Attention {
  forward(x: Tensor, { encoded, ...rest }: SourceOptions): Tensor {
    const q = this.q_proj.forward(x) // (B, T, C)
    const source = encoded
      ? { k: this.k_proj.forward(encoded), v: this.v_proj.forward(encoded) } // (B, S, C)
      : null
    return this.out_proj.forward(crossAttention(q, source, { ...rest, ...this.options() }))
  }
}

/** Parts of encoder and decoder layers: self-attention and a feed-forward network. */
abstract class Layer extends Module<MarianConfig & { heads: number; inner: number }> {
  self_attn = new SelfAttention(this.config)
  self_attn_layer_norm = new LayerNorm(this.config.d_model)
  fc1 = linear(this.config.d_model, this.config.inner, this.config)
  fc2 = linear(this.config.inner, this.config.d_model, this.config)
  final_layer_norm = new LayerNorm(this.config.d_model)
  dropout = new Dropout(this.config.dropout)
  activation_dropout = new Dropout(this.config.activation_dropout)

  protected selfAttend(x: Tensor, options: TargetOptions): Tensor {
    return this.self_attn_layer_norm.forward(
      x.add(this.dropout.forward(this.self_attn.forward(x, options))),
    )
  }

  protected feedForward(x: Tensor): Tensor {
    const activate = activations[this.config.activation_function]
    const inner = this.activation_dropout.forward(activate(this.fc1.forward(x)))
    return this.final_layer_norm.forward(x.add(this.dropout.forward(this.fc2.forward(inner))))
  }
}

class EncoderLayer extends Layer {
  forward(x: Tensor, options: TargetOptions): Tensor {
    return this.feedForward(this.selfAttend(x, options))
  }
}

class DecoderLayer extends Layer {
  encoder_attn = new CrossAttention(this.config)
  encoder_attn_layer_norm = new LayerNorm(this.config.d_model)

  forward(x: Tensor, options: TargetOptions, source: SourceOptions | null): Tensor {
    const y = this.selfAttend(x, options)
    if (!source) return this.feedForward(y)
    const attended = this.dropout.forward(this.encoder_attn.forward(y, source))
    return this.feedForward(this.encoder_attn_layer_norm.forward(y.add(attended)))
  }
}

abstract class Half extends Module<MarianConfig> {
  embed_tokens: Embedding
  embed_positions = new Sinusoidal({ size: this.config.d_model, interleaved: false })
  dropout = new Dropout(this.config.dropout)

  constructor(config: MarianConfig, embedding: Embedding) {
    super(config)
    this.embed_tokens = embedding
  }

  /** Embeds ids (B, T) at `positions` (T), which are below `limit`: (B, T, C). */
  protected embed(ids: Tensor, positions: Tensor, limit: number): Tensor {
    const { scale_embedding, d_model } = this.config
    const tokens = this.embed_tokens.forward(ids)
    const scaled = scale_embedding ? tokens.mul(Math.sqrt(d_model)) : tokens
    return this.dropout.forward(scaled.add(this.embed_positions.forward(positions, limit)))
  }
}

class Encoder extends Half {
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

class Decoder extends Half {
  layers = Array.from({ length: this.config.decoder_layers }, () => {
    const { decoder_attention_heads: heads, decoder_ffn_dim: inner } = this.config
    return new DecoderLayer({ ...this.config, heads, inner })
  })

  forward(ids: Tensor, { encoded, encodedMask, attentionMask, cache }: DecodeOptions): Tensor {
    const offsets = arange(ids.shape[1])
    const positions = cache ? offsets.add(cache.position()) : offsets
    const source = { encoded, mask: keyMask(encodedMask) }
    return this.run(ids, positions, { attentionMask, cache }, (layer) => ({
      ...source,
      cache: cache?.cross[layer],
    }))
  }

  /** Computes states (B, T, C) from ids (B, T) at `positions`. `sourceOf` returns the source of each layer, or null. */
  run(
    ids: Tensor,
    positions: Tensor,
    { attentionMask, cache }: Pick<TextStackOptions, 'attentionMask' | 'cache'>,
    sourceOf: (layer: number) => SourceOptions | null,
  ): Tensor {
    const target = { mask: keyMask(attentionMask), causal: true }
    let x = this.embed(ids, positions, cache?.capacity ?? ids.shape[1]) // (B, T, C)
    this.layers.forEach((layer, i) => {
      x = layer.forward(x, { ...target, cache: cache?.layers[i] }, sourceOf(i))
    })
    return x
  }
}

/** The decoder without a source. As in transformers, its layers have an unused cross-attention. */
export class DecoderOnly extends Module<MarianConfig> {
  decoder = new Decoder(this.config, embedding(this.config.vocab_size, this.config))

  constructor(config: MarianConfig) {
    super(config)
    for (const { encoder_attn, encoder_attn_layer_norm } of this.decoder.layers)
      for (const unused of [encoder_attn, encoder_attn_layer_norm]) unused.freeze()
  }

  forward(ids: Tensor, { cache, attentionMask, logitsAt }: TextStackOptions): Tensor {
    const positions = tokenPositions(ids, { cache, attentionMask })
    const x = this.decoder.run(ids, positions, { cache, attentionMask }, () => null)
    return logitsAt ? x.take(logitsAt, 1) : x
  }
}

/** The stack of Marian. */
export class EncoderDecoder extends Module<MarianConfig> {
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

const linear = (inputs: number, outputs: number, { init_std: std }: MarianConfig): Linear =>
  new Linear(inputs, outputs, { std })

const embedding = (count: number, { d_model, init_std, pad_token_id }: MarianConfig): Embedding =>
  new Embedding(count, d_model, { std: init_std, paddingIndex: pad_token_id })
