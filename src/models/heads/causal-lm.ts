import type { JsonObject } from '../../io/files/json.ts'
import { KVCache, Linear, type Module } from '../../nn/index.ts'
import { F, type Tensor, zeros } from '../../tensor/index.ts'
import { optionKinds } from '../../util/options.ts'
import { checkTokens } from '../shared/decoder.ts'
import { type DecoderFamily, type TextConfig, type TextStack, widthOf } from '../shared/family.ts'
import { cachePrefix, readText, type VirtualTokenReader, virtualTokenCount } from '../shared/virtual-tokens.ts' // biome-ignore format: one line
import { type HeadClass, HeadedModel, type HeadSpec, headClass } from './headed-model.ts'
import type { TextEncoder } from './text-model.ts'

/** Options of `CausalLM.forward`. */
export interface CausalLMOptions {
  /** Cache of earlier tokens. The new tokens are written to it; call `cache.advance(n)` to keep them. */
  cache?: KVCache
  /**
   * bool (B, S), true for tokens, false for padding, which may be on either side. S is the capacity of the cache, or T
   * without a cache. Positions are counted without padding. Without a cache, i32 (B, T) packs several texts in a row: the
   * number of the text of each token, from 1, and 0 for padding. Tokens attend only to their own text.
   */
  attentionMask?: Tensor
  /** i32 (N): positions at which to compute logits. Default: all positions. */
  logitsAt?: Tensor
}

const CAUSAL = optionKinds<CausalLMOptions>({
  cache: 'object?',
  attentionMask: 'tensor?',
  logitsAt: 'tensor?',
})
const CACHE = optionKinds<CacheSize>({ capacity: 'size?', batch: 'size?' })

/** Size of a key-value cache. */
export interface CacheSize {
  /** Maximum number of tokens. Default: the context length. */
  capacity?: number
  /** Number of sequences. Default 1. */
  batch?: number
}

/** A causal language model, which predicts the next token from the preceding ones. */
export interface CausalLM extends Module {
  /** Maximum number of tokens. */
  readonly contextLength: number
  /** Number of logits of a token, V. */
  readonly vocabSize: number
  /** Settings of generation_config.json. Generation uses them as defaults. */
  generationConfig?: JsonObject
  /**
   * Number of tokens above which all keys have other rotations (LongRoPE), so that the cache of a shorter sequence
   * becomes invalid. Undefined or infinite if caches stay valid.
   */
  readonly cacheValidTo?: number
  /** Computes the logits of the next token at each position: i32 (B, T) -> f32 (B, T, V). */
  forward(ids: Tensor, options?: CausalLMOptions): Tensor
  /** Mean cross-entropy with targets (B, T), the next tokens. Targets of -100 are ignored. */
  loss(ids: Tensor, targets: Tensor, options?: Pick<CausalLMOptions, 'attentionMask'>): Tensor
  /** Creates a cache for the keys and values of `capacity` tokens. Default: the context length. */
  createCache(size?: CacheSize): KVCache
}

/** Layers of a causal head, and how they compute logits. */
export interface CausalSpec<C extends object, S extends Module, L extends object>
  extends Pick<HeadSpec<C, S, L>, 'layers' | 'logits'> {
  /** The layer whose output are the logits, if nothing follows it. The loss then never has all logits in memory. */
  readonly output?: (layers: L) => Linear
}

/** The output layer of most families. */
export interface OutputLayer {
  /** Hidden states to logits, C to V features. */
  lm_head: Linear
}

/** Creates the causal language model class of a family. Default: an output layer named `lm_head`. */
export function causalLM<
  C extends TextConfig,
  S extends TextStack,
  P extends string,
  L extends object = OutputLayer,
>(
  family: DecoderFamily<C, S, P>,
  architectures: string | readonly string[],
  head: CausalSpec<C, S, L> = plainOutput(family) as never,
): HeadClass<C, CausalLMModel<C, S, L> & Record<P, S & TextEncoder> & L> {
  return headClass(CausalLMModel<C, S, L>, 'causal-lm', family, { architectures, ...head })
}

/** A linear layer to the vocabulary. It shares its weight with the embeddings if the config ties them. */
export const outputLayer = <C extends TextConfig, S extends TextStack>(
  family: DecoderFamily<C, S, string>,
): Pick<HeadSpec<C, S, OutputLayer>, 'layers' | 'logits'> => ({
  layers: (config, { embeddings }) => ({
    lm_head: new Linear(widthOf(family, config), config.vocab_size, {
      std: config.initializer_range,
      bias: false,
      weight: config.tie_word_embeddings ? embeddings().weight : undefined,
    }),
  }),
  logits: ({ lm_head }, states) => lm_head.forward(states),
})

/** The same layer, whose output are the logits. A family that scales them states `logits` instead. */
const plainOutput = <C extends TextConfig, S extends TextStack>(
  family: DecoderFamily<C, S, string>,
): CausalSpec<C, S, OutputLayer> => ({
  ...outputLayer(family),
  output: ({ lm_head }) => lm_head,
})

/** Base of the causal language models of all families. */
export class CausalLMModel<C extends TextConfig, S extends TextStack, L extends object>
  extends HeadedModel<C, S, L, DecoderFamily<C, S, string>, HeadSpec<C, S, L> & CausalSpec<C, S, L>>
  implements CausalLM, VirtualTokenReader
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

  get cacheValidTo(): number {
    const limit = this.family.cacheValidTo?.(this.config) ?? Number.POSITIVE_INFINITY
    return limit - virtualTokenCount(this)
  }

  /** Number of logits of a token, V. */
  get vocabSize(): number {
    return this.config.vocab_size
  }

  forward(ids: Tensor, options: CausalLMOptions = {}): Tensor {
    CAUSAL.check(this.constructor.name, options)
    return this.headLogits(this.statesOf(ids, options))
  }

  /** @internal See `VirtualTokenReader`. */
  probe(): () => Tensor {
    return () => this.stack.forward(zeros([1, 1], 'i32'), {})
  }

  loss(ids: Tensor, targets: Tensor, options: Pick<CausalLMOptions, 'attentionMask'> = {}): Tensor {
    const output = this.spec.output?.(this.layers)
    if (!output?.crossEntropy || this.isHooked)
      return F.crossEntropy(this.forward(ids, options), targets)
    CAUSAL.check(this.constructor.name, options)
    return this.named(() => output.crossEntropy(this.statesOf(ids, options), targets))
  }

  /** Hidden states f32 (B, T, C) of the stack. */
  protected statesOf(ids: Tensor, options: CausalLMOptions = {}): Tensor {
    checkTokens(ids, this.family.title, this.contextLength, options.cache)
    return readText(this, ids, options, (...text) => this.stack.forward(...text))
  }

  createCache(size: CacheSize = {}): KVCache {
    CACHE.check('createCache', size)
    const { capacity = this.contextLength, batch = 1 } = size
    const prefix = cachePrefix(this, batch, (ids, cache) => this.stack.forward(ids, { cache }))
    return new KVCache({ ...this.family.cache(this.config), capacity, batch, prefix })
  }
}
