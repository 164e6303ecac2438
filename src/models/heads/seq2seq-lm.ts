import type { JsonObject } from '../../io/files/json.ts'
import { type CachePrefix, EncoderDecoderCache, type Module } from '../../nn/index.ts'
import { cat, F, full, type Tensor, zeros } from '../../tensor/index.ts'
import { checkArgument, checkArguments } from '../../util/check-argument.ts'
import { ShapeError } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import type { Family } from '../shared/family.ts'
import { readSource, readTarget, sourceLengthOf, sourceMask, targetPrefix, type VirtualTokenReader, virtualTokenCount } from '../shared/virtual-tokens.ts' // biome-ignore format: one line
import { type HeadClass, HeadedModel, type HeadSpec, headClass } from './headed-model.ts'

// B batch, S source tokens, T target tokens, C width, V vocabulary

/** Options of `Seq2SeqLM.decode`. */
export interface DecodeOptions {
  /**
   * The hidden states (B, S, C) that `encode` returned for the source. Later calls with the same cache can omit them.
   */
  encoded?: Tensor
  /** bool (B, S), true for tokens of the source, false for padding. Default: no padding. */
  encodedMask?: Tensor
  /**
   * bool (B, T), or (B, capacity) with a cache, true for tokens of the target, false for padding. Default: no padding.
   */
  attentionMask?: Tensor
  /** Cache of earlier target tokens. The new tokens are written to it; call `cache.advance(n)` to keep them. */
  cache?: EncoderDecoderCache
  /** i32 (N): positions at which to compute logits. Default: all positions. */
  logitsAt?: Tensor
}

/** Options of `Seq2SeqLM.encode` and `forward`. */
export interface Seq2SeqOptions {
  /**
   * bool (B, S), true for tokens of the source, false for padding, which may be on either side. Default: no padding.
   */
  attentionMask?: Tensor
}

/** Options of `Seq2SeqLM.loss`. */
export interface Seq2SeqLossOptions extends Seq2SeqOptions {
  /** Probability that is distributed uniformly over all tokens (Szegedy et al., 2016). Default 0. */
  labelSmoothing?: number
}

/** An encoder-decoder model, which reads a source text and writes a target text (Vaswani et al., 2017). */
export interface Seq2SeqLM extends Module {
  /** Maximum number of source or target tokens; infinite for relative positions. */
  readonly contextLength: number
  /** Size of the target vocabulary. */
  readonly vocabSize: number
  /** Id of the first token of the decoder. */
  readonly decoderStartTokenId: number
  /** Id of the padding token. */
  readonly padTokenId: number
  /** Settings of generation_config.json. Generation uses them as defaults. */
  generationConfig?: JsonObject
  /** Encodes the source: i32 (B, S) -> hidden states (B, S, C). */
  encode(ids: Tensor, options?: Seq2SeqOptions): Tensor
  /** Computes the logits of the next target token at each position: i32 (B, T) -> f32 (B, T, V). */
  decode(ids: Tensor, options: DecodeOptions): Tensor
  /** Computes logits (B, T, V) from source ids (B, S) and target ids (B, T). */
  forward(ids: Tensor, decoderIds: Tensor, options?: Seq2SeqOptions): Tensor
  /**
   * Mean cross-entropy with labels (B, T). The decoder's input is the labels shifted by one. Labels of -100 are
   * ignored.
   */
  loss(ids: Tensor, labels: Tensor, options?: Seq2SeqLossOptions): Tensor
  /** Creates a cache for the keys and values of `capacity` target tokens and `sourceLength` source tokens. */
  createCache(size: Seq2SeqCacheSize): EncoderDecoderCache
}

/** Size of the cache of an encoder-decoder. */
export interface Seq2SeqCacheSize {
  /** Number of target tokens. */
  capacity: number
  /** Number of source tokens, including padding. */
  sourceLength: number
  /** Batch size. Default 1. */
  batch?: number
}

/** Size of the cache of a family, with the positions of an adapter. */
export interface Seq2SeqCacheShape extends Seq2SeqCacheSize {
  /** Positions before the first token. */
  prefix: CachePrefix | null
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

/** Config keys that all encoder-decoder models have. */
export interface Seq2SeqConfig {
  pad_token_id: number | null
  decoder_start_token_id: number
}

/** The stack of an encoder-decoder model. */
export interface EncoderDecoder extends Module {
  /** i32 (B, S) -> hidden states (B, S, C). */
  readonly encoder: { forward(ids: Tensor, attentionMask?: Tensor): Tensor }
  /** i32 (B, T) -> hidden states (B, T, C). */
  readonly decoder: { forward(ids: Tensor, options: DecodeOptions): Tensor }
}

/** A family of encoder-decoder models. */
export interface Seq2SeqFamily<C extends Seq2SeqConfig, S extends EncoderDecoder, P extends string>
  extends Family<C, S, P> {
  /** Maximum number of source or target tokens. */
  readonly contextLength: (config: C) => number
  readonly targetVocabSize: (config: C) => number
  readonly createCache: (
    model: { config: C; stack: S },
    size: Seq2SeqCacheShape,
  ) => EncoderDecoderCache
}

/** Creates the encoder-decoder language model class of a family. */
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
  implements Seq2SeqLM, VirtualTokenReader
{
  #generationConfig: JsonObject = {}

  get generationConfig(): JsonObject {
    return this.#generationConfig
  }

  set generationConfig(config: JsonObject) {
    this.#generationConfig = config
  }

  get contextLength(): number {
    return this.family.contextLength(this.config) - virtualTokenCount(this)
  }

  override get stackCount(): number {
    return 2
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
    return readSource(this, ids, options.attentionMask, (...source) =>
      this.stack.encoder.forward(...source),
    )
  }

  decode(ids: Tensor, given: DecodeOptions): Tensor {
    DECODE.check(this.constructor.name, given)
    const { logitsAt, encodedMask, ...rest } = given ?? {}
    checkIds(ids, this.contextLength, this.family.title, rest.cache?.length)
    const options = { ...rest, encodedMask: sourceMask(this, encodedMask) }
    const states = readTarget(this, ids, options, (...target) =>
      this.stack.decoder.forward(...target),
    )
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
    const { batch = 1 } = size
    const prefix = targetPrefix(this, batch, (ids, cache) => {
      if (!(cache instanceof EncoderDecoderCache)) return ids
      return this.stack.decoder.forward(ids, { cache })
    })
    const sourceLength = sourceLengthOf(this, size.sourceLength)
    return this.family.createCache(this.below, { ...size, sourceLength, prefix })
  }

  /** @internal See `VirtualTokenReader`. */
  probe(): () => Tensor {
    const one = zeros([1, 1], 'i32')
    const encoded = this.stack.encoder.forward(one)
    return () => this.stack.decoder.forward(one, { encoded })
  }
}

/**
 * Computes the decoder's input for predicting `labels` (B, T): the start token, then all labels except the last.
 * Ignored labels become padding.
 */
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

/** @throws ShapeError if ids are not (B, T), or exceed `limit` tokens together with the `earlier` ones in the cache */
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
