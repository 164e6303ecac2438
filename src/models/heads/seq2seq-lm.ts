import type { JsonObject } from '../../io/files/json.ts'
import type { EncoderDecoderCache, Module } from '../../nn/index.ts'
import { cat, F, full, type Tensor } from '../../tensor/index.ts'
import { checkArgument, checkArguments } from '../../util/check-argument.ts'
import { ShapeError } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import type { Family } from '../shared/family.ts'
import { type HeadClass, HeadedModel, type HeadSpec, headClass } from './headed-model.ts'

// B batch, S source tokens, T target tokens, C width, V vocabulary

export interface DecodeOptions {
  /**
   * The states that `encode` returned for the source: (B, S, C). A cache keeps what it needs of them: leave them out in
   * later calls with the same cache.
   */
  encoded?: Tensor
  /** bool (B, S): true for tokens of the source, false for padding. Default: all are tokens. */
  encodedMask?: Tensor
  /** bool (B, T), or (B, capacity) with a cache: the same for the target. Default: all are tokens. */
  attentionMask?: Tensor
  /** Earlier target tokens, to which the new ones are added; `cache.advance(n)` then counts them in. */
  cache?: EncoderDecoderCache
  /** i32 (N): computes logits at these positions only. */
  logitsAt?: Tensor
}

export interface Seq2SeqOptions {
  /** bool (B, S): true for tokens of the source, false for padding, on either side. Default: all are tokens. */
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
  /** The first token that the decoder reads. */
  readonly decoderStartTokenId: number
  readonly padTokenId: number
  /** The settings of generation_config.json, which generation follows where no option is given. */
  generationConfig?: JsonObject
  /** ids (B, S) i32 -> states (B, S, C). */
  encode(ids: Tensor, options?: Seq2SeqOptions): Tensor
  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  decode(ids: Tensor, options: DecodeOptions): Tensor
  /** ids (B, S) and decoderIds (B, T) -> logits (B, T, V). */
  forward(ids: Tensor, decoderIds: Tensor, options?: Seq2SeqOptions): Tensor
  /** Mean cross-entropy of labels (B, T), which the decoder reads shifted by one; -100 is ignored. */
  loss(ids: Tensor, labels: Tensor, options?: Seq2SeqLossOptions): Tensor
  /** Memory for the keys and values of `capacity` target tokens and `sourceLength` source tokens. */
  createCache(size: Seq2SeqCacheSize): EncoderDecoderCache
}

export interface Seq2SeqCacheSize {
  /** Target tokens. */
  capacity: number
  /** Source tokens, padding included. */
  sourceLength: number
  /** Default 1. */
  batch?: number
}

const SOURCE = { attentionMask: 'tensor?' } as const
const ENCODE = optionKinds<Seq2SeqOptions>(SOURCE)
const DECODE = optionKinds<DecodeOptions>({
  encoded: 'tensor?',
  encodedMask: 'tensor?',
  attentionMask: 'tensor?',
  cache: 'object?',
  logitsAt: 'tensor?',
})
const LOSS = optionKinds<Seq2SeqLossOptions>({ ...SOURCE, labelSmoothing: 'number?' })
const CACHE = optionKinds<Seq2SeqCacheSize>({
  capacity: 'size',
  sourceLength: 'size',
  batch: 'size?',
})

/** The keys of a config that all encoder-decoders have. */
export interface Seq2SeqConfig {
  pad_token_id: number | null
  decoder_start_token_id: number
}

/** Both halves of an encoder-decoder. */
export interface EncoderDecoder extends Module {
  /** ids (B, S) i32 -> states (B, S, C). */
  readonly encoder: { forward(ids: Tensor, attentionMask?: Tensor): Tensor }
  /** ids (B, T) i32 -> states (B, T, C). */
  readonly decoder: { forward(ids: Tensor, options: DecodeOptions): Tensor }
}

/** A family of encoder-decoders. */
export interface Seq2SeqFamily<C extends Seq2SeqConfig, S extends EncoderDecoder, P extends string>
  extends Family<C, S, P> {
  /** The most tokens of source or target. */
  readonly contextLength: (config: C) => number
  readonly targetVocabSize: (config: C) => number
  readonly createCache: (
    model: { config: C; stack: S },
    size: Seq2SeqCacheSize,
  ) => EncoderDecoderCache
}

/** The head of a family that writes text. */
export const seq2seqLM = <
  C extends Seq2SeqConfig,
  S extends EncoderDecoder,
  P extends string,
  L extends object,
>(
  family: Seq2SeqFamily<C, S, P>,
  spec: HeadSpec<C, S, L>,
): HeadClass<C, Seq2SeqModel<C, S, L> & Record<P, S> & L> =>
  headClass(Seq2SeqModel<C, S, L>, 'seq2seq-lm', family, spec)

export class Seq2SeqModel<C extends Seq2SeqConfig, S extends EncoderDecoder, L extends object>
  extends HeadedModel<C, S, L, Seq2SeqFamily<C, S, string>>
  implements Seq2SeqLM
{
  #generationConfig: JsonObject = {}

  get generationConfig(): JsonObject {
    return this.#generationConfig
  }

  set generationConfig(config: JsonObject) {
    this.#generationConfig = config
  }

  get contextLength(): number {
    return this.family.contextLength(this.config)
  }

  get vocabSize(): number {
    return this.family.targetVocabSize(this.config)
  }

  get decoderStartTokenId(): number {
    return this.config.decoder_start_token_id
  }

  get padTokenId(): number {
    return this.config.pad_token_id ?? 0
  }

  encode(ids: Tensor, options: Seq2SeqOptions = {}): Tensor {
    ENCODE.check(this.constructor.name, options)
    checkIds(ids, this.contextLength, this.family.title)
    return this.stack.encoder.forward(ids, options.attentionMask)
  }

  decode(ids: Tensor, given: DecodeOptions): Tensor {
    DECODE.check(this.constructor.name, given)
    const { logitsAt, ...options } = given ?? {}
    checkIds(ids, this.contextLength, this.family.title, options.cache?.length)
    const states = this.stack.decoder.forward(ids, options)
    return this.headLogits(logitsAt ? states.take(logitsAt, 1) : states)
  }

  forward(ids: Tensor, decoderIds: Tensor, options: Seq2SeqOptions = {}): Tensor {
    const encoded = this.encode(ids, options)
    return this.decode(decoderIds, { encoded, encodedMask: options.attentionMask })
  }

  loss(ids: Tensor, labels: Tensor, given: Seq2SeqLossOptions = {}): Tensor {
    LOSS.check(this.constructor.name, given)
    const { labelSmoothing, ...options } = given
    const logits = this.forward(ids, shiftRight(labels, this), options)
    return F.crossEntropy(logits, labels, { labelSmoothing })
  }

  createCache(size: Seq2SeqCacheSize): EncoderDecoderCache {
    CACHE.check('createCache', size)
    return this.family.createCache(this.below, size)
  }
}

/** What a decoder reads in order to predict `labels` (B, T): the first token, then each label but the last. */
export function shiftRight(
  labels: Tensor,
  model: Pick<Seq2SeqLM, 'decoderStartTokenId' | 'padTokenId'>,
): Tensor {
  checkArgument('shiftRight', 'labels', labels, 'tensor')
  checkArgument('shiftRight', 'model', model, 'object')
  const { decoderStartTokenId, padTokenId } = model
  checkArguments('shiftRight', { decoderStartTokenId, padTokenId }, 'integer')
  const [batch, tokens] = labels.shape
  const start = full([batch, 1], decoderStartTokenId, 'i32')
  const before = labels.to('i32').narrow(1, 0, tokens - 1)
  return cat([start, before.lt(0).where(full(before.shape, padTokenId, 'i32'), before)], 1)
}

/** @throws ShapeError unless ids are (B, T) with at most `limit` tokens, `earlier` ones in the cache included */
function checkIds(ids: Tensor, limit: number, title: string, earlier = 0): void {
  checkArgument(title, 'ids', ids, 'tensor')
  if (ids.rank === 2 && ids.shape[1] + earlier <= limit) return
  const most = Number.isFinite(limit) ? ` with at most ${limit} tokens` : ''
  const cached = earlier > 0 ? ` after ${earlier} tokens in the cache` : ''
  throw new ShapeError(
    `${title}: ids must be (batch, tokens)${most}, got (${ids.shape.join(', ')})${cached}`,
    { remedy: 'Truncate longer texts, or split them.' },
  )
}
