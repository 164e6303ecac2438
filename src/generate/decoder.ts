import type { TypedArray } from '../graph/dtype.ts'
import type { CausalLM } from '../models/index.ts'
import type { KVCache } from '../nn/index.ts'
import { type Held, hold } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { evaluating, powerOfTwo } from './evaluating.ts'
import { rowOf, type StepModel } from './step-model.ts'

/**
 * Runs a model on one text, token by token. The prompt's tokens go in at once, padded to a power of
 * two, so that prompts of all lengths share a few programs; every later token is a run of one program.
 * A text that begins as the one before it keeps what is in memory of that beginning. When the memory
 * for earlier tokens is full, the last half of them is read again and the rest forgotten.
 */
export class Decoder implements StepModel {
  readonly capacity: number
  private readonly cache: KVCache
  private readonly run: Held
  /** Those in the cache. */
  private text: number[] = []
  private read = 0

  constructor(model: CausalLM, capacity = model.contextLength) {
    this.capacity = Math.min(capacity, model.contextLength)
    if (!Number.isInteger(capacity) || this.capacity < 2)
      throw new HeedError('invalid-option', `A context of ${capacity} tokens`, {
        remedy: 'It takes 2 or more.',
      })
    const cache = model.createCache({ capacity: this.capacity })
    this.cache = cache
    this.run = hold((ids, logitsAt) => [
      evaluating(model, () => model.forward(ids, { cache, logitsAt })),
    ])
  }

  /** The tokens that the cache holds. */
  get tokens(): readonly number[] {
    return this.text
  }

  /** How many tokens the model has read so far, all texts together: what was kept is not among them. */
  get tokensRead(): number {
    return this.read
  }

  /** The logits of the token that follows a text: of its end, if it is longer than the capacity. */
  async start([tokens]: readonly (readonly number[])[]): Promise<TypedArray> {
    if (tokens.length === 0) throw new HeedError('unknown-name', 'There is no token to start from')
    const text = tokens.slice(-this.capacity)
    this.rewind(Math.min(sharedLength(this.text, text), text.length - 1))
    const fresh = text.slice(this.text.length)
    const room = this.capacity - this.text.length
    const width = Math.min(room, powerOfTwo(fresh.length, this.text.length > 0 ? 1 : SHORTEST))
    return this.forward(fresh, width, [fresh.length - 1])
  }

  /** The logits of the token that follows when the token is put behind the text. */
  async next([token]: readonly number[]): Promise<TypedArray> {
    if (this.text.length === this.capacity)
      return this.start([[...this.text, token].slice(-Math.ceil(this.capacity / 2))])
    return this.forward([token], 1, [0])
  }

  /** Puts tokens behind the text. The logits of what follows each of them, all from one run. */
  async extend(tokens: readonly number[]): Promise<TypedArray[]> {
    const room = this.capacity - this.text.length
    const width = Math.min(room, powerOfTwo(tokens.length))
    const at = Array.from({ length: width }, (_, i) => i)
    const logits = await this.forward(tokens, width, at)
    return tokens.map((_, i) => rowOf(logits, i, width))
  }

  /** Keeps the first `length` tokens: none, for one, when the model's weights have changed. */
  rewind(length: number): void {
    this.cache.rewind(length)
    this.text.length = length
  }

  /** Runs as many positions as `width`; those behind the tokens are computed and forgotten. */
  private async forward(
    tokens: readonly number[],
    width: number,
    logitsAt: readonly number[],
  ): Promise<TypedArray> {
    const ids = new Int32Array(width)
    ids.set(tokens)
    const [logits] = await this.run(
      { data: ids, shape: [1, width] },
      { data: Int32Array.from(logitsAt), shape: [logitsAt.length] },
    )
    this.cache.advance(tokens.length)
    for (const token of tokens) this.text.push(token)
    this.read += tokens.length
    return logits.data()
  }
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

const SHORTEST = 16
