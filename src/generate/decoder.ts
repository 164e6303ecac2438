import type { TypedArray } from '../graph/dtype.ts'
import { checkHead } from '../models/check-head.ts'
import type { CausalLM } from '../models/index.ts'
import type { KVCache } from '../nn/index.ts'
import { type Held, hold } from '../tensor/index.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { evaluating, powerOfTwo } from './evaluating.ts'
import { checkNext, checkStart, rowOf, type StepModel } from './step-model.ts'

/**
 * Runs a model on one text, token by token. The prompt is processed at once, padded to a power of two, so that prompts
 * of all lengths share a few programs; every later token is a run of one program. The common beginning of consecutive
 * texts stays in the cache. When the cache is full, the last half of the tokens is processed again and the rest
 * dropped.
 */
export class Decoder implements StepModel {
  readonly capacity: number
  private readonly cache: KVCache
  private readonly cacheValidTo: number
  private readonly run: Held
  /** The tokens in the cache. */
  private text: number[] = []
  private read = 0

  constructor(model: CausalLM, contextLength?: number) {
    checkHead('Decoder', model, 'causal-lm')
    const capacity = contextLength === undefined ? model.contextLength : contextLength
    this.capacity = Math.min(capacity, model.contextLength)
    if (!Number.isInteger(capacity) || this.capacity < 2)
      throw invalidOption({
        key: 'contextLength',
        value: capacity,
        expected: 'a whole number from 2',
        try: { contextLength: [64] },
      })
    const cache = model.createCache({ capacity: this.capacity })
    this.cache = cache
    this.cacheValidTo = model.cacheValidTo ?? Number.POSITIVE_INFINITY
    this.run = hold((ids, logitsAt) => [
      evaluating(model, () => model.forward(ids, { cache, logitsAt })),
    ])
  }

  /** The tokens that the cache holds. */
  get tokens(): readonly number[] {
    return this.text
  }

  /** Number of tokens processed for all texts, without those that were in the cache. */
  get tokensRead(): number {
    return this.read
  }

  /** The logits of the token after a text; a text longer than the capacity is cut at the front. */
  async start(prompts: readonly (readonly number[])[]): Promise<TypedArray> {
    checkStart(prompts)
    const [tokens = []] = prompts
    if (tokens.length === 0) throw emptyPrompt()
    const text = tokens.slice(-this.capacity)
    const shared = Math.min(sharedLength(this.text, text), text.length - 1)
    this.rewind(this.staysValid(text.length) ? shared : 0)
    const fresh = text.slice(this.text.length)
    const room = this.capacity - this.text.length
    const width = Math.min(room, powerOfTwo(fresh.length, this.text.length > 0 ? 1 : SHORTEST))
    return this.forward(fresh, width, [fresh.length - 1])
  }

  /** Appends a token. The logits of the token after it. */
  async next(tokens: readonly number[]): Promise<TypedArray> {
    checkNext(tokens)
    const [token] = tokens
    if (this.text.length === this.capacity)
      return this.start([[...this.text, token].slice(-Math.ceil(this.capacity / 2))])
    if (!this.staysValid(this.text.length + 1)) return this.start([[...this.text, token]])
    return this.forward([token], 1, [0])
  }

  /** Appends tokens. The logits after each of them, from one run. */
  async extend(tokens: readonly number[]): Promise<TypedArray[]> {
    checkNext(tokens)
    if (!this.staysValid(this.text.length + tokens.length)) {
      const logits: TypedArray[] = []
      for (const token of tokens) logits.push(await this.next([token]))
      return logits
    }
    const room = this.capacity - this.text.length
    const width = Math.min(room, powerOfTwo(tokens.length))
    const at = Array.from({ length: width }, (_, i) => i)
    const logits = await this.forward(tokens, width, at)
    return tokens.map((_, i) => rowOf(logits, i, width))
  }

  /** Keeps the first `length` tokens; 0 when the model's weights have changed. */
  rewind(length: number): void {
    this.cache.rewind(length)
    this.text.length = length
  }

  /** Whether the cached keys are also those of a text of this length. */
  private staysValid(length: number): boolean {
    return this.text.length > this.cacheValidTo === length > this.cacheValidTo
  }

  /** Runs `width` positions; those after the tokens are discarded. */
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

const emptyPrompt = (): HeedError =>
  new HeedError('invalid-option', '`prompt` must have at least one token, got none', {
    key: 'prompt',
    value: 0,
    expected: 'at least one token',
    remedy: 'Start from the token that begins a text.',
  })

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

const SHORTEST = 16
