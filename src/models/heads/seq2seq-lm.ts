import { type EncoderDecoderCache, Module } from '../../nn/index.ts'
import { cat, F, full, type Tensor } from '../../tensor/index.ts'
import { ShapeError } from '../../util/errors.ts'

// B batch, S source tokens, T target tokens, C width, V vocabulary

export interface DecodeOptions {
  /**
   * What `encode` made of the source: (B, S, C). A cache keeps what is needed of it: later calls
   * with the same cache leave it out.
   */
  encoded?: Tensor
  /** bool (B, S): true where a token of the source counts. Default: all count. */
  encodedMask?: Tensor
  /** bool (B, T), or (B, capacity) with a cache: true where a target token counts. Default: all count. */
  attentionMask?: Tensor
  /** Earlier target tokens, which the new ones are added to; `cache.advance(n)` then counts them in. */
  cache?: EncoderDecoderCache
  /** i32 (N): computes logits at these positions only. */
  logitsAt?: Tensor
}

export interface Seq2SeqOptions {
  /** bool (B, S): true where a token of the source counts, on either side. Default: all count. */
  attentionMask?: Tensor
}

export interface Seq2SeqLossOptions extends Seq2SeqOptions {
  /** Share of the probability that is spread over all tokens (Szegedy et al., 2016). Default 0. */
  labelSmoothing?: number
}

/** A model that reads one text and writes another (Vaswani et al., 2017). */
export interface Seq2SeqLM extends Module {
  /** The most tokens of source or target; infinite where positions are relative. */
  readonly contextLength: number
  /** Of the target. */
  readonly vocabSize: number
  /** What the decoder starts from. */
  readonly decoderStartTokenId: number
  readonly padTokenId: number
  /** ids (B, S) i32 -> states (B, S, C). */
  encode(ids: Tensor, options?: Seq2SeqOptions): Tensor
  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  decode(ids: Tensor, options: DecodeOptions): Tensor
  /** ids (B, S) and decoderIds (B, T) -> logits (B, T, V). */
  forward(ids: Tensor, decoderIds: Tensor, options?: Seq2SeqOptions): Tensor
  /** Mean cross-entropy of labels (B, T), which the decoder sees shifted by one; -100 counts for nothing. */
  loss(ids: Tensor, labels: Tensor, options?: Seq2SeqLossOptions): Tensor
  /** Memory for the keys and values of `capacity` target tokens and `sourceLength` source tokens. */
  createCache(room: CacheRoom): EncoderDecoderCache
}

export interface CacheRoom {
  /** Target tokens. */
  capacity: number
  /** Source tokens, padding included. */
  sourceLength: number
  /** Default 1. */
  batch?: number
}

/** What such models have in common, given their two halves. */
export abstract class EncoderDecoder<Config> extends Module<Config> implements Seq2SeqLM {
  abstract readonly contextLength: number
  abstract readonly vocabSize: number
  abstract readonly decoderStartTokenId: number
  abstract readonly padTokenId: number
  abstract encode(ids: Tensor, options?: Seq2SeqOptions): Tensor
  abstract decode(ids: Tensor, options: DecodeOptions): Tensor
  abstract createCache(room: CacheRoom): EncoderDecoderCache

  forward(ids: Tensor, decoderIds: Tensor, { attentionMask }: Seq2SeqOptions = {}): Tensor {
    const encoded = this.encode(ids, { attentionMask })
    return this.decode(decoderIds, { encoded, encodedMask: attentionMask })
  }

  loss(
    ids: Tensor,
    labels: Tensor,
    { labelSmoothing, ...options }: Seq2SeqLossOptions = {},
  ): Tensor {
    const logits = this.forward(ids, shiftRight(labels, this), options)
    return F.crossEntropy(logits, labels, { labelSmoothing })
  }
}

/** What a decoder sees when it is to say `labels` (B, T): the start, then each label but the last. */
export function shiftRight(
  labels: Tensor,
  { decoderStartTokenId, padTokenId }: Pick<Seq2SeqLM, 'decoderStartTokenId' | 'padTokenId'>,
): Tensor {
  const [batch, tokens] = labels.shape
  const start = full([batch, 1], decoderStartTokenId, 'i32')
  const before = labels.to('i32').narrow(1, 0, tokens - 1)
  return cat([start, before.lt(0).where(full(before.shape, padTokenId, 'i32'), before)], 1)
}

/** @throws ShapeError unless ids are (B, T) with at most `limit` tokens, `seen` before them included */
export function checkIds(ids: Tensor, limit: number, model: string, seen = 0): void {
  if (ids.rank === 2 && ids.shape[1] + seen <= limit) return
  const earlier = seen > 0 ? `, ${seen} tokens before them` : ''
  const most = Number.isFinite(limit) ? `, with at most ${limit} tokens` : ''
  throw new ShapeError(`${model}: ids of shape (${ids.shape.join(', ')})${earlier}`, {
    remedy: `They are (batch, tokens)${most}.`,
  })
}
