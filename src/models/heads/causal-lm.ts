import type { KVCache, Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'

export interface CausalLMOptions {
  /** Earlier tokens, which the new ones are added to; `cache.advance(n)` then counts them in. */
  cache?: KVCache
  /**
   * bool (B, S): true where a token counts, false where it is padding, on either side. S is the cache's
   * capacity, or T without a cache. Positions are counted over the tokens that count.
   */
  attentionMask?: Tensor
  /** i32 (N): computes logits at these positions only. */
  logitsAt?: Tensor
}

/** A model that predicts the next token from those before it. */
export interface CausalLM extends Module {
  /** The most tokens that it can see. */
  readonly contextLength: number
  readonly vocabSize: number
  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  forward(ids: Tensor, options?: CausalLMOptions): Tensor
  /** Mean cross-entropy of targets (B, T): the token after each; -100 counts for nothing. */
  loss(ids: Tensor, targets: Tensor): Tensor
  /** Memory for the keys and values of `capacity` tokens (default: the whole context). */
  createCache(options?: { capacity?: number; batch?: number }): KVCache
}
