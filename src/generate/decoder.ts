import type { TypedArray } from '../graph/dtype.ts'
import type { CausalLM } from '../models/index.ts'
import type { KVCache } from '../nn/index.ts'
import { type Held, hold } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { evaluating, powerOfTwo } from './evaluating.ts'

/**
 * Runs a model token by token. The prompt's tokens go in at once, padded to a power of two, so that
 * prompts of all lengths share a few programs; every later token is a run of one program. When the
 * memory for earlier tokens is full, the last half of them is read again and the rest forgotten.
 */
export class Decoder {
  readonly capacity: number
  private readonly cache: KVCache
  private readonly run: Held
  private tokens: number[] = []

  constructor(model: CausalLM, capacity = model.contextLength) {
    this.capacity = Math.min(capacity, model.contextLength)
    if (!Number.isInteger(capacity) || this.capacity < 2)
      throw new HeedError(`A context of ${capacity} tokens`, { remedy: 'It takes 2 or more.' })
    const cache = model.createCache({ capacity: this.capacity })
    this.cache = cache
    this.run = hold((ids, last) => [
      evaluating(model, () => model.forward(ids, { cache, logitsAt: last })),
    ])
  }

  /** The logits of the token that follows a text: of its end, if it is longer than the capacity. */
  async start(tokens: readonly number[]): Promise<TypedArray> {
    if (tokens.length === 0) throw new HeedError('There is no token to start from')
    this.tokens = tokens.slice(-this.capacity)
    this.cache.reset()
    return this.forward(
      this.tokens,
      Math.min(this.capacity, powerOfTwo(this.tokens.length, SHORTEST)),
    )
  }

  /** The logits of the token that follows when `token` is put behind the text. */
  async next(token: number): Promise<TypedArray> {
    if (this.cache.length === this.capacity)
      return this.start([...this.tokens, token].slice(-Math.ceil(this.capacity / 2)))
    this.tokens.push(token)
    return this.forward([token], 1)
  }

  /** Runs as many positions as `width`; those behind the tokens are computed and forgotten. */
  private async forward(tokens: readonly number[], width: number): Promise<TypedArray> {
    const ids = new Int32Array(width)
    ids.set(tokens)
    const last = Int32Array.of(tokens.length - 1)
    const [logits] = await this.run({ data: ids, shape: [1, width] }, { data: last, shape: [1] })
    this.cache.advance(tokens.length)
    return logits.data()
  }
}

const SHORTEST = 16
