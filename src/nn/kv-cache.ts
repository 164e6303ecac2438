import { checkTensors } from '../tensor/arguments.ts'
import { runtimeScalar, type Tensor, zeros } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'

export interface KVCacheShape {
  layers: number
  /** Of keys and values, which may be fewer than of queries. */
  heads: number
  headDim: number
  /** How many tokens fit. */
  capacity: number
  batch?: number
}

const KV_CACHE = optionKinds<KVCacheShape>({
  layers: 'count',
  heads: 'size',
  headDim: 'size',
  capacity: 'size',
  batch: 'size?',
})

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

  constructor(shapes: KVCacheShape) {
    KV_CACHE.check('KVCache', shapes)
    const { layers, heads, headDim, capacity, batch = 1 } = shapes
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

  /** Adds the first `tokens` tokens of the last forward pass to the length. */
  advance(tokens: number): void {
    const room = this.capacity - this.#length
    if (!Number.isInteger(tokens) || tokens < 0 || tokens > room)
      throw noRoom(tokens, room, this.capacity)
    this.#move(this.#length + tokens)
  }

  /** Forgets all tokens. The memory stays, and what is in it is never looked at. */
  reset(): void {
    this.#move(0)
  }

  /** Keeps the first `length` tokens and drops the rest. */
  rewind(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > this.#length)
      throw invalidOption({
        key: 'length',
        value: length,
        expected: `a whole number from 0 to ${this.#length}, the tokens in the cache`,
      })
    this.#move(length)
  }

  /** Row r continues row order[r]: order i32 (B). Copies whole rows, unused positions too. */
  reorder(order: Tensor): void {
    checkTensors('reorder', { order })
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
    if (!(cache instanceof KVCache)) throw wrongArgument('LayerCache', 'cache', cache, 'a KVCache')
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
    if (tokens > room) throw noRoom(tokens, room, this.#cache.capacity)
    this.keys.assignAt(k, this.#cache.position(), 2)
    this.values.assignAt(v, this.#cache.position(), 2)
    return { k: this.keys, v: this.values, length: this.#cache.position(tokens) }
  }
}

const noRoom = (tokens: number, room: number, capacity: number): HeedError =>
  new HeedError(
    'invalid-state',
    `The key-value cache must have room for the new tokens, got ${tokens} for ${room} free positions`,
    { remedy: `Its capacity is ${capacity}: create a larger one, or reset() it.` },
  )
