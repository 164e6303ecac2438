import type { JsonObject } from '../../io/files/json.ts'
import { KVCache, Linear, type Module } from '../../nn/index.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import { optionKinds } from '../../util/options.ts'
import { checkTokens } from '../shared/decoder.ts'
import { type DecoderFamily, type TextConfig, type TextStack, widthOf } from '../shared/family.ts'
import { type HeadClass, HeadedModel, type HeadSpec, headClass } from './headed-model.ts'
import type { TextEncoder } from './text-model.ts'

export interface CausalLMOptions {
  /** Earlier tokens, to which the new ones are added; `cache.advance(n)` then counts them in. */
  cache?: KVCache
  /**
   * bool (B, S): true for tokens, false for padding, on either side. S is the capacity of the cache, or T without a
   * cache. Positions are counted over tokens only.
   */
  attentionMask?: Tensor
  /** i32 (N): computes logits at these positions only. */
  logitsAt?: Tensor
}

const CAUSAL = optionKinds<CausalLMOptions>({
  cache: 'object?',
  attentionMask: 'tensor?',
  logitsAt: 'tensor?',
})
const CACHE = optionKinds<CacheSize>({ capacity: 'size?', batch: 'size?' })

interface CacheSize {
  capacity?: number
  batch?: number
}

/** A model that predicts the next token from those before it. */
export interface CausalLM extends Module {
  /** The most tokens that it can see. */
  readonly contextLength: number
  readonly vocabSize: number
  /** The settings of generation_config.json, which generation follows where no option is given. */
  generationConfig?: JsonObject
  /**
   * Texts that grow past this number of tokens rotate all keys anew (LongRoPE): a cache of a shorter text is then of no
   * use. Left out, or infinite: caches stay valid.
   */
  readonly cacheValidTo?: number
  /** ids (B, T) i32 -> logits (B, T, V) of the token after each. */
  forward(ids: Tensor, options?: CausalLMOptions): Tensor
  /** Mean cross-entropy of targets (B, T), the token after each; -100 is ignored. */
  loss(ids: Tensor, targets: Tensor): Tensor
  /** Memory for the keys and values of `capacity` tokens (default: the whole context). */
  createCache(size?: CacheSize): KVCache
}

/** The output layer of most families. */
export interface OutputLayer {
  lm_head: Linear
}

/** The head of a family that predicts the next token, by default with an output layer called `lm_head`. */
export function causalLM<
  C extends TextConfig,
  S extends TextStack,
  P extends string,
  L extends object = OutputLayer,
>(
  family: DecoderFamily<C, S, P>,
  architectures: string | readonly string[],
  head: Pick<HeadSpec<C, S, L>, 'layers' | 'logits'> = outputLayer(family) as never,
): HeadClass<C, CausalLMModel<C, S, L> & Record<P, S & TextEncoder> & L> {
  return headClass(CausalLMModel<C, S, L>, 'causal-lm', family, { architectures, ...head })
}

/** A linear layer to the vocabulary, which shares its weight with the embeddings where the config ties them. */
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

export class CausalLMModel<C extends TextConfig, S extends TextStack, L extends object>
  extends HeadedModel<C, S, L, DecoderFamily<C, S, string>>
  implements CausalLM
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

  get cacheValidTo(): number {
    return this.family.cacheValidTo?.(this.config) ?? Number.POSITIVE_INFINITY
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  forward(ids: Tensor, options: CausalLMOptions = {}): Tensor {
    CAUSAL.check(this.constructor.name, options)
    checkTokens(ids, this.family.title, this.contextLength, options.cache)
    return this.headLogits(this.stack.forward(ids, options))
  }

  loss(ids: Tensor, targets: Tensor): Tensor {
    return F.crossEntropy(this.forward(ids), targets)
  }

  createCache(size: CacheSize = {}): KVCache {
    CACHE.check('createCache', size)
    const { capacity = this.contextLength, batch = 1 } = size
    return new KVCache({ ...this.family.cache(this.config), capacity, batch })
  }
}
