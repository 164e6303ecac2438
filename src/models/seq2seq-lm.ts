import type { KVCache, Module } from '../nn/index.ts'
import type { Tensor } from '../tensor/index.ts'

// B batch, S source tokens, T target tokens, C width, V vocabulary

export interface DecodeOptions {
  /** What `encode` made of the source: (B, S, C). */
  encoded: Tensor
  /** bool (B, S): true where a token of the source counts. Default: all count. */
  encodedMask?: Tensor
  /** Earlier target tokens, which the new ones are added to; `cache.advance(n)` then counts them in. */
  cache?: KVCache
  /** i32 (N): computes logits at these positions only. */
  logitsAt?: Tensor
}

/** A model that reads one text and writes another (Vaswani et al., 2017). */
export interface Seq2SeqLM extends Module {
  /** The most tokens of source or target. */
  readonly contextLength: number
  readonly vocabSize: number
  /** What the decoder starts from. */
  readonly decoderStartTokenId: number
  /** ids (B, S) i32 -> states (B, S, C). */
  encode(ids: Tensor, options?: { attentionMask?: Tensor }): Tensor
  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  decode(ids: Tensor, options: DecodeOptions): Tensor
  /** ids (B, S) and decoderIds (B, T) -> logits (B, T, V). */
  forward(ids: Tensor, decoderIds: Tensor, options?: { attentionMask?: Tensor }): Tensor
  /** Mean cross-entropy of labels (B, T), which the decoder sees shifted by one; -100 counts for nothing. */
  loss(ids: Tensor, labels: Tensor, options?: { attentionMask?: Tensor }): Tensor
  /** Memory for the keys and values of `capacity` target tokens. */
  createCache(options?: { capacity?: number; batch?: number }): KVCache
}
