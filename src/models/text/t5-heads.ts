// T5 that writes text from text, and its encoder alone.
// B batch, S source tokens, T target tokens, C = d_model, V = vocab_size
import { Embedding, EncoderDecoderCache, Linear, type LoadOptions, Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import {
  type CacheRoom,
  checkIds,
  type DecodeOptions,
  EncoderDecoder,
  type Seq2SeqOptions,
} from '../heads/seq2seq-lm.ts'
import type { EncoderOptions, TextEncoder } from '../heads/text-model.ts'
import { T5Decoder, T5Encoder } from './t5.ts'
import { decoderLayers, isScaled, type T5Config, t5Config } from './t5-config.ts'

export class T5ForConditionalGeneration extends EncoderDecoder<T5Config> {
  static readonly modelType = 't5'
  static readonly architectures = ['T5ForConditionalGeneration', 'T5WithLMHeadModel']
  static readonly head = 'seq2seq-lm'

  /** Positions are relative. */
  readonly contextLength = Number.POSITIVE_INFINITY

  shared = embedding(this.config)
  encoder = new T5Encoder(this.config, this.shared)
  decoder = new T5Decoder(this.config, this.shared)
  lm_head = new Linear(this.config.d_model, this.config.vocab_size, {
    bias: false,
    std: this.config.initializer_factor,
    weight: isScaled(this.config) ? this.shared.weight : undefined,
  })

  constructor(config: Partial<T5Config> = {}) {
    super(t5Config(config))
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  get padTokenId(): number {
    return this.config.pad_token_id ?? 0
  }

  get decoderStartTokenId(): number {
    return this.config.decoder_start_token_id
  }

  /** ids (B, S) i32 -> states (B, S, C). */
  encode(ids: Tensor, { attentionMask }: Seq2SeqOptions = {}): Tensor {
    checkIds(ids, this.contextLength, 'T5')
    return this.encoder.forward(ids, attentionMask)
  }

  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  decode(ids: Tensor, { logitsAt, ...options }: DecodeOptions): Tensor {
    checkIds(ids, this.contextLength, 'T5')
    const states = this.decoder.forward(ids, options)
    const x = logitsAt ? states.take(logitsAt, 1) : states
    return this.lm_head.forward(isScaled(this.config) ? x.div(Math.sqrt(this.config.d_model)) : x)
  }

  createCache(room: CacheRoom): EncoderDecoderCache {
    const { num_heads: heads, d_kv: headDim } = this.config
    return new EncoderDecoderCache({
      layers: decoderLayers(this.config),
      heads,
      headDim,
      ...room,
    })
  }

  /** A checkpoint without a head of its own has the embedding there, whatever its config says. */
  override matchState(stored: Parameters<Module['matchState']>[0], options: LoadOptions = {}) {
    if (!Object.hasOwn(stored, 'lm_head.weight')) this.lm_head.weight = this.shared.weight
    return super.matchState(stored, options)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return isUnused(key) ? null : key
  }
}

/** The states of the encoder, for those who want vectors of texts. */
export class T5EncoderModel extends Module<T5Config> implements TextEncoder {
  static readonly modelType = 't5'
  static readonly architectures = ['T5EncoderModel']
  static readonly head = 'encoder'

  readonly contextLength = Number.POSITIVE_INFINITY

  shared = embedding(this.config)
  encoder = new T5Encoder(this.config, this.shared)

  constructor(config: Partial<T5Config> = {}) {
    super(t5Config(config))
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  get hiddenSize(): number {
    return this.config.d_model
  }

  /** ids (B, T) i32 -> states (B, T, C). */
  forward(ids: Tensor, { attentionMask }: EncoderOptions = {}): Tensor {
    checkIds(ids, this.contextLength, 'T5')
    return this.encoder.forward(ids, attentionMask)
  }

  protected override keyInCheckpoint(key: string): string | null {
    return isUnused(key) || /^(decoder|lm_head)\./.test(key) ? null : key
  }
}

const embedding = (config: T5Config): Embedding =>
  new Embedding(config.vocab_size, config.d_model, { std: config.initializer_factor })

/** Old uploads have distances between source and target, which nobody looks at. */
const isUnused = (key: string): boolean => /EncDecAttention\.relative_attention_bias\./.test(key)
