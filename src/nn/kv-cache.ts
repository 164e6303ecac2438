import { checkTensors } from '../tensor/arguments.ts'
import { runtimeScalar, type Tensor, zeros } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'

/** Sizes of a key-value cache. */
export interface KVCacheShape {
  /** Number of layers of the model. */
  layers: number
  /** Number of heads of keys and values. May be less than that of queries. */
  heads: number
  /** Number of features of a head, D. */
  headDim: number
  /** Maximum number of tokens. */
  capacity: number
  /** Number of sequences, B. Default 1. */
  batch?: number
  /** Positions before the first token, which stay when the cache is emptied. Default: none. */
  prefix?: CachePrefix | null
}

/** Positions of a cache before the first token, such as those of a trained prompt. */
export interface CachePrefix {
  /** Number of positions, P. */
  readonly count: number
  /** Writes their keys and values to the first P positions of the cache. */
  fill(cache: KVCache): void
}

const KV_CACHE = optionKinds<KVCacheShape>({
  layers: 'count',
  heads: 'size',
  headDim: 'size',
  capacity: 'size',
  batch: 'size?',
  prefix: 'record|null?',
})

/**
 * The keys and values of earlier tokens, in memory of fixed size. The number of tokens in use is a run-time value, so
 * one compiled program serves every position. A forward pass writes after the tokens in use; `advance` then sets how
 * many of the written tokens count.
 */
export class KVCache {
  /** The keys and values, by layer. */
  readonly layers: readonly LayerCache[]
  /** Number of positions before the first token, which are written again when the cache is emptied. */
  readonly prefixLength: number
  readonly #capacity: number
  readonly #prefix: CachePrefix | null
  #filled = false
  /** Positions of the prefix that count in `capacity`, `length` and `position`: those before the first new token. */
  #counted = 0
  #length = 0
  #positions = new Map<number, Tensor>()

  /** Allocates a cache of zeros: 8·layers·batch·heads·(capacity + prefix)·headDim bytes. */
  constructor(shapes: KVCacheShape) {
    KV_CACHE.check('KVCache', shapes)
    const { layers, heads, headDim, capacity, batch = 1, prefix = null } = shapes
    this.#capacity = capacity
    this.#prefix = prefix
    this.prefixLength = prefix?.count ?? 0
    const shape = [batch, heads, this.prefixLength + capacity, headDim]
    this.layers = Array.from({ length: layers }, () => new LayerCache(this, shape))
  }

  /** Maximum number of tokens. */
  get capacity(): number {
    return this.#capacity + this.#counted
  }

  /** Number of tokens in use. */
  get length(): number {
    return this.#length + this.#counted
  }

  /**
   * Runs `body`, in which the positions of the prefix count as tokens in use: `capacity`, `length` and `position` include
   * them. Models are run like this.
   */
  withPrefix<T>(body: () => T): T {
    if (this.#prefix && !this.#filled) this.#fill(this.#prefix)
    return this.#counting(this.prefixLength, body)
  }

  /** The number of tokens in use plus `offset`, as an i32 scalar. Held programs read it at each run. */
  position(offset = 0): Tensor {
    const from = offset + this.#counted
    let found = this.#positions.get(from)
    if (!found) {
      const now = this.#length + from
      found = runtimeScalar(this.#length < 0 ? now : () => this.#length + from, 'i32') // the prefix stays in place
      this.#positions.set(from, found)
    }
    return found
  }

  /** Adds the first `tokens` tokens of the last forward pass to the length. @throws HeedError if they do not fit */
  advance(tokens: number): void {
    const room = this.capacity - this.#length
    if (!Number.isInteger(tokens) || tokens < 0 || tokens > room)
      throw noRoom(tokens, room, this.capacity)
    this.#move(this.#length + tokens)
  }

  /** Removes all tokens. The memory is kept; its old contents are never read. */
  reset(): void {
    this.#move(0)
  }

  /**
   * Keeps the first `length` tokens and removes the others. @throws HeedError for a length greater than the current one
   */
  rewind(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > this.#length)
      throw invalidOption({
        key: 'length',
        value: length,
        expected: `a whole number from 0 to ${this.#length}, the tokens in the cache`,
      })
    this.#move(length)
  }

  /** Replaces row r by row order[r], where order is i32 (B). Copies entire rows, including unused positions. */
  reorder(order: Tensor): void {
    checkTensors('reorder', { order })
    for (const layer of this.layers) layer.reorder(order)
  }

  /**
   * Sets row r to row order[r] of another cache, where order is i32 (B). The other cache has the same layers and capacity,
   * and may have another number of rows.
   */
  copyRows(from: KVCache, order: Tensor): void {
    checkTensors('copyRows', { order })
    if (!(from instanceof KVCache) || from.layers.length !== this.layers.length)
      throw wrongArgument('copyRows', 'from', from, 'a cache of the same model')
    this.layers.forEach((layer, i) => {
      layer.copyRows(from.layers[i], order)
    })
  }

  /** A program that is not held reads its numbers when it is built, so a new length needs new nodes. */
  #move(length: number): void {
    this.#length = length
    this.#positions.clear()
    if (this.#prefix && length === 0) this.#fill(this.#prefix) // the weights may have changed
  }

  /** The prefix is written as if its positions were the first tokens. */
  #fill(prefix: CachePrefix): void {
    const length = this.#length
    this.#filled = true
    this.#length = -prefix.count
    this.#positions.clear()
    try {
      this.#counting(prefix.count, () => prefix.fill(this))
    } finally {
      this.#length = length
      this.#positions.clear()
    }
  }

  #counting<T>(positions: number, body: () => T): T {
    const outer = this.#counted
    this.#counted = positions
    try {
      return body()
    } finally {
      this.#counted = outer
    }
  }
}

/** Keys and values of one layer. */
export class LayerCache {
  /** f32 (B, H, capacity, D). */
  readonly keys: Tensor
  /** f32 (B, H, capacity, D). */
  readonly values: Tensor
  readonly #cache: KVCache

  /** Allocates keys and values of zeros, each of this shape. `KVCache` does it for each layer. */
  constructor(cache: KVCache, shape: readonly number[]) {
    if (!(cache instanceof KVCache)) throw wrongArgument('LayerCache', 'cache', cache, 'a KVCache')
    this.#cache = cache
    this.keys = zeros(shape)
    this.values = zeros(shape)
    this.keys.becomeState()
    this.values.becomeState()
  }

  /** Replaces the sequences by those at the indices `order`, i32 (B). `KVCache.reorder` does it for all layers. */
  reorder(order: Tensor): void {
    this.keys.assign(this.keys.take(order, 0))
    this.values.assign(this.values.take(order, 0))
  }

  /** Sets row r to row order[r] of another cache of this layer. `KVCache.copyRows` does it for all layers. */
  copyRows({ keys, values }: LayerCache, order: Tensor): void {
    checkTensors('copyRows', { order, keys, values })
    this.keys.assign(keys.take(order, 0))
    this.values.assign(values.take(order, 0))
  }

  /**
   * Writes k and v (B, H, T, D) after the tokens in use. The returned `length` includes them. @throws HeedError if they
   * do not fit
   */
  append(k: Tensor, v: Tensor): { k: Tensor; v: Tensor; length: Tensor } {
    const tokens = k.shape[2]
    const room = this.#cache.capacity - this.#cache.length
    if (tokens > room) throw noRoom(tokens, room, this.#cache.capacity)
    this.keys.assignAt(k, this.#cache.position(), 2)
    this.values.assignAt(v, this.#cache.position(), 2)
    return { k: this.keys, v: this.values, length: this.#cache.position(tokens) }
  }
}

const noRoom = (tokens: number, room: number, capacity: number): HeedError =>
  new HeedError(
    'invalid-state',
    `The key-value cache must have space for the new tokens, got ${tokens} tokens for ${room} free positions`,
    { remedy: `Its capacity is ${capacity}. Create a larger cache, or call reset().` },
  )
