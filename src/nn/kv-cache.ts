import { runtimeScalar, type Tensor, zeros } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'

export interface KVCacheShape {
  layers: number
  /** Of keys and values, which may be fewer than of queries. */
  heads: number
  headDim: number
  /** How many tokens fit. */
  capacity: number
  batch?: number
}

/**
 * The keys and values of earlier tokens, in memory of fixed size. How much of it is in use is a
 * run-time number, so one compiled program serves every position. A forward pass writes behind the
 * used part; `advance` then says how many of the written tokens count.
 */
export class KVCache {
  readonly capacity: number
  readonly layers: readonly LayerCache[]
  #length = 0
  #positions = new Map<number, Tensor>()

  constructor({ layers, heads, headDim, capacity, batch = 1 }: KVCacheShape) {
    this.capacity = capacity
    const shape = [batch, heads, capacity, headDim]
    this.layers = Array.from({ length: layers }, () => new LayerCache(this, shape))
  }

  /** Tokens in use. */
  get length(): number {
    return this.#length
  }

  /** The number of tokens in use plus `offset`, as an i32 that held programs read anew. */
  position(offset = 0): Tensor {
    let found = this.#positions.get(offset)
    if (!found) {
      found = runtimeScalar(() => this.#length + offset, 'i32')
      this.#positions.set(offset, found)
    }
    return found
  }

  /** Counts the last forward pass' first `tokens` tokens in. */
  advance(tokens: number): void {
    const room = this.capacity - this.#length
    if (!Number.isInteger(tokens) || tokens < 0 || tokens > room)
      throw new HeedError(
        'invalid-option',
        `The key-value cache has room for ${room} tokens, not for ${tokens}`,
        {
          remedy: `Its capacity is ${this.capacity}: make it larger, or reset() it.`,
        },
      )
    this.#move(this.#length + tokens)
  }

  /** Forgets all tokens. The memory stays, and what is in it is never looked at. */
  reset(): void {
    this.#move(0)
  }

  /** Keeps the first `length` tokens and forgets those behind them. */
  rewind(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > this.#length)
      throw new HeedError(
        'invalid-option',
        `The key-value cache holds ${this.#length} tokens: it cannot go back to ${length}`,
      )
    this.#move(length)
  }

  /** Row r goes on from what row order[r] holds: order i32 (B). The used part and all beside it. */
  reorder(order: Tensor): void {
    for (const layer of this.layers) layer.reorder(order)
  }

  /** Numbers of a plain (not held) program are read when it is built: later ones need new nodes. */
  #move(length: number): void {
    this.#length = length
    this.#positions.clear()
  }
}

/** One layer's part. */
export class LayerCache {
  readonly keys: Tensor // (B, H, capacity, D)
  readonly values: Tensor
  readonly #cache: KVCache

  constructor(cache: KVCache, shape: readonly number[]) {
    this.#cache = cache
    this.keys = zeros(shape)
    this.values = zeros(shape)
    this.keys.becomeState()
    this.values.becomeState()
  }

  reorder(order: Tensor): void {
    this.keys.assign(this.keys.take(order, 0))
    this.values.assign(this.values.take(order, 0))
  }

  /** Writes k and v (B, H, T, D) behind what is in use. `length` counts them in. */
  append(k: Tensor, v: Tensor): { k: Tensor; v: Tensor; length: Tensor } {
    const tokens = k.shape[2]
    const room = this.#cache.capacity - this.#cache.length
    if (tokens > room)
      throw new HeedError(
        'invalid-option',
        `The key-value cache has room for ${room} tokens, not for ${tokens}`,
      )
    this.keys.assignAt(k, this.#cache.position(), 2)
    this.values.assignAt(v, this.#cache.position(), 2)
    return { k: this.keys, v: this.values, length: this.#cache.position(tokens) }
  }
}
