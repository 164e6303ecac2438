// Virtual tokens: trained vectors before the tokens of a text (prompt tuning), or trained keys and values (prefix tuning).
// B batch, P virtual tokens, T tokens, C width, C' width of keys

import { evaluating } from '../../nn/evaluating.ts'
import { type CachePrefix, type KVCache, type Module, packedTexts } from '../../nn/index.ts'
import { changingKeyValues, type KeyValues } from '../../nn/key-values.ts'
import { recordAgain } from '../../tensor/hold.ts'
import { cat, full, type Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { TextStackOptions } from './family.ts'

/** Trained tokens that a model reads before each text. They have either embeddings, or keys and values. */
export interface VirtualTokens {
  /** Number of tokens, P. */
  readonly count: number
  /** Vectors f32 (P, C) in place of embeddings. */
  embeddings?(): Tensor
  /** Keys and values f32 (P, C') in self-attention layer `layer`, in place of those that it computes. */
  keyValues?(layer: number): KeyValues
}

/** A model that reads virtual tokens: those of `heads` do. */
export interface VirtualTokenReader extends Module {
  /** The table of token embeddings; null for models that do not read tokens. */
  readonly inputEmbeddings: Module | null
  /** Number of stacks, each with its own text: 2 for encoder-decoders. */
  readonly stackCount: number
  /** Maximum number of tokens. */
  readonly contextLength?: number
  /** See `CausalLM`. */
  readonly cacheValidTo?: number
  /**
   * Returns a function that runs the stack that keys and values enter, on the smallest input; null for models that cannot
   * read virtual tokens, because two stacks read one text.
   */
  probe(): (() => Tensor) | null
}

const attached = new WeakMap<Module, VirtualTokens>()

/** The tokens whose vectors, or keys and values, are read at the moment. */
let current: VirtualTokens | null = null

/** Number of virtual tokens of a model, which reduce its context. */
export const virtualTokenCount = (model: Module): number => attached.get(model)?.count ?? 0

/** Makes a model read virtual tokens. Returns a function that ends it. @throws HeedError if it reads others already */
export function attachVirtualTokens(model: VirtualTokenReader, tokens: VirtualTokens): () => void {
  if (attached.has(model))
    throw new HeedError('invalid-state', 'One adapter with tokens of its own can be in use, got a second one', {
      key: 'adapter',
      remedy: 'Switch one of them off with setAdapters().',
    }) // biome-ignore format: one line
  attached.set(model, tokens)
  recordAgain()
  const detach = tokens.embeddings
    ? model.inputEmbeddings?.hook('', (_module, _inputs, x) =>
        current?.embeddings ? inPlace(x, current.embeddings()) : undefined,
      )
    : undefined
  return () => {
    attached.delete(model)
    recordAgain()
    detach?.()
  }
}

/** A self-attention layer, as far as a prefix needs to know it. */
export interface SelfAttention {
  /** Number of heads of queries. */
  readonly heads: number
  /** Number of heads of keys and values. */
  readonly kvHeads: number
  /** Width of all heads of keys, C'. */
  readonly width: number
}

/** Returns the self-attention layers that keys and values can enter, in their order, by running the model on one token. */
export function selfAttentionOf(model: VirtualTokenReader): SelfAttention[] {
  const layers: SelfAttention[] = []
  evaluating(model, () => {
    const run = model.probe()
    if (!run) return
    changingKeyValues((computed, heads) => {
      layers.push({ ...heads, width: computed.k.shape[2] })
      return computed
    }, run)
  })
  return layers
}

type Read = (ids: Tensor, options: TextStackOptions) => Tensor

/** Computes the states (B, T, C) of a text after the virtual tokens of the model, if it has any. `read` runs the stack. */
export function readText(
  model: Module,
  ids: Tensor,
  options: TextStackOptions,
  read: Read,
): Tensor {
  const { cache } = options
  const tokens = attached.get(model)
  if (cache) checkCache(cache, tokens?.count ?? 0)
  if (!tokens) return read(ids, options)
  if (cache) return cache.withPrefix(() => read(ids, withMask(tokens, options)))
  const longer = withVirtual(model, ids, options)
  const states = reading(tokens, () => read(longer.ids, longer.options))
  return options.logitsAt ? states : states.narrow(1, tokens.count, ids.shape[1])
}

/** A text with its virtual tokens, for heads that pool the states of all tokens. Those of a prefix have no states. */
export interface WholeText {
  readonly ids: Tensor
  readonly states: Tensor
  readonly attentionMask?: Tensor
}

/** Computes the states of a text like `readText`, including those of virtual tokens with embeddings, as peft does. */
export function readWholeText(
  model: Module,
  ids: Tensor,
  options: TextStackOptions,
  read: Read,
): WholeText {
  const tokens = attached.get(model)
  if (!tokens?.embeddings) {
    const { attentionMask } = options
    return { ids, attentionMask, states: readText(model, ids, options, read) }
  }
  const longer = withVirtual(model, ids, options)
  const states = reading(tokens, () => read(longer.ids, longer.options))
  return { ids: longer.ids, attentionMask: longer.options.attentionMask, states }
}

/** Computes the states of an image, or of another input without token ids, with the keys and values of a prefix. */
export function readInput(model: Module, read: () => Tensor): Tensor {
  const tokens = attached.get(model)
  return tokens ? reading(tokens, read, before) : read()
}

/** Computes the states (B, P + S, C) of a source. Keys and values do not enter the encoder. */
export function readSource(
  model: Module,
  ids: Tensor,
  attentionMask: Tensor | undefined,
  read: (ids: Tensor, attentionMask?: Tensor) => Tensor,
): Tensor {
  if (!attached.get(model)?.embeddings) return read(ids, attentionMask)
  const whole = readWholeText(model, ids, { attentionMask }, (ids, options) => read(ids, options.attentionMask)) // biome-ignore format: one line
  return whole.states
}

/** The mask (B, P + S) of what `readSource` returns. */
export function sourceMask(model: Module, mask: Tensor | undefined): Tensor | undefined {
  const tokens = attached.get(model)
  return tokens?.embeddings && mask ? longerBy(tokens, mask, 1) : mask
}

/** What the cache of a decoder holds before its first token: the keys and values of a prefix. */
export const targetPrefix: typeof cachePrefix = (model, batch, read) =>
  attached.get(model)?.embeddings ? null : cachePrefix(model, batch, read)

/** Number of source tokens with the virtual ones. */
export const sourceLengthOf = (model: Module, length: number): number =>
  length + (attached.get(model)?.embeddings ? virtualTokenCount(model) : 0)

/** Computes the states (B, T, C) of a target. Only keys and values enter the decoder. */
export function readTarget<O extends TextStackOptions>(
  model: Module,
  ids: Tensor,
  options: O,
  read: (ids: Tensor, options: O) => Tensor,
): Tensor {
  if (attached.get(model)?.embeddings) {
    if (options.cache) checkCache(options.cache, 0)
    return read(ids, options)
  }
  return readText(model, ids, options, (ids, changed) => read(ids, { ...options, ...changed }))
}

/** What the cache of a model holds before its first token. @param read runs the stack, which writes to the cache */
export function cachePrefix(
  model: Module,
  batch: number,
  read: (ids: Tensor, cache: KVCache) => Tensor,
): CachePrefix | null {
  const tokens = attached.get(model)
  if (!tokens) return null
  return {
    count: tokens.count,
    fill(cache) {
      const now = attached.get(model)
      if (now)
        evaluating(model, () => reading(now, () => read(virtualIds(model, now, batch), cache)))
    },
  }
}

function checkCache(cache: KVCache, count: number): void {
  if (cache.prefixLength === count) return
  throw new HeedError('invalid-state', `The cache must have been created with the adapters in use, got one with ${cache.prefixLength} virtual tokens in place of ${count}`, {
    key: 'cache',
    remedy: 'Create another with createCache().',
  }) // biome-ignore format: one line
}

function reading(
  tokens: VirtualTokens,
  body: () => Tensor,
  change: typeof inPlace = inPlace,
): Tensor {
  const outer = current
  current = tokens
  let layer = 0
  const run = (): Tensor =>
    tokens.keyValues
      ? changingKeyValues((computed) => {
          const { k, v } = tokens.keyValues?.(layer++) ?? computed
          return { k: change(computed.k, k), v: change(computed.v, v) }
        }, body)
      : body()
  try {
    return run()
  } finally {
    current = outer
  }
}

/** Replaces the first P rows of x (B, P + T, C) by the vectors (P, C). */
function inPlace(x: Tensor, vectors: Tensor): Tensor {
  const own = x.shape[1] - vectors.shape[0]
  return own === 0 ? expanded(x, vectors) : before(x.narrow(1, vectors.shape[0], own), vectors)
}

/** Puts the vectors (P, C) before x (B, T, C). */
const before = (x: Tensor, vectors: Tensor): Tensor => cat([expanded(x, vectors), x], 1)

const expanded = (x: Tensor, vectors: Tensor): Tensor =>
  vectors.unsqueeze(0).expand(x.shape[0], ...vectors.shape)

/** A text with P more tokens at its start. */
function withVirtual(
  model: Module,
  ids: Tensor,
  options: TextStackOptions,
): { ids: Tensor; options: TextStackOptions } {
  const tokens = attached.get(model)
  if (!tokens) return { ids, options }
  const { tokenTypeIds, logitsAt } = options
  return {
    ids: cat([virtualIds(model, tokens, ids.shape[0], ids), ids], 1),
    options: {
      ...withMask(tokens, options),
      ...(tokenTypeIds && { tokenTypeIds: longerBy(tokens, tokenTypeIds, 0) }),
      ...(logitsAt && { logitsAt: logitsAt.add(tokens.count) }),
    },
  }
}

/** @throws HeedError for rows of several texts, which would share the tokens */
const withMask = (tokens: VirtualTokens, options: TextStackOptions): TextStackOptions => {
  if (packedTexts(options.attentionMask))
    throw new HeedError('unsupported', 'Rows must have one text each for adapters with tokens of their own, got packed texts', { key: 'packing', remedy: 'Train without packing, or with lora.' }) // biome-ignore format: one line
  return withLongerMask(tokens, options)
}

const withLongerMask = (tokens: VirtualTokens, options: TextStackOptions): TextStackOptions =>
  options.attentionMask
    ? { ...options, attentionMask: longerBy(tokens, options.attentionMask, 1) }
    : options

/** Adds P columns at the start of (B, T). */
const longerBy = ({ count }: VirtualTokens, rows: Tensor, value: number): Tensor =>
  cat([full([rows.shape[0], count], value, rows.dtype), rows], 1)

/** Ids in place of virtual tokens, (B, P). Models that count positions by ids must not take them for padding. */
function virtualIds(model: Module, { count }: VirtualTokens, batch: number, like?: Tensor): Tensor {
  const { pad_token_id: padding } = Object(model.config)
  return full([batch, count], padding === 0 ? 1 : 0, like?.dtype ?? 'i32')
}
